/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On standard machines the libOS runs with IOPL 3, so that flags loaded at CPL 3 can switch IF: it is on in the program and off here.
 * Where IOPL is not honoured (PVM) IF stays off, and only system calls and faults let others run.
 */
#include "libos/sched/upcall.h"

#include "libos/arch/x86_64/asm.h"
#include "libos/arch/x86_64/patch.h"
#include "libos/arch/x86_64/trap.h"
#include "libos/drv/platform.h"
#include "libos/sched/clock.h"
#include "libos/sched/idle.h"
#include "libos/sched/thread_impl.h"

ABI_ASSERT_OFFSET(struct uig_upcall, rip, UPCALL_RIP);

void upcall_handle(struct regs *regs); /* from entry.S */

extern const char upcall_entry[];
extern uint64_t libos_flags;

struct uig_upcall standard_upcall = {.tsc = UIG_WAIT_FOREVER};
struct uig_upcall *upcall_page = &standard_upcall;
uint64_t upcall_user_flags;
static uint64_t asked = TIME_FOREVER;

void upcall_init(struct uig_upcall *page)
{
	if (!page) {
		libos_flags = RFLAGS_ONE | RFLAGS_IOPL;
		upcall_user_flags = RFLAGS_IF | RFLAGS_IOPL;
		return;
	}
	upcall_page = page;
	page->tsc = UIG_WAIT_FOREVER;
	__atomic_store_n(&page->entry, (uint64_t)upcall_entry, __ATOMIC_RELEASE);
}

void upcall_set(uint64_t deadline)
{
	if (upcall_page == &standard_upcall) {
		platform_preempt(deadline);
		return;
	}
	if (deadline == asked && (deadline == TIME_FOREVER || upcall_page->tsc != UIG_WAIT_FOREVER))
		return;
	asked = deadline;
	__atomic_store_n(&upcall_page->tsc, clock_mono_to_tsc(deadline), __ATOMIC_RELEASE);
}

void upcall_handle(struct regs *regs)
{
	regs->rflags |= upcall_user_flags; /* off at the time of the upcall */
	regs->rip = patch_true_rip(regs->rip);
	platform_preempt(0);
	sched_enter();
	sched_poll();
	user_return(regs);
}
