/* SPDX-License-Identifier: Apache-2.0 */
/* SIGKILL can be neither blocked nor handled. */
#include "tests/guest/guest.h"

int main(void)
{
	sigset_t set;

	sigfillset(&set);
	SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
	kill(getpid(), SIGKILL);
	say("not reached\n");
	return 0;
}
