/* SPDX-License-Identifier: Apache-2.0 */
/* The processor: features, base registers, vector state, and the few things that need CPL 0 (ring0_helper in entry.S). */
#ifndef LIBOS_ARCH_CPU_H
#define LIBOS_ARCH_CPU_H

#include "abi/types.h"

#include <stdbool.h>

struct cpu_features {
	bool fsgsbase, xsave, xsaveopt;
	uint32_t hwcap; /* AT_HWCAP: CPUID 1 EDX */
	uint64_t xcr0;
	uint32_t vector_bytes; /* of the vector state in the standard format, 512 without XSAVE */
};
extern struct cpu_features cpu;

/* Reads the features; standard: the machine kind without uvmm. Called once, first. */
void cpu_init(void);

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* ---- what CPL 0 does for us */
static inline uint64_t cpu_fault_address(void)
{
	uint64_t cr2;

	__asm__ volatile("int $4" : "=a"(cr2) : "c"(0) : "memory");
	return cr2;
}

static inline void cpu_invlpg(uint64_t va)
{
	__asm__ volatile("int $4" : : "c"(1), "D"(va) : "rax", "memory");
}

static inline void cpu_flush_all(void)
{
	__asm__ volatile("int $4" : : "c"(2) : "rax", "memory");
}

static inline void cpu_halt(void)
{
	__asm__ volatile("int $4" : : "c"(3) : "rax", "memory");
}

/* value must be canonical when the register is a base register. */
static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
	uint64_t lo = (uint32_t)value, op = 4;

	__asm__ volatile("int $4" : "+a"(lo), "+c"(op) : "d"(value >> 32), "D"(msr) : "memory");
}

/* ---- base registers of the program; base must be canonical */
static inline bool cpu_canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}
uint64_t cpu_fs_base(void);
uint64_t cpu_gs_base(void);
void cpu_set_fs_base(uint64_t base);
void cpu_set_gs_base(uint64_t base);

/* ---- vector state: area is 64-byte aligned, cpu.vector_bytes long */
void cpu_vector_save(void *area);  /* for cpu_vector_restore() from the same area */
void cpu_vector_store(void *area); /* all of it, for others to read; header zero (XSAVE only) */
void cpu_vector_restore(const void *area);
/* As after power-on: zero but for MXCSR and the x87 control word. */
void cpu_vector_init(void *area);
/* A state that came from the program (signal frame): bad headers and reserved bits are made harmless. */
void cpu_vector_sanitize(void *area);

/* Return addresses of the running stack, innermost first; how many were found. */
unsigned cpu_backtrace(uint64_t *pc, unsigned max);

#endif
