/* SPDX-License-Identifier: Apache-2.0 */
/* Values sent with signals, their order, and the limits of rt_sigqueueinfo. */
#include "tests/guest/guest.h"

static int seen[16], n;
static void handler(int signo, siginfo_t *info, void *context)
{
	if (n < 16)
		seen[n++] = info->si_value.sival_int + (info->si_code == SI_QUEUE ? 0 : 1000);
}
int main(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	sigset_t set;
	int pid = getpid(), tid = (int)syscall(SYS_gettid);

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	on_signal(SIGRTMIN, handler, 0);
	on_signal(SIGRTMIN + 1, handler, 0);
	on_signal(SIGUSR1, handler, 0);
	SHOW(sigqueue(pid, SIGRTMIN, (union sigval){.sival_int = 7}));
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	for (int i = 0; i < 5; i++)
		NEED(sigqueue(pid, SIGRTMIN + (i & 1), (union sigval){.sival_int = i}) == 0);
	NEED(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	for (int i = 0; i < n; i++)
		say("%d ", seen[i]);
	say("\n");
	SHOW(sigqueue(pid, 65, (union sigval){0}));
	SHOW(sigqueue(pid, 0, (union sigval){0}));
	SHOW(sigqueue(999999, SIGUSR1, (union sigval){0}));
	SHOW(sigqueue(0, SIGUSR1, (union sigval){0}));
	RAW(rt_sigqueueinfo, pid, SIGUSR1, &info);
	RAW(rt_sigqueueinfo, pid, SIGUSR1, BAD_PTR);
	info.si_code = SI_USER; /* one may say anything to oneself */
	RAW(rt_sigqueueinfo, pid, SIGUSR1, &info);
	RAW(rt_tgsigqueueinfo, pid, tid, SIGUSR1, &info);
	info.si_code = SI_QUEUE;
	RAW(rt_tgsigqueueinfo, pid, tid, SIGUSR1, &info);
	RAW(rt_tgsigqueueinfo, pid, 0, SIGUSR1, &info);
	RAW(rt_tgsigqueueinfo, pid, 999999, SIGUSR1, &info);
	RAW(rt_tgsigqueueinfo, pid, tid, SIGUSR1, BAD_PTR);
	say("%d\n", n);
	return 0;
}
