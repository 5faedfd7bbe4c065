/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard machines: xAPIC and IOAPIC at their usual places, virtio interrupts and the LAPIC timer only end a HLT (the handlers are two
 * instructions at CPL 0, arch/x86_64/entry.S). The ports of the serial line, the clock chip and the keyboard controller are open to CPL 3
 * by the I/O bitmap of the TSS. NMI asks for termination.
 */
#include "libos/drv/platform_impl.h"

#include "abi/boot.h"
#include "abi/layout.h"
#include "abi/virtio.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/standard.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread.h"

#define LAPIC             0xfee00000ull
#define LAPIC_SVR         0x0f0u
#define LAPIC_LVT_TIMER   0x320u
#define LAPIC_LVT_LINT0   0x350u
#define LAPIC_LVT_LINT1   0x360u
#define LAPIC_TIMER_INIT  0x380u
#define LAPIC_TIMER_COUNT 0x390u
#define LAPIC_TIMER_DIV   0x3e0u
#define LVT_MASKED        0x10000u
#define LVT_NMI           0x400u
#define DIV_1             0xbu
#define DIV_128           0xau
#define IOAPIC            0xfec00000ull
#define IOAPIC_VERSION    1u
#define IOAPIC_REDIR      0x10u

#define VECTOR_TIMER    0x30u
#define VECTOR_DEVICE   0x31u
#define VECTOR_SPURIOUS 0xffu

#define COM1         0x3f8
#define CALIBRATE_NS 2000000u

static const struct uig_bootinfo *machine;

static void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* ---- interrupts */

static void ioapic_write(uint32_t reg, uint32_t value)
{
	mmio_write32(IOAPIC, reg);
	mmio_write32(IOAPIC + 0x10, value);
}

static void ioapic_route(uint32_t pin)
{
	uint32_t pins;

	mmio_write32(IOAPIC, IOAPIC_VERSION);
	pins = (mmio_read32(IOAPIC + 0x10) >> 16 & 0xff) + 1;
	if (pin >= pins) {
		kprintf("interrupt %u has no pin", pin);
		return;
	}
	ioapic_write(IOAPIC_REDIR + 2 * pin + 1, 0);
	ioapic_write(IOAPIC_REDIR + 2 * pin, VECTOR_DEVICE); /* fixed, edge, active high */
}

