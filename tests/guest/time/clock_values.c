/* SPDX-License-Identifier: Apache-2.0 */
/* clock_gettime, clock_getres, gettimeofday, time: every clock, pointers, order of values. */
#include "tests/guest/guest.h"

#include <sys/time.h>

int main(void)
{
	struct timespec a, b;
	struct timeval v;

	for (int c = 0; c <= 12; c++) {
		int got, res;

		if (c == CLOCK_REALTIME_ALARM || c == CLOCK_BOOTTIME_ALARM)
			continue; /* only where a clock of the machine can wake it */
		got = clock_gettime(c, &a);
		res = clock_getres(c, &b);

		say("clock %d: %d %d", c, got, res);
		if (got == 0 && res == 0)
			say(" value %d resolution %d", a.tv_nsec >= 0 && a.tv_nsec < 1000000000,
				b.tv_sec == 0 && b.tv_nsec >= 1);
		say("\n");
	}
	SHOW(clock_gettime(-1, &a));
	SHOW(clock_getres(99, &a));
	SHOW(clock_getres(CLOCK_MONOTONIC, NULL));
	RAW(clock_gettime, CLOCK_MONOTONIC, BAD_PTR);
	RAW(clock_getres, CLOCK_MONOTONIC, BAD_PTR);
	RAW(gettimeofday, BAD_PTR, NULL);
	RAW(gettimeofday, NULL, NULL);
	RAW(time, BAD_PTR);
	clock_gettime(CLOCK_MONOTONIC, &a);
	clock_gettime(CLOCK_BOOTTIME, &b);
	ASK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	clock_gettime(CLOCK_REALTIME, &a);
	gettimeofday(&v, NULL);
	ASK(v.tv_sec > a.tv_sec || (v.tv_sec == a.tv_sec && v.tv_usec >= a.tv_nsec / 1000));
	clock_gettime(CLOCK_REALTIME_COARSE, &a);
	clock_gettime(CLOCK_REALTIME, &b);
	ASK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	ASK(time(NULL) >= a.tv_sec);
	return 0;
}
