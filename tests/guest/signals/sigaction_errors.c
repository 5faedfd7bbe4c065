/* SPDX-License-Identifier: Apache-2.0 */
/* What sigaction refuses, and what it keeps. */
#include "tests/guest/guest.h"

static void handler(int signo) {}
int main(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER}, old;

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaddset(&sa.sa_mask, SIGKILL);
	SHOW(sigaction(0, &sa, NULL));
	SHOW(sigaction(65, &sa, NULL));
	SHOW(sigaction(-1, &sa, NULL));
	SHOW(sigaction(SIGKILL, &sa, NULL));
	SHOW(sigaction(SIGSTOP, &sa, NULL));
	SHOW(sigaction(SIGKILL, NULL, &old));
	ASK(old.sa_handler == SIG_DFL);
	RAW(rt_sigaction, SIGUSR1, NULL, NULL, 8);
	RAW(rt_sigaction, SIGUSR1, NULL, NULL, 16);
	RAW(rt_sigaction, SIGUSR1, NULL, NULL, 0);
	SHOW(sigaction(SIGUSR1, &sa, NULL));
	SHOW(sigaction(SIGUSR1, NULL, &old));
	ASK(old.sa_handler == handler &&
		(old.sa_flags & (SA_RESTART | SA_NODEFER)) == (SA_RESTART | SA_NODEFER));
	ASK(sigismember(&old.sa_mask, SIGUSR2) == 1);
	SHOW(sigismember(&old.sa_mask, SIGKILL));
	sa.sa_handler = SIG_IGN;
	SHOW(sigaction(SIGUSR1, &sa, &old));
	ASK(old.sa_handler == handler);
	SHOW(raise(SIGUSR1));
	sa.sa_handler = SIG_DFL;
	SHOW(sigaction(SIGCHLD, &sa, NULL));
	SHOW(raise(SIGCHLD));
	SHOW(raise(SIGURG));
	SHOW(raise(SIGWINCH));
	SHOW(raise(SIGCONT));
	return 0;
}
