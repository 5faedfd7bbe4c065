/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread made by clone itself: its number, where it is written, and the word cleared at its
 * end.
 */
#include "tests/guest/threads.h"

#include "tests/guest/futex.h"
#include <linux/sched.h>

static int parent_tid, child_tid = -1, seen_tid, arg_seen;
static int run(void *arg)
{
	seen_tid = (int)syscall(SYS_gettid);
	arg_seen = *(int *)arg;
	syscall(SYS_exit, 0);
	return 0;
}
int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	static char tls[4096] __attribute__((aligned(64)));
	int arg = 77, r,
	    flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
		CLONE_SETTLS;

	*(void **)(void *)tls = tls;
	r = clone(run, stack + sizeof(stack), flags, &arg, &parent_tid, tls, &child_tid);
	while (__atomic_load_n(&child_tid, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, &child_tid, FUTEX_WAIT, r, NULL, NULL, 0);
	ASK(r > 0 && r == parent_tid && r == seen_tid);
	say("%d %d\n", arg_seen, child_tid);
	until_gone(r);
	RAW(tkill, r, 0);
	return 0;
}
