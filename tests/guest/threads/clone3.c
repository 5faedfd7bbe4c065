/* SPDX-License-Identifier: Apache-2.0 */
/* clone3: sizes and fields that are refused; a thread made by it. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"
#include <linux/sched.h>

static struct clone_args args;
static int tid_word = -1;
static char stack[65536] __attribute__((aligned(16)));
#define TRY(size) SHOW_WITH(show_ok, #size, syscall(SYS_clone3, &args, size))
int main(void)
{
	long r;

	TRY(0);
	TRY(63);
	TRY(100000);
	SHOW_OK(syscall(SYS_clone3, BAD_PTR, 64));
	args.flags = CLONE_SIGHAND;
	TRY(64);
	args.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
	args.exit_signal = SIGCHLD;
	TRY(64);
	args.exit_signal = 0;
	args.stack = (uintptr_t)stack;
	TRY(64); /* a stack without a size */
	args.stack = 0;
	args.stack_size = 4096;
	TRY(64); /* a size without a stack */
	args.stack = (uintptr_t)stack;
	args.stack_size = sizeof(stack);
	args.flags = 0xff | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
	TRY(64);
	args.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
	args.child_tid = (uintptr_t)&tid_word;
	/* The new thread only ends: it has no thread-local storage. */
	__asm__ volatile("syscall\n test %%eax, %%eax\n jnz 1f\n xor %%edi, %%edi\n mov $60, "
			 "%%eax\n syscall\n 1:"
			 : "=a"(r)
			 : "a"((long)SYS_clone3), "D"(&args), "S"(64ul)
			 : "rcx", "r11", "memory", "cc");
	ASK(r > 0);
	while (__atomic_load_n(&tid_word, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, &tid_word, FUTEX_WAIT, r, NULL, NULL, 0);
	say("it ended\n");
	return 0;
}
