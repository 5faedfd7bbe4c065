/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute times of timers, in the past and in the future, and of the CPU clock. */
#include "tests/guest/guest.h"

static volatile int count;
static void handler(int signo, siginfo_t *info, void *context)
{
	count++;
}
static void at(clockid_t clock, long ms)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec it = {0};
	timer_t t;

	NEED(timer_create(clock, &ev, &t) == 0 && clock_gettime(clock, &it.it_value) == 0);
	it.it_value.tv_nsec += ms * 1000000;
	if (it.it_value.tv_nsec >= 1000000000) {
		it.it_value.tv_nsec -= 1000000000;
		it.it_value.tv_sec++;
	}
	if (ms < 0)
		it.it_value = (struct timespec){1, 0};
	count = 0;
	SHOW(timer_settime(t, TIMER_ABSTIME, &it, NULL));
	while (!count)
		;
	say("clock %d: came\n", clock);
	NEED(timer_delete(t) == 0);
}
int main(void)
{
	on_signal(SIGUSR1, handler, 0);
	at(CLOCK_MONOTONIC, -1);
	at(CLOCK_REALTIME, -1);
	at(CLOCK_MONOTONIC, 10);
	at(CLOCK_REALTIME, 10);
	at(CLOCK_BOOTTIME, 10);
	at(CLOCK_PROCESS_CPUTIME_ID, 10);
	at(CLOCK_THREAD_CPUTIME_ID, 10);
	return 0;
}
