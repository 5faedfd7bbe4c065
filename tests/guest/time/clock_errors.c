/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that are known, and what is refused. */
#include "tests/guest/guest.h"

#define GET(id) SHOW_WITH(show_value, #id, clock_gettime(id, &ts))
#define RES(id) SHOW_WITH(show_value, "resolution of " #id, clock_getres(id, &ts))
int main(void)
{
	struct timespec ts;

	GET(CLOCK_REALTIME);
	GET(CLOCK_MONOTONIC);
	GET(CLOCK_MONOTONIC_RAW);
	GET(CLOCK_REALTIME_COARSE);
	GET(CLOCK_MONOTONIC_COARSE);
	GET(CLOCK_BOOTTIME);
	GET(CLOCK_TAI);
	GET(CLOCK_PROCESS_CPUTIME_ID);
	GET(CLOCK_THREAD_CPUTIME_ID);
	GET(10);
	GET(99);
	RES(CLOCK_REALTIME);
	say("%ld %ld\n", (long)ts.tv_sec, ts.tv_nsec);
	RES(CLOCK_MONOTONIC_COARSE);
	ASK(ts.tv_nsec >= 1000000);
	RES(CLOCK_THREAD_CPUTIME_ID);
	say("%ld\n", ts.tv_nsec);
	RES(99);
	RAW(clock_getres, CLOCK_REALTIME, NULL);
	RAW(clock_getres, CLOCK_REALTIME, BAD_PTR);
	RAW(clock_gettime, CLOCK_REALTIME, BAD_PTR);
	RAW(clock_gettime, 99, BAD_PTR);
	RAW(clock_settime, CLOCK_MONOTONIC, &ts);
	RAW(clock_settime, CLOCK_REALTIME, BAD_PTR);
	ts.tv_nsec = 1000000000;
	RAW(clock_settime, CLOCK_REALTIME, &ts);
	RAW(gettimeofday, NULL, NULL);
	RAW(gettimeofday, NULL, BAD_PTR);
	RAW(time, BAD_PTR);
	return 0;
}
