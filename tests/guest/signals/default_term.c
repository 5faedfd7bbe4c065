/* SPDX-License-Identifier: Apache-2.0 */
/* Ended by a signal that nobody handles. */
#include "tests/guest/guest.h"

int main(void)
{
	say("before\n");
	kill(getpid(), SIGTERM);
	say("never here\n");
	return 0;
}
