/* SPDX-License-Identifier: Apache-2.0 */
/* Features are read once; base registers go by the FSGSBASE instructions or, on processors without, by MSRs through CPL 0. */
#include "libos/arch/x86_64/cpu.h"

#include "libos/arch/x86_64/stack.h"
#include "libos/klib/string.h"

#define MSR_FS_BASE  0xc0000100u
#define MSR_GS_BASE  0xc0000101u
#define MXCSR_MASK   0xffbfu
#define MXCSR_RESET  0x1f80u
#define FCW_RESET    0x037fu
#define XSAVE_HEADER 512

struct cpu_features cpu;
static uint64_t soft_fs_base, soft_gs_base; /* without FSGSBASE nobody else can change them */

static uint64_t read_xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

void cpu_init(void)
{
	uint32_t r[4], max;

	cpuid(0, 0, r);
	max = r[0];
	cpuid(1, 0, r);
	cpu.hwcap = r[3];
	cpu.xsave = max >= 0xd && (r[2] >> 27 & 1); /* OSXSAVE */
	cpu.vector_bytes = 512;
	if (cpu.xsave) {
		cpu.xcr0 = read_xcr0();
		cpuid(0xd, 0, r);
		cpu.vector_bytes = r[1];
		cpuid(0xd, 1, r);
		cpu.xsaveopt = r[0] & 1;
	}
	if (max >= 7) {
		cpuid(7, 0, r);
		cpu.fsgsbase = r[1] & 1;
	}
}

uint64_t cpu_fs_base(void)
{
	uint64_t base;

	if (!cpu.fsgsbase)
		return soft_fs_base;
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

uint64_t cpu_gs_base(void)
{
	uint64_t base;

	if (!cpu.fsgsbase)
		return soft_gs_base;
	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

void cpu_set_fs_base(uint64_t base)
{
	if (cpu.fsgsbase) {
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	} else {
		soft_fs_base = base;
		cpu_wrmsr(MSR_FS_BASE, base);
	}
}

void cpu_set_gs_base(uint64_t base)
{
	if (cpu.fsgsbase) {
		__asm__ volatile("wrgsbase %0" : : "r"(base));
	} else {
		soft_gs_base = base;
		cpu_wrmsr(MSR_GS_BASE, base);
	}
}

void cpu_vector_save(void *area)
{
	if (cpu.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else if (cpu.xsave)
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void cpu_vector_store(void *area)
{
	if (cpu.xsave)
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void cpu_vector_restore(const void *area)
{
	if (cpu.xsave)
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void cpu_vector_init(void *area)
{
	uint8_t *p = area;

	memset(p, 0, cpu.xsave ? XSAVE_HEADER + 64 : 512);
	memcpy(p, &(uint16_t){FCW_RESET}, 2);
	memcpy(p + 24, &(uint32_t){MXCSR_RESET}, 4);
}

void cpu_vector_sanitize(void *area)
{
	uint8_t *p = area;
	uint64_t state;
	uint32_t mxcsr;

	memcpy(&mxcsr, p + 24, sizeof(mxcsr));
	mxcsr &= MXCSR_MASK;
	memcpy(p + 24, &mxcsr, sizeof(mxcsr));
	if (!cpu.xsave)
		return;
	memcpy(&state, p + XSAVE_HEADER, sizeof(state));
	state &= cpu.xcr0;
	memset(p + XSAVE_HEADER, 0, 64);
	memcpy(p + XSAVE_HEADER, &state, sizeof(state));
}

unsigned cpu_backtrace(uint64_t *pc, unsigned max)
{
	const uint64_t *frame = __builtin_frame_address(0);
	unsigned n = 0;

	while (n < max && stack_contains(frame)) {
		pc[n++] = frame[1];
		if (frame[0] <= (uint64_t)frame)
			break;
		frame = (const uint64_t *)frame[0];
	}
	return n;
}
