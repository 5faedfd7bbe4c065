/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping: never too short, for threads that sleep together as well; absolute times; bad values. */
#include "tests/guest/guest.h"

static bool slept[8];

/* The first one sleeps longest. Which of them runs first is not asked: that is the machine's other work as well. */
static void *sleeper(void *arg)
{
	intptr_t n = (intptr_t)arg;
	int ms = 5 + 5 * (int)(7 - n);
	int64_t from = now_ns();

	sleep_ms(ms);
	slept[n] = now_ns() - from >= ms * 1000000ll;
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
	from = now_ns();
	NEED(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	SHOW_ERR(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
	ASK(now_ns() - from >= 19000000);
	for (intptr_t i = 0; i < 8; i++)
		thread[i] = start_thread(sleeper, (void *)i);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 8; i++)
		say("%d ", slept[i]);
	say("\n");
	return 0;
}
