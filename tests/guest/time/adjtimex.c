/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the state of the clock. */
#include "tests/guest/guest.h"

#include <sys/timex.h>

int main(void)
{
	struct timex t = {0};

	ASK(adjtimex(&t) >= 0);
	ASK(t.tick >= 9000 && t.tick <= 11000);
	RAW(adjtimex, BAD_PTR);
	memset(&t, 0, sizeof(t));
	ASK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &t) >= 0);
	RAW(clock_adjtime, 99, &t);
	return 0;
}
