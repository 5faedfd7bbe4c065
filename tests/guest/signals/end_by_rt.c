/* SPDX-License-Identifier: Apache-2.0 */
/* A real-time signal without a handler ends the program. */
#include "tests/guest/guest.h"

int main(void)
{
	say("before\n");
	raise(SIGRTMIN + 3);
	say("not reached\n");
	return 0;
}
