/* SPDX-License-Identifier: Apache-2.0 */
/* A fault whose signal is ignored ends the program all the same. */
#include "tests/guest/guest.h"

int main(void)
{
	volatile char *volatile nothing = BAD_PTR;

	signal(SIGSEGV, SIG_IGN);
	SHOW(raise(SIGSEGV));
	*nothing = 1;
	say("not reached\n");
	return 0;
}
