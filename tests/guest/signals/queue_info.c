/* SPDX-License-Identifier: Apache-2.0 */
/* rt_sigqueueinfo and rt_tgsigqueueinfo: codes, fields, what is refused, the order of delivery. */
#include "tests/guest/guest.h"

static void put(siginfo_t *i, int code, int value)
{
	memset(i, 0, sizeof(*i));
	i->si_code = code;
	i->si_pid = 1234;
	i->si_uid = 77;
	i->si_value.sival_int = value;
}
int main(void)
{
	siginfo_t i, got;
	sigset_t set;
	struct timespec zero = {0, 0};
	long pid = getpid(), tid = syscall(SYS_gettid), rt = SIGRTMIN;

	sigfillset(&set);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	put(&i, SI_QUEUE, 5);
	RAW(rt_sigqueueinfo, pid, rt + 1, &i);
	put(&i, SI_MESGQ, 6);
	RAW(rt_sigqueueinfo, pid, rt, &i);
	put(&i, SI_QUEUE, 7);
	RAW(rt_tgsigqueueinfo, pid, tid, rt, &i);
	for (int n = 0; n < 3; n++) {
		SHOW(sigtimedwait(&set, &got, &zero) - rt);
		say("code %d pid %d uid %d value %d\n", got.si_code, got.si_pid, (int)got.si_uid,
			got.si_value.sival_int);
	}
	SHOW(sigtimedwait(&set, &got, &zero));
	RAW(rt_sigqueueinfo, pid, 0, &i);
	RAW(rt_sigqueueinfo, pid, 65, &i);
	RAW(rt_sigqueueinfo, pid, -1, &i);
	RAW(rt_sigqueueinfo, 999999, rt, &i);
	RAW(rt_sigqueueinfo, pid, rt, BAD_PTR);
	RAW(rt_tgsigqueueinfo, pid, 0, rt, &i);
	RAW(rt_tgsigqueueinfo, -1, tid, rt, &i);
	RAW(rt_tgsigqueueinfo, pid, 999999, rt, &i);
	SHOW(sigtimedwait(&set, &got, &zero));
	RAW(rt_sigtimedwait, &set, &got, BAD_PTR, 8);
	RAW(rt_sigtimedwait, BAD_PTR, &got, &zero, 8);
	RAW(rt_sigtimedwait, &set, &got, &zero, 4);
	return 0;
}
