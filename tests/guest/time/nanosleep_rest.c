/* SPDX-License-Identifier: Apache-2.0 */
/* nanosleep and clock_nanosleep: what is left after a signal, absolute times in the past, bad values. */
#include "tests/guest/guest.h"

#include <stdatomic.h>

static atomic_bool over; /* the sleep; until then it is interrupted again and again */

static void handler(int signo, siginfo_t *info, void *context) {}
static void *interrupt(void *arg)
{
	while (!over) {
		sleep_ms(30);
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
	}
	return NULL;
}
int main(void)
{
	struct timespec t = {100, 0}, left = {0, 0}, past = {0, 5}, bad = {0, 1000000000},
			neg = {-1, 0};
	pthread_t self = pthread_self(), other;

	on_signal(SIGUSR1, handler, SA_RESTART);
	other = start_thread(interrupt, &self);
	SHOW(nanosleep(&t, &left));
	ASK(left.tv_sec >= 50 && left.tv_sec < 100 && left.tv_nsec < 1000000000);
	over = true;
	pthread_join(other, NULL);
	over = false;
	other = start_thread(interrupt, &self);
	left.tv_sec = 5;
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &left));
	ASK(left.tv_sec >= 50 && left.tv_sec < 100);
	over = true;
	pthread_join(other, NULL);
	over = false;
	other = start_thread(interrupt, &self);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 100;
	left = (struct timespec){7, 7};
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &left));
	say("%ld %ld\n", (long)left.tv_sec, left.tv_nsec);
	over = true;
	pthread_join(other, NULL);
	over = false;
	SHOW_ERR(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
	SHOW(nanosleep(&bad, NULL));
	SHOW(nanosleep(&neg, NULL));
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &neg, NULL));
	SHOW_ERR(clock_nanosleep(77, 0, &past, NULL));
	SHOW_ERR(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL));
	RAW(nanosleep, BAD_PTR, NULL);
	RAW(clock_nanosleep, CLOCK_MONOTONIC, 0, BAD_PTR, NULL);
	return 0;
}
