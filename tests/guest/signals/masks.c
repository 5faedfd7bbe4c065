/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking, pending, queues of real-time signals, waiting for signals. */
#include "tests/guest/guest.h"

static char order[64];

static void note(int signo, siginfo_t *info, void *context)
{
	size_t n = strlen(order);

	order[n] = (char)(signo == SIGUSR1 ? 'u'
			: signo == SIGUSR2 ? 'v'
					   : 'a' + info->si_value.sival_int);
}

int main(void)
{
	struct timespec none = {0, 0}, ms20 = {0, 20000000};
	sigset_t set, pending, empty, old;
	siginfo_t info;
	int64_t from;

	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	on_signal(SIGUSR1, note, 0);
	on_signal(SIGUSR2, note, 0);
	on_signal(SIGRTMIN, note, 0);
	SHOW(sigprocmask(SIG_BLOCK, &set, &old));
	ASK(!sigismember(&old, SIGUSR1));
	for (int i = 0; i < 3; i++) {
		NEED(raise(SIGUSR1) == 0);
		NEED(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
	}
	SHOW(sigpending(&pending));
	ASK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGRTMIN) &&
		!sigismember(&pending, SIGUSR2));
	say("before: \"%s\"\n", order);
	SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL));
	/* One SIGUSR1, three of SIGRTMIN in their order; the highest-numbered handler is entered last and runs first. */
	ASK(strlen(order) == 4 && strchr(order, 'u') && strstr(order, "abc"));
	SHOW(sigprocmask(SIG_SETMASK, &set, NULL));
	SHOW(sigprocmask(99, &set, NULL));
	SHOW(sigtimedwait(&set, &info, &none));
	from = now_ns();
	SHOW(sigtimedwait(&set, &info, &ms20));
	ASK(now_ns() - from >= 20000000);
	NEED(raise(SIGUSR2) == 0);
	SHOW(sigwaitinfo(&set, &info));
	ASK(info.si_signo == SIGUSR2);
	NEED(raise(SIGUSR2) == 0);
	memset(order, 0, sizeof(order));
	SHOW(sigsuspend(&empty));
	say("during sigsuspend: \"%s\"\n", order);
	SHOW(sigprocmask(SIG_SETMASK, NULL, &old));
	ASK(sigismember(&old, SIGUSR2));
	sigfillset(&set);
	SHOW(sigprocmask(SIG_SETMASK, &set, NULL));
	SHOW(sigprocmask(SIG_SETMASK, NULL, &old));
	ASK(!sigismember(&old, SIGKILL) && !sigismember(&old, SIGSTOP) &&
		sigismember(&old, SIGTERM));
	RAW(rt_sigprocmask, SIG_BLOCK, &set, NULL, 4);
	return 0;
}
