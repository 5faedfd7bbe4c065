/* SPDX-License-Identifier: Apache-2.0 */
/* nanosleep and clock_nanosleep: what is refused; absolute times in the past. */
#include "tests/guest/guest.h"

#define CLOCKSLEEP(...)                                                                            \
	SHOW_WITH(show_err2, #__VA_ARGS__, syscall(SYS_clock_nanosleep, __VA_ARGS__))
static void show_err2(const char *call, long value, int error)
{
	show_value(call, value, error);
}
int main(void)
{
	struct timespec zero = {0, 0}, neg = {-1, 0}, bad = {0, 1000000000}, bad2 = {0, -1},
			past = {1, 0}, ms = {0, 5000000};
	int64_t from;

	RAW(nanosleep, &zero, NULL);
	RAW(nanosleep, &neg, NULL);
	RAW(nanosleep, &bad, NULL);
	RAW(nanosleep, &bad2, NULL);
	RAW(nanosleep, BAD_PTR, NULL);
	RAW(nanosleep, &zero, BAD_PTR);
	CLOCKSLEEP(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
	CLOCKSLEEP(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL);
	CLOCKSLEEP(CLOCK_BOOTTIME, 0, &ms, NULL);
	CLOCKSLEEP(CLOCK_MONOTONIC, 0, &bad, NULL);
	CLOCKSLEEP(CLOCK_MONOTONIC_RAW, 0, &ms, NULL);
	CLOCKSLEEP(CLOCK_MONOTONIC_COARSE, 0, &ms, NULL);
	CLOCKSLEEP(99, 0, &ms, NULL);
	CLOCKSLEEP(CLOCK_MONOTONIC, 0, BAD_PTR, NULL);
	from = now_ns();
	CLOCKSLEEP(CLOCK_REALTIME, 0, &ms, NULL);
	ASK(now_ns() - from >= 5000000);
	return 0;
}
