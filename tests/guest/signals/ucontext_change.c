/* SPDX-License-Identifier: Apache-2.0 */
/* A handler changes registers, mask and where the program goes on. */
#include "tests/guest/guest.h"

#include <ucontext.h>

static int how;
static void handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	if (how == 0) {
		uc->uc_mcontext.gregs[REG_RIP] += 2; /* behind ud2 */
		uc->uc_mcontext.gregs[REG_RAX] = 12345;
	} else if (how == 1) {
		sigaddset(&uc->uc_sigmask, SIGUSR2);
	} else {
		uc->uc_mcontext.gregs[REG_EFL] |= 1 | 1 << 10; /* carry, direction */
	}
}
int main(void)
{
	unsigned long rax = 0, flags = 0;
	sigset_t set;

	on_signal(SIGILL, handler, 0);
	on_signal(SIGUSR1, handler, 0);
	__asm__ volatile("ud2" : "+a"(rax) : : "memory", "cc");
	say("rax %lu\n", rax);
	how = 1;
	SHOW(raise(SIGUSR1));
	NEED(sigprocmask(SIG_SETMASK, NULL, &set) == 0);
	say("USR2 blocked %d, USR1 blocked %d\n", sigismember(&set, SIGUSR2),
		sigismember(&set, SIGUSR1));
	how = 2;
	{
		register long r8 __asm__("r8") = 0;
		long nr = SYS_kill, pid = getpid(), signo = SIGUSR1;

		__asm__ volatile("clc\n cld\n syscall\n pushf\n pop %1\n cld"
				 : "+a"(nr), "=r"(flags)
				 : "D"(pid), "S"(signo), "r"(r8)
				 : "rcx", "r11", "memory", "cc");
	}
	say("carry %lu direction %lu\n", flags & 1, flags >> 10 & 1);
	return 0;
}
