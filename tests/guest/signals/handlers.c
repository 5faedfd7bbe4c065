/* SPDX-License-Identifier: Apache-2.0 */
/* sigaction: what a handler is told, flags, masks, and what is refused. */
#include "tests/guest/guest.h"

static volatile int depth, calls;

static void tell(int signo, siginfo_t *info, void *context)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("  signal %d code %s pid %s value %d blocked %d context %s\n", signo,
		info->si_code == SI_USER            ? "SI_USER"
			: info->si_code == SI_TKILL ? "SI_TKILL"
			: info->si_code == SI_QUEUE ? "SI_QUEUE"
						    : "?",
		info->si_pid == getpid() ? "own" : "other",
		info->si_code == SI_QUEUE ? info->si_value.sival_int : 0, sigismember(&mask, signo),
		context ? "given" : "missing");
}

static void nest(int signo, siginfo_t *info, void *context)
{
	depth++;
	if (++calls < 3)
		raise(signo);
	say("  depth %d\n", depth);
	depth--;
}

static void count(int signo, siginfo_t *info, void *context)
{
	calls++;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN}, old;

	on_signal(SIGUSR1, tell, 0);
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(raise(SIGUSR1));
	SHOW(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77}));
	on_signal(SIGUSR1, tell, SA_NODEFER);
	SHOW(raise(SIGUSR1));
	calls = 0;
	on_signal(SIGUSR1, nest, SA_NODEFER);
	SHOW(raise(SIGUSR1));
	on_signal(SIGUSR1, nest, 0);
	calls = 0;
	SHOW(raise(SIGUSR1)); /* the nested one waits until the handler is done */
	SHOW(calls);
	on_signal(SIGUSR2, count, SA_RESETHAND);
	calls = 0;
	SHOW(raise(SIGUSR2));
	SHOW(calls);
	SHOW(sigaction(SIGUSR2, NULL, &old));
	ASK(old.sa_handler == SIG_DFL);
	SHOW(sigaction(SIGKILL, &sa, NULL));
	SHOW(sigaction(SIGSTOP, &sa, NULL));
	SHOW(sigaction(0, &sa, NULL));
	SHOW(sigaction(65, &sa, NULL));
	SHOW(sigaction(SIGKILL, NULL, &old));
	RAW(rt_sigaction, SIGUSR1, NULL, NULL, 4);
	SHOW(sigaction(SIGUSR2, &sa, NULL));
	SHOW(raise(SIGUSR2));
	SHOW(kill(getpid(), 0));
	SHOW(kill(getpid(), 65));
	SHOW(kill(999999, 0));
	SHOW(syscall(SYS_tgkill, getpid(), 999999, 0));
	SHOW(syscall(SYS_tgkill, -1, 1, 0));
	SHOW(raise(SIGCHLD)); /* ignored by default, as are these two */
	SHOW(raise(SIGURG));
	SHOW(raise(SIGWINCH));
	return 0;
}
