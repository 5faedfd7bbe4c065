/* SPDX-License-Identifier: Apache-2.0 */
/* A handler whose stack can not be written does not run: SIGSEGV comes instead, to its handler on the ordinary stack. */
#include "tests/guest/guest.h"

static char alt[16 * PAGE] __attribute__((aligned(4096)));

static void on_usr(int signo, siginfo_t *info, void *context)
{
	say("SIGUSR1 on %s\n",
		(char *)&signo > alt && (char *)&signo < alt + sizeof(alt) ? "its stack"
									   : "the stack");
}

static void on_segv(int signo, siginfo_t *info, void *context)
{
	sigset_t now;

	NEED(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	say("SIGSEGV, code %s, %s SIGUSR1\n", info->si_code == SI_KERNEL ? "SI_KERNEL" : "another",
		sigismember(&now, SIGUSR1) ? "with" : "without");
}

int main(void)
{
	stack_t st = {.ss_sp = alt, .ss_size = sizeof(alt)};

	on_signal(SIGUSR1, on_usr, SA_ONSTACK);
	on_signal(SIGSEGV, on_segv, 0);
	NEED(sigaltstack(&st, NULL) == 0);
	SHOW(raise(SIGUSR1));
	NEED(mprotect(alt, sizeof(alt), PROT_READ) == 0);
	SHOW(raise(SIGUSR1));
	NEED(mprotect(alt, sizeof(alt), PROT_NONE) == 0);
	SHOW(raise(SIGUSR1));
	NEED(mprotect(alt, sizeof(alt), PROT_READ | PROT_WRITE) == 0);
	SHOW(raise(SIGUSR1));
	return 0;
}
