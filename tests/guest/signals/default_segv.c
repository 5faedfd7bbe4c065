/* SPDX-License-Identifier: Apache-2.0 */
/* A fault that nobody handles ends the program, also with the signal blocked or ignored. */
#include "tests/guest/guest.h"

int main(void)
{
	volatile int *volatile address = BAD_PTR;
	sigset_t set;

	say("before\n");
	signal(SIGSEGV, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*address = 1;
	say("never here\n");
	return 0;
}
