/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to the own group and to a thread's number, and how many may wait. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

static volatile sig_atomic_t got;

static void note(int signo, siginfo_t *info, void *context)
{
	(void)context;
	got++;
	say("signal %d code %d, own pid and user: %s\n", signo - (signo >= SIGRTMIN ? SIGRTMIN : 0),
		info->si_code, info->si_pid == getpid() && info->si_uid == getuid() ? "yes" : "no");
}

static void *kill_by_number(void *arg)
{
	*(int *)arg = kill(gettid(), SIGUSR1);
	return NULL;
}

static void queue(void)
{
	struct rlimit limit = {0, 4096};
	union sigval v = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW(setrlimit(RLIMIT_SIGPENDING, &limit));
	SHOW(tgkill(getpid(), gettid(), SIGRTMIN));
	SHOW(sigqueue(getpid(), SIGRTMIN, v));
	SHOW(kill(getpid(), SIGRTMIN)); /* kill(2) is never refused */
	SHOW(sigpending(&set));
	ASK(sigismember(&set, SIGRTMIN));
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	pthread_t t;
	int rc = -1;

	sigaction(SIGUSR1, &act, NULL);
	setpgid(0, 0);
	SHOW(killpg(getpgrp(), 0));
	SHOW(killpg(getpgrp(), SIGUSR1));
	SHOW(kill(-getpgrp(), SIGUSR1));
	SHOW(killpg(getpgrp(), 65));
	pthread_create(&t, NULL, kill_by_number, &rc);
	pthread_join(t, NULL);
	say("kill() with a thread's number: %d\n", rc);
	say("handled %d\n", (int)got);
	queue();
	return 0;
}
