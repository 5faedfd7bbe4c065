/* SPDX-License-Identifier: Apache-2.0 */
/* timer_create: signals, overruns, reading and stopping. */
#include "tests/guest/guest.h"

static volatile int count, overrun;
static siginfo_t got;
static timer_t t;
static void handler(int signo, siginfo_t *info, void *context)
{
	int more = timer_getoverrun(t); /* of the signal that this is: the next one has its own */

	got = *info;
	overrun = more > overrun ? more : overrun;
	count++;
}
int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec it = {.it_value = {0, 5000000}}, now;
	sigset_t set;

	ev.sigev_value.sival_int = 99;
	on_signal(SIGUSR1, handler, 0);
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	SHOW(timer_gettime(t, &now));
	say("%ld %ld\n", (long)now.it_value.tv_sec, now.it_value.tv_nsec);
	SHOW(timer_settime(t, 0, &it, NULL));
	while (count == 0)
		sleep_ms(1);
	say("code %d value %d\n", got.si_code, got.si_value.sival_int);
	SHOW(timer_getoverrun(t));
	it.it_interval.tv_nsec = 2000000;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW(timer_settime(t, 0, &it, NULL));
	sleep_ms(40);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while (count < 2)
		sleep_ms(1);
	ASK(overrun >= 1);
	SHOW(timer_gettime(t, &now));
	ASK(now.it_interval.tv_nsec == 2000000 && now.it_value.tv_nsec <= 2000000);
	memset(&it, 0, sizeof(it));
	SHOW(timer_settime(t, 0, &it, &now));
	ASK(now.it_interval.tv_nsec == 2000000);
	count = 0;
	sleep_ms(10);
	say("after the stop: %d\n", count);
	SHOW(timer_delete(t));
	SHOW(timer_delete(t));
	return 0;
}
