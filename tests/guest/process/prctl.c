/* SPDX-License-Identifier: Apache-2.0 */
/* prctl: what is kept, and what is refused. */
#include "tests/guest/guest.h"

#include <sys/prctl.h>

int main(void)
{
	int value = -1;

	SHOW(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0));
	SHOW(prctl(PR_GET_PDEATHSIG, &value, 0, 0, 0));
	say("%d\n", value);
	SHOW(prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0));
	SHOW(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_DUMPABLE, 7, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
	SHOW(prctl(PR_CAPBSET_READ, 99, 0, 0, 0));
	SHOW(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) > 0);
	SHOW(prctl(99999, 0, 0, 0, 0));
	return 0;
}
