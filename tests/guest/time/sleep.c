/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping: never too short; absolute times; bad values. Threads that sleep together wake in order. */
#include "tests/guest/guest.h"

static int order[8], next;

static void *sleeper(void *arg)
{
	intptr_t n = (intptr_t)arg;

	sleep_ms(20 + 40 * (7 - n));
	order[__atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST)] = (int)n;
	return NULL;
}

int main(void)
{
	static const long ms[] = {0, 1, 3, 10, 30};
	struct timespec ts, bad[] = {{0, -1}, {0, 1000000000}, {-1, 0}};
	pthread_t thread[8];
	int64_t from;
	bool long_enough = true;

	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		ts = (struct timespec){0, ms[i] * 1000000};
		from = now_ns();
		NEED(nanosleep(&ts, NULL) == 0);
		long_enough = long_enough && now_ns() - from >= ms[i] * 1000000;
	}
	ASK(long_enough);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		SHOW(nanosleep(&bad[i], NULL));
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad[0], NULL));
	SHOW_ERR(clock_nanosleep(77, 0, &ts, NULL));
	SHOW_ERR(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL));
	NEED(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
	ts.tv_sec = 1;
	SHOW_ERR(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
	NEED(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	from = now_ns();
	SHOW_ERR(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
	ASK(now_ns() - from >= 19000000);
	for (intptr_t i = 0; i < 8; i++)
		thread[i] = start_thread(sleeper, (void *)i);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 8; i++)
		say("%d ", order[i]);
	say("\n");
	return 0;
}
