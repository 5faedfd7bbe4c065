/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to a process go to a thread that does not block them; masks are each thread's own. */
#include "tests/guest/guest.h"

static volatile pthread_t who;
static volatile int ready, stop;
static void handler(int signo, siginfo_t *info, void *context)
{
	who = pthread_self();
}
static void *open_thread(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	ready = 1;
	while (!stop)
		sleep_ms(1);
	return NULL;
}
int main(void)
{
	sigset_t set;
	pthread_t t;

	on_signal(SIGUSR1, handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	t = start_thread(open_thread, NULL);
	while (!ready)
		sleep_ms(1);
	for (int i = 0; i < 20; i++) {
		who = 0;
		NEED(kill(getpid(), SIGUSR1) == 0);
		while (!who)
			sleep_ms(1);
		NEED(who == t);
	}
	say("always the open thread\n");
	stop = 1;
	SHOW_ERR(pthread_join(t, NULL));
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(sigpending(&set));
	say("pending %d\n", sigismember(&set, SIGUSR1));
	return 0;
}
