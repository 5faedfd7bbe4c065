/* SPDX-License-Identifier: Apache-2.0 */
/* sigsuspend and pause: the mask while waiting, and EINTR with any handler. */
#include "tests/guest/guest.h"

#include <stdatomic.h>

static volatile int count;
static void handler(int signo, siginfo_t *info, void *context)
{
	count++;
}
static void *sender(void *arg)
{
	pthread_t target = *(pthread_t *)arg;

	sleep_ms(20);
	pthread_kill(target, SIGUSR2); /* blocked in sigsuspend */
	sleep_ms(20);
	pthread_kill(target, SIGUSR1);
	return NULL;
}
static atomic_bool over;

static void *sends_again(void *arg)
{
	while (!over) {
		sleep_ms(20);
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
	}
	return NULL;
}
int main(void)
{
	pthread_t self = pthread_self(), t;
	sigset_t set, old;

	on_signal(SIGUSR1, handler, SA_RESTART);
	on_signal(SIGUSR2, handler, SA_RESTART);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	t = start_thread(sender, &self);
	SHOW(sigsuspend(&set));
	say("count %d\n", count); /* both: USR2 is no longer blocked afterwards */
	pthread_join(t, NULL);
	NEED(sigprocmask(SIG_SETMASK, NULL, &old) == 0);
	say("USR1 %d USR2 %d\n", sigismember(&old, SIGUSR1), sigismember(&old, SIGUSR2));
	RAW(rt_sigsuspend, &set, 4);
	RAW(rt_sigsuspend, BAD_PTR, 8);
	sigemptyset(&set);
	NEED(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	t = start_thread(sends_again, &self);
	SHOW(pause());
	over = true;
	pthread_join(t, NULL);
	return 0;
}
