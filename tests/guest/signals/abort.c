/* SPDX-License-Identifier: Apache-2.0 */
/* abort() runs the handler and ends the program all the same. */
#include "tests/guest/guest.h"

static void handler(int signo, siginfo_t *info, void *context)
{
	say("SIGABRT handled\n");
}

int main(void)
{
	on_signal(SIGABRT, handler, 0);
	abort();
}
