/* SPDX-License-Identifier: Apache-2.0 */
/* A fault whose signal is blocked ends the program all the same. */
#include "tests/guest/guest.h"

static void handler(int signo, siginfo_t *info, void *context)
{
	say("must not run\n");
}
int main(void)
{
	volatile char *volatile nothing = BAD_PTR;
	sigset_t set;

	on_signal(SIGSEGV, handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
	SHOW(raise(SIGSEGV)); /* this one waits */
	*nothing = 1;
	say("not reached\n");
	return 0;
}
