/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks never go back and agree with each other. */
#include "tests/guest/guest.h"

#include <sys/time.h>

static int64_t get(clockid_t id)
{
	struct timespec ts;

	NEED(clock_gettime(id, &ts) == 0 && ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}
int main(void)
{
	clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
		CLOCK_BOOTTIME, CLOCK_REALTIME, CLOCK_REALTIME_COARSE};
	struct timeval tv;
	int64_t a, b;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		int back = 0;

		a = get(ids[i]);
		for (int n = 0; n < 2000; n++) {
			b = get(ids[i]);
			back += b < a;
			a = b;
		}
		say("clock %d: back %d\n", ids[i], back);
	}
	a = get(CLOCK_REALTIME);
	NEED(gettimeofday(&tv, NULL) == 0);
	b = get(CLOCK_REALTIME);
	ASK(tv.tv_sec * 1000000ll + tv.tv_usec >= a / 1000 &&
		tv.tv_sec * 1000000ll + tv.tv_usec <= b / 1000);
	ASK(time(NULL) >= a / 1000000000 - 1);
	b = get(CLOCK_MONOTONIC);
	ASK(get(CLOCK_BOOTTIME) >= b - 1000000);
	ASK(a > 1700000000ll * 1000000000);
	return 0;
}
