/* SPDX-License-Identifier: Apache-2.0 */
/* uvmm: each register of abi/platform.h is one store that leaves the guest. */
#include "libos/drv/platform_impl.h"

#include "abi/layout.h"
#include "libos/sched/clock.h"

static void write_reg(uint32_t reg, uint64_t value)
{
	*(volatile uint64_t *)(UIG_VA_MMIO + (UIG_GPA_PLATFORM - UIG_GPA_MMIO) + reg) = value;
}

static void uvmm_wait(uint64_t deadline)
{
	write_reg(UIG_REG_WAIT, clock_mono_to_tsc(deadline));
}

static void uvmm_exit(enum uig_exit_kind kind, unsigned code)
{
	for (;;)
		write_reg(UIG_REG_EXIT, UIG_EXIT(kind, code));
}

static void uvmm_milestone(enum uig_milestone ms, uint16_t port)
{
	write_reg(UIG_REG_MILESTONE, UIG_MILESTONE(ms, port));
}

static void uvmm_free(gpa_t list)
{
	write_reg(UIG_REG_FREE, list);
}

static void uvmm_missing(unsigned call)
{
	write_reg(UIG_REG_MISSING, call);
}

static void uvmm_freeze(void)
{
	write_reg(UIG_REG_FREEZE, 0);
}

static void uvmm_ram(gpa_t end)
{
	write_reg(UIG_REG_RAM, end);
}

static void uvmm_debug_putc(char c)
{
	write_reg(UIG_REG_DEBUG, (uint8_t)c);
}

const struct platform_ops platform_uvmm = {
	.wait = uvmm_wait,
	.exit = uvmm_exit,
	.milestone = uvmm_milestone,
	.missing = uvmm_missing,
	.free = uvmm_free,
	.freeze = uvmm_freeze,
	.ram = uvmm_ram,
	.debug_putc = uvmm_debug_putc,
};
