/* SPDX-License-Identifier: Apache-2.0 */
/* What is pending for a thread and for the process, and what sigprocmask refuses. */
#include "tests/guest/guest.h"

static void *other(void *arg)
{
	sigset_t set;

	NEED(sigpending(&set) == 0);
	say("other thread: USR1 %d USR2 %d\n", sigismember(&set, SIGUSR1),
		sigismember(&set, SIGUSR2));
	return NULL;
}
int main(void)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	SHOW(pthread_sigmask(SIG_BLOCK, &set, NULL));
	SHOW(pthread_kill(pthread_self(), SIGUSR1)); /* to the thread */
	SHOW(kill(getpid(), SIGUSR2));               /* to the process */
	pthread_join(start_thread(other, NULL), NULL);
	SHOW(sigpending(&pending));
	say("USR1 %d USR2 %d HUP %d\n", sigismember(&pending, SIGUSR1),
		sigismember(&pending, SIGUSR2), sigismember(&pending, SIGHUP));
	signal(SIGUSR1, SIG_IGN); /* throws away what is pending */
	SHOW(sigpending(&pending));
	say("USR1 %d USR2 %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2));
	RAW(rt_sigprocmask, 3, &set, NULL, 8);
	RAW(rt_sigprocmask, 3, NULL, NULL, 8);
	RAW(rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16);
	RAW(rt_sigpending, &pending, 16);
	RAW(rt_sigpending, &pending, 4);
	RAW(rt_sigpending, BAD_PTR, 8);
	return 0;
}
