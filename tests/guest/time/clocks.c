/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks: they go forward, agree with each other, and refuse what they should. */
#include "tests/guest/guest.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

static int64_t ns(clockid_t id)
{
	struct timespec ts;

	NEED(clock_gettime(id, &ts) == 0 && ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int main(void)
{
	struct timespec ts;
	struct timeval tv;
	struct rusage usage;
	int64_t last = 0, cpu = ns(CLOCK_PROCESS_CPUTIME_ID),
		thread_cpu = ns(CLOCK_THREAD_CPUTIME_ID);
	bool forward = true;
	time_t t;

	for (int i = 0; i < 100000; i++) {
		int64_t now = ns(CLOCK_MONOTONIC);

		forward = forward && now >= last;
		last = now;
	}
	ASK(forward);
	ASK(ns(CLOCK_PROCESS_CPUTIME_ID) > cpu);
	ASK(ns(CLOCK_THREAD_CPUTIME_ID) > thread_cpu);
	ASK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
	ASK(ns(CLOCK_MONOTONIC_COARSE) <= ns(CLOCK_MONOTONIC));
	ASK(ns(CLOCK_REALTIME_COARSE) <= ns(CLOCK_REALTIME));
	ASK(ns(CLOCK_MONOTONIC) - ns(CLOCK_MONOTONIC_COARSE) < 1000000000);
	ASK(ns(CLOCK_REALTIME) > 1700000000ll * 1000000000);
	last = ns(CLOCK_MONOTONIC);
	ASK(ns(CLOCK_BOOTTIME) >= last - 1000000000);
	ASK(ns(CLOCK_MONOTONIC_RAW) > 0);
	last = ns(CLOCK_REALTIME);
	NEED(gettimeofday(&tv, NULL) == 0);
	t = time(NULL);
	ASK(tv.tv_sec * 1000000ll + tv.tv_usec >= last / 1000);
	ASK(t >= last / 1000000000 - 1 && t <= last / 1000000000 + 10);
	SHOW(clock_getres(CLOCK_MONOTONIC, &ts));
	say("%ld.%09ld\n", (long)ts.tv_sec, ts.tv_nsec);
	SHOW(clock_getres(CLOCK_MONOTONIC_COARSE, &ts));
	ASK(ts.tv_sec == 0 && ts.tv_nsec >= 1 && ts.tv_nsec <= 10000000);
	SHOW(clock_getres(CLOCK_REALTIME, NULL));
	SHOW(clock_gettime(77, &ts));
	SHOW(clock_getres(77, &ts));
	ASK(times(&(struct tms){0}) != (clock_t)-1);
	return 0;
}