static void lapic_init(void)
{
	mmio_write32(LAPIC + LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	mmio_write32(LAPIC + LAPIC_LVT_LINT0, LVT_MASKED);
	mmio_write32(LAPIC + LAPIC_LVT_LINT1, LVT_NMI);
	mmio_write32(LAPIC + LAPIC_LVT_TIMER, VECTOR_TIMER);
}

/* A device holds its line until its status is acknowledged, and only edges count: this comes before the rings are looked at. */
static void acknowledge_devices(void)
{
	for (unsigned i = 0; i < machine->ndevices; i++) {
		uint64_t base = machine->device[i].mmio;
		uint32_t status = mmio_read32(base + VIRTIO_MMIO_INTERRUPT_STATUS);

		if (status)
			mmio_write32(base + VIRTIO_MMIO_INTERRUPT_ACK, status);
	}
}

uint64_t standard_calibrate_khz(void)
{
	uint64_t start = rdtsc(), cycles;
	uint32_t passed;

	mmio_write32(LAPIC + LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	mmio_write32(LAPIC + LAPIC_TIMER_DIV, DIV_1);
	mmio_write32(LAPIC + LAPIC_TIMER_INIT, UINT32_MAX);
	do {
		cycles = rdtsc() - start;
		passed = UINT32_MAX - mmio_read32(LAPIC + LAPIC_TIMER_COUNT);
	} while (passed < CALIBRATE_NS);
	mmio_write32(LAPIC + LAPIC_TIMER_INIT, 0);
	mmio_write32(LAPIC + LAPIC_LVT_TIMER, VECTOR_TIMER);
	return cycles * 1000000 / passed; /* the LAPIC of QEMU and KVM counts ns */
}

void platform_standard_init(const struct uig_bootinfo *boot)
{
	machine = boot;
	lapic_init();
	for (unsigned i = 0; i < boot->ndevices; i++)
		ioapic_route(boot->device[i].irq);
}

/* ---- the interface */

/* What the LAPIC timer is set for; TIME_FOREVER: it may have fired. Its clock is not the TSC: it may fire early. */
static uint64_t timer_deadline = TIME_FOREVER;

static void arm_timer(uint64_t deadline)
{
	uint64_t now = clock_mono_ns(), ns = deadline > now ? deadline - now : 1;

	timer_deadline = deadline;

	if (deadline == TIME_FOREVER) {
		mmio_write32(LAPIC + LAPIC_TIMER_INIT, 0);
		return;
	}
	mmio_write32(LAPIC + LAPIC_TIMER_DIV, ns > UINT32_MAX ? DIV_128 : DIV_1);
	if (ns > UINT32_MAX)
		ns /= 128;
	mmio_write32(LAPIC + LAPIC_TIMER_INIT, ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns);
}

static void standard_wait(uint64_t deadline)
{
	if (!deadline)
		return;
	arm_timer(deadline);
	cpu_halt();
	timer_deadline = TIME_FOREVER;
	acknowledge_devices();
}

/* A timer that runs too early is left alone: setting it is a trip to the monitor, and its interrupt only makes us look. */
static void standard_preempt(uint64_t deadline)
{
	if (!deadline)
		timer_deadline = TIME_FOREVER;
	if (!deadline || deadline == TIME_FOREVER)
		return;
	if (deadline < timer_deadline || timer_deadline <= clock_mono_ns())
		arm_timer(deadline);
}

static void standard_debug_putc(char c)
{
	for (int i = 0; i < 100000 && !(inb(COM1 + 5) & 0x20); i++)
		;
	outb(COM1, (uint8_t)c);
}

static void standard_exit(enum uig_exit_kind kind, unsigned code)
{
	char line[64];

	snprintf(line, sizeof(line), "uigniter-exit kind=%u code=%u\n", (unsigned)kind, code);
	for (const char *p = line; *p; p++)
		standard_debug_putc(*p);
	outb(0x64, 0xfe);
	/* No keyboard controller there: end by a triple fault. The next push on a bad stack starts it. */
	standard_triple_fault();
}

static uint8_t cmos(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static unsigned from_bcd(uint8_t v, bool bcd)
{
	return bcd ? (unsigned)(v >> 4) * 10 + (v & 15) : v;
}

static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
	uint64_t y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static uint64_t standard_wall_ns(void)
{
	uint8_t now[7] = {0}, again[7], status;
	static const uint8_t reg[7] = {0, 2, 4, 7, 8, 9, 0x32};
	unsigned v[7], tries = 0;
	uint64_t s;

	do {
		memcpy(again, now, sizeof(now));
		for (unsigned i = 0; i < 7; i++)
			now[i] = cmos(reg[i]);
	} while (++tries < 100 && memcmp(now, again, sizeof(now)));
	status = cmos(0x0b);
	for (unsigned i = 0; i < 7; i++)
		v[i] = from_bcd(now[i], !(status & 4));
	if (!v[3] || v[3] > 31 || !v[4] || v[4] > 12 || v[5] > 99)
		return 0;
	s = days_since_1970(v[5] + (v[6] >= 19 && v[6] < 25 ? v[6] * 100 : 2000), v[4], v[3]);
	return ((s * 24 + v[2]) * 60 + v[1]) * 60 * NS_PER_SEC + v[0] * NS_PER_SEC;
}

const struct platform_ops platform_standard = {
	.wait = standard_wait,
	.exit = standard_exit,
	.debug_putc = standard_debug_putc,
	.preempt = standard_preempt,
	.wall_ns = standard_wall_ns,
};
