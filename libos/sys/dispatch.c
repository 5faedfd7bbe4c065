/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the trap to the call's function and back, with the trace (`trace=1`) around it. A call that is not there is named on the console
 * once, because that is the first thing one wants to know of a program that fails.
 */
#include "libos/sys/dispatch.h"

#include "libos/arch/x86_64/patch.h"
#include "libos/arch/x86_64/trap.h"
#include "libos/drv/platform.h"
#include "libos/exec/args.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/sched/idle.h"
#include "libos/sched/thread_impl.h"
#include "libos/sched/upcall.h"
#include "libos/sys/table.h"
#include "libos/sys/trace.h"

#define NR_RSEQ 334 /* every C library asks for it, and does without: nobody misses it */

/* Once a number, and once for all beyond the table. That a process can not be made has a line of its own (sched/sys_thread.c). */
static void tell_missing(uint64_t nr)
{
	static uint64_t told[SYSCALL_TABLE_SIZE / 64 + 1];
	uint64_t bit = nr < SYSCALL_TABLE_SIZE ? nr : SYSCALL_TABLE_SIZE;

	if (told[bit / 64] >> bit % 64 & 1)
		return;
	told[bit / 64] |= 1ull << bit % 64;
	if (nr >= SYSCALL_TABLE_SIZE || !syscall_table[nr].fn)
		kprintf("system call %s (%lu) is not there: -ENOSYS", syscall_name(nr), nr);
	platform_missing((unsigned)bit);
}

static long call(uint64_t nr, const uint64_t a[6])
{
	long r = -ENOSYS;

	if (nr < SYSCALL_TABLE_SIZE && syscall_table[nr].fn)
		r = syscall_table[nr].fn(a);
	if (__builtin_expect(r == -ENOSYS, 0) && nr != NR_RSEQ)
		tell_missing(nr);
	return r;
}

int syscall_entry(struct regs *regs)
{
	const uint64_t a[6] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9};
	const uint64_t nr = regs->orig_rax, back = regs->rip;
	const uint64_t generation = patch_generation;
	uint64_t start = 0;
	bool full;
	long r;

	sched_enter();
	sched_poll();
	if (boot_args.trace)
		start = clock_mono_ns();
	r = call(nr, a);
	if (boot_args.trace)
		trace_call(nr, a, r, start);
	regs->rax = (uint64_t)r;
	/* The short way back goes to RCX with the flags of R11, as the instruction left them. Where the program runs with interrupts they
	 * have to be switched on with the jump to it: one that came before would find us in the libOS and be lost. */
	full = user_return(regs);
	if (generation != patch_generation)
		regs->error = back;
	if (!full && regs->rip == back && regs->rip == regs->rcx && regs->rflags == regs->r11 &&
		!upcall_user_flags)
		return 0;
	if (regs->rip == back)
		regs->rip = regs->error;
	return 1;
}

int syscall_trap(struct regs *regs)
{
	bool patched = patch_count(regs);

	return syscall_entry(regs) | patched; /* what was written is executed behind an iretq */
}
