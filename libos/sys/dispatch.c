/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the trap to the call's function and back, with the trace (`trace=1`) around it. A call that is not there is named on the console
 * once, because that is the first thing one wants to know of a program that fails.
 */
#include "libos/sys/dispatch.h"

#include "libos/arch/x86_64/patch.h"
#include "libos/arch/x86_64/trap.h"
#include "libos/exec/args.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/sched/thread_impl.h"
#include "libos/sched/upcall.h"
#include "libos/sys/table.h"
#include "libos/sys/trace.h"

static long not_there(uint64_t nr)
{
	static uint64_t
		named[SYSCALL_TABLE_SIZE / 64 + 1]; /* the last bit: all numbers beyond the table */
	const char *name = nr < SYSCALL_TABLE_SIZE ? syscall_table[nr].name : NULL;
	uint64_t bit = nr < SYSCALL_TABLE_SIZE ? nr : SYSCALL_TABLE_SIZE;

	if (named[bit / 64] >> bit % 64 & 1)
		return -ENOSYS;
	named[bit / 64] |= 1ull << bit % 64;
	kprintf("system call %s (%lu) is not there: -ENOSYS", name ? name : "?", nr);
	return -ENOSYS;
}

static long call(uint64_t nr, const uint64_t a[6])
{
	if (nr >= SYSCALL_TABLE_SIZE || !syscall_table[nr].fn)
		return not_there(nr);
	return syscall_table[nr].fn(a);
}

int syscall_entry(struct regs *regs)
{
	const uint64_t a[6] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9};
	const uint64_t nr = regs->orig_rax, back = regs->rip;
	const uint64_t generation = patch_generation;
	uint64_t start = 0;
	bool full;
	long r;

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
