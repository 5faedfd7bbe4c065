/* SPDX-License-Identifier: Apache-2.0 */
/* rt_sigaction: every number, sizes, pointers, unknown flags, SIGKILL in masks. */
#include "tests/guest/guest.h"

static void handler(int signo) {}
int main(void)
{
	struct sigaction sa = {.sa_handler = handler}, old;
	int set = 0, refused = 0;
	sigset_t m;

	for (int s = -1; s <= 70; s++) {
		struct {
			void *handler;
			unsigned long flags;
			void *restorer;
			unsigned long mask;
		} raw = {SIG_IGN, 0, NULL, 0};

		if (syscall(SYS_rt_sigaction, s, &raw, NULL, 8) == 0)
			set++;
		else
			refused++;
	}
	say("%d set, %d refused\n", set, refused);
	SHOW(sigaction(SIGKILL, NULL, &old));
	SHOW(sigaction(SIGKILL, &sa, NULL));
	SHOW(sigaction(SIGSTOP, &sa, NULL));
	RAW(rt_sigaction, SIGUSR1, NULL, NULL, 4);
	RAW(rt_sigaction, SIGUSR1, BAD_PTR, NULL, 8);
	RAW(rt_sigaction, SIGUSR1, NULL, BAD_PTR, 8);
	RAW(rt_sigaction, SIGUSR1, NULL, NULL, 8);
	SHOW(sigaction(SIGCHLD, NULL, &old));
	say("ignored %d\n", old.sa_handler == SIG_IGN);
	sigfillset(&m);
	SHOW(sigprocmask(SIG_SETMASK, &m, NULL));
	SHOW(sigprocmask(SIG_SETMASK, NULL, &m));
	say("%d %d %d\n", sigismember(&m, SIGKILL), sigismember(&m, SIGSTOP),
		sigismember(&m, SIGHUP));
	SHOW(sigprocmask(77, &m, NULL));
	SHOW(sigprocmask(77, NULL, &m));
	RAW(rt_sigprocmask, SIG_BLOCK, BAD_PTR, NULL, 8);
	RAW(rt_sigprocmask, SIG_BLOCK, NULL, BAD_PTR, 8);
	RAW(rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16);
	RAW(rt_sigpending, BAD_PTR, 8);
	RAW(rt_sigpending, &m, 9);
	return 0;
}
