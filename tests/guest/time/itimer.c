/* SPDX-License-Identifier: Apache-2.0 */
/* setitimer and alarm: SIGALRM once, repeatedly, cancelled, and what is left. */
#include "tests/guest/guest.h"

#include <sys/time.h>

static volatile int alarms;

static void count(int signo, siginfo_t *info, void *context)
{
	alarms++;
}

int main(void)
{
	struct itimerval it = {.it_value = {0, 10000}}, old;
	sigset_t set, empty;
	unsigned first, second, third;
	int64_t from;

	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	on_signal(SIGALRM, count, 0);
	from = now_ns();
	SHOW(setitimer(ITIMER_REAL, &it, NULL));
	SHOW(sigsuspend(&empty));
	ASK(now_ns() - from >= 10000000);
	SHOW(alarms);
	SHOW(getitimer(ITIMER_REAL, &old));
	/* Linux says 1 us while another processor is still at the timer that has just fired. */
	ASK(old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 1);
	it.it_interval.tv_usec = 5000;
	from = now_ns();
	SHOW(setitimer(ITIMER_REAL, &it, NULL));
	while (alarms < 5)
		sigsuspend(&empty);
	ASK(now_ns() - from >= 24000000);
	it = (struct itimerval){0};
	SHOW(setitimer(ITIMER_REAL, &it, &old));
	ASK(old.it_interval.tv_usec == 5000);
	/* Whole seconds, rounded: not when half a second was lost in between. */
	do {
		from = now_ns();
		first = alarm(100);
		second = alarm(50);
		third = alarm(0);
	} while (now_ns() - from > 400000000);
	say("%u %u %u\n", first, second, third);
	SHOW(alarm(0));
	it.it_value.tv_usec = 1000000;
	SHOW(setitimer(ITIMER_REAL, &it, NULL));
	SHOW(setitimer(77, &old, NULL));
	/* A loop that never enters the kernel is interrupted too. */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarms = 0;
	it.it_value.tv_usec = 5000;
	SHOW(setitimer(ITIMER_REAL, &it, NULL));
	while (!alarms)
		__builtin_ia32_pause();
	SHOW(alarms);
	return 0;
}
