/* SPDX-License-Identifier: Apache-2.0 */
/* A signal that has no stack to go to ends the program with SIGSEGV. */
#include "tests/guest/guest.h"

static void handler(int signo, siginfo_t *info, void *context)
{
	say("must not run\n");
}
int main(void)
{
	stack_t st = {.ss_sp = (char *)0x10000, .ss_size = 65536};

	on_signal(SIGUSR1, handler, SA_ONSTACK);
	SHOW(sigaltstack(&st, NULL));
	raise(SIGUSR1);
	say("not reached\n");
	return 0;
}
