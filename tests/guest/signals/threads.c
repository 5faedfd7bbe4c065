/* SPDX-License-Identifier: Apache-2.0 */
/* Which thread a signal goes to: the one named, or any that does not block it. */
#include "tests/guest/guest.h"

static __thread int me;
static volatile int handled_by, handled;
static int ready;

static void note(int signo, siginfo_t *info, void *context)
{
	handled_by = me;
	handled++;
}

static int p[2];

static void *thread(void *arg)
{
	sigset_t set;
	char c;

	me = (int)(intptr_t)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (me == 2)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (read(p[0], &c, 1) < 0 && errno == EINTR)
		;
	return NULL;
}

static void wait_for(int count)
{
	while (handled < count)
		sched_yield();
}

int main(void)
{
	pthread_t threads[3];
	sigset_t set;

	NEED(pipe(p) == 0);
	on_signal(SIGUSR1, note, 0);
	on_signal(SIGUSR2, note, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (intptr_t i = 0; i < 3; i++)
		threads[i] = start_thread(thread, (void *)(i + 1));
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 3)
		sched_yield();
	/* Only thread 2 takes SIGUSR1. */
	kill(getpid(), SIGUSR1);
	wait_for(1);
	say("SIGUSR1 to the process went to thread %d\n", handled_by);
	pthread_kill(threads[2], SIGUSR2);
	wait_for(2);
	say("SIGUSR2 to thread 3 went to thread %d\n", handled_by);
	pthread_kill(threads[0], SIGUSR2);
	wait_for(3);
	say("SIGUSR2 to thread 1 went to thread %d\n", handled_by);
	NEED(write(p[1], "xxx", 3) == 3);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
