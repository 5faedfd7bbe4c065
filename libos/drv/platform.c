/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the kind of machine, once, and passes calls on to it. */
#include "libos/drv/platform_impl.h"

#include "abi/boot.h"
#include "abi/layout.h"
#include "libos/drv/console.h"
#include "libos/mem/page.h"

static const struct platform_ops *ops;

void platform_init(const struct uig_bootinfo *boot)
{
	ops = boot->platform ? &platform_uvmm : &platform_standard;
	if (!boot->platform)
		platform_standard_init(boot);
}

void platform_wait(uint64_t deadline)
{
	ops->wait(deadline);
}

bool platform_wait_serves(void)
{
	return ops == &platform_uvmm;
}

void platform_exit(enum uig_exit_kind kind, unsigned code)
{
	ops->exit(kind, code);
	__builtin_unreachable();
}

void platform_milestone(enum uig_milestone ms, uint16_t port)
{
	if (ops->milestone)
		ops->milestone(ms, port);
}

void platform_freeze(void)
{
	if (ops->freeze)
		ops->freeze();
}

unsigned platform_free(struct uig_free_list *list)
{
	list->done = 0;
	if (ops->free)
		ops->free(page_gpa(list));
	return __atomic_load_n(&list->done, __ATOMIC_ACQUIRE);
}

void platform_ram(gpa_t end)
{
	if (ops->ram)
		ops->ram(end);
}

void platform_preempt(uint64_t deadline)
{
	if (ops->preempt)
		ops->preempt(deadline);
}

void platform_debug_putc(char c)
{
	ops->debug_putc(c);
}

uint64_t platform_wall_ns(void)
{
	return ops->wall_ns ? ops->wall_ns() : 0;
}

static volatile uint32_t *reg32(uint64_t gpa)
{
	return (volatile uint32_t *)(UIG_VA_MMIO + (gpa - UIG_GPA_MMIO));
}

uint32_t mmio_read32(uint64_t gpa)
{
	return *reg32(gpa);
}

void mmio_write32(uint64_t gpa, uint32_t value)
{
	*reg32(gpa) = value;
}

void platform_missing(unsigned call)
{
	if (ops->missing)
		ops->missing(call);
}
