/* SPDX-License-Identifier: Apache-2.0 */
/* kill, tkill, tgkill: whom they reach, and what they refuse. */
#include "tests/guest/guest.h"

static volatile int count;
static void handler(int signo, siginfo_t *info, void *context)
{
	count++;
	say("  signal %s, code %d, from %s\n", signo == SIGUSR1 ? "USR1" : "other", info->si_code,
		info->si_pid == getpid() ? "me" : "another");
}
int main(void)
{
	int pid = getpid(), tid = (int)syscall(SYS_gettid);

	on_signal(SIGUSR1, handler, 0);
	SHOW(kill(pid, 0));
	SHOW(kill(0, 0));
	SHOW(kill(pid, 65));
	SHOW(kill(pid, -1));
	SHOW(kill(999999, 0));
	SHOW(kill(999999, SIGTERM));
	SHOW(kill(-999999, SIGTERM));
	SHOW(kill(INT32_MIN, SIGTERM));
	SHOW(kill(pid, SIGUSR1));
	RAW(tkill, tid, SIGUSR1);
	RAW(tkill, tid, 0);
	RAW(tkill, 0, SIGUSR1);
	RAW(tkill, -1, SIGUSR1);
	RAW(tkill, 999999, SIGUSR1);
	RAW(tkill, tid, 65);
	RAW(tgkill, pid, tid, SIGUSR1);
	RAW(tgkill, pid, 999999, SIGUSR1);
	RAW(tgkill, 999999, tid, SIGUSR1);
	RAW(tgkill, -1, tid, SIGUSR1);
	RAW(tgkill, pid, 0, SIGUSR1);
	RAW(tgkill, pid, tid, 99);
	SHOW(raise(0));
	say("%d\n", count);
	return 0;
}
