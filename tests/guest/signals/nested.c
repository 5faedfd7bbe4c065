/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers in handlers: masks, SA_NODEFER, SA_RESETHAND, and the order they end in. */
#include "tests/guest/guest.h"

static int depth, runs;
static void handler(int signo, siginfo_t *info, void *context)
{
	sigset_t set;
	const char *name = signo == SIGUSR1 ? "USR1" : signo == SIGUSR2 ? "USR2" : "HUP";

	NEED(sigprocmask(SIG_SETMASK, NULL, &set) == 0);
	say("%*s%s in, blocked:%s%s%s\n", depth * 2, "", name,
		sigismember(&set, SIGUSR1) ? " USR1" : "",
		sigismember(&set, SIGUSR2) ? " USR2" : "", sigismember(&set, SIGHUP) ? " HUP" : "");
	if (depth++ < 2 && runs++ < 5)
		raise(signo == SIGUSR1 ? SIGUSR2 : SIGUSR1);
	depth--;
	say("%*s%s out\n", depth * 2, "", name);
}
int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, old;

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGHUP);
	NEED(sigaction(SIGUSR1, &sa, NULL) == 0);
	sigemptyset(&sa.sa_mask);
	NEED(sigaction(SIGUSR2, &sa, NULL) == 0);
	SHOW(raise(SIGUSR1));
	runs = 0;
	sa.sa_flags |= SA_NODEFER;
	NEED(sigaction(SIGUSR1, &sa, NULL) == 0);
	SHOW(raise(SIGUSR1));
	sa.sa_flags = SA_SIGINFO | (int)SA_RESETHAND;
	depth = 9;
	NEED(sigaction(SIGHUP, &sa, NULL) == 0);
	SHOW(raise(SIGHUP));
	NEED(sigaction(SIGHUP, NULL, &old) == 0);
	ASK(old.sa_handler == SIG_DFL);
	raise(SIGHUP);
	say("not reached\n");
	return 0;
}
