/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2): names, what is kept and given back, and the capabilities' part (sys_caps.c). */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

enum {
	PR_SET_PDEATHSIG = 1,
	PR_GET_PDEATHSIG = 2,
	PR_GET_DUMPABLE = 3,
	PR_SET_DUMPABLE = 4,
	PR_GET_KEEPCAPS = 7,
	PR_SET_KEEPCAPS = 8,
	PR_GET_TIMING = 13,
	PR_SET_TIMING = 14,
	PR_SET_NAME = 15,
	PR_GET_NAME = 16,
	PR_GET_SECCOMP = 21,
	PR_CAPBSET_READ = 23,
	PR_CAPBSET_DROP = 24,
	PR_GET_TSC = 25,
	PR_SET_TSC = 26,
	PR_GET_SECUREBITS = 27,
	PR_SET_SECUREBITS = 28,
	PR_SET_TIMERSLACK = 29,
	PR_GET_TIMERSLACK = 30,
	PR_TASK_PERF_EVENTS_DISABLE = 31,
	PR_TASK_PERF_EVENTS_ENABLE = 32,
	PR_SET_CHILD_SUBREAPER = 36,
	PR_GET_CHILD_SUBREAPER = 37,
	PR_SET_NO_NEW_PRIVS = 38,
	PR_GET_NO_NEW_PRIVS = 39,
	PR_GET_TID_ADDRESS = 40,
	PR_SET_THP_DISABLE = 41,
	PR_GET_THP_DISABLE = 42,
	PR_CAP_AMBIENT = 47,
};
#define TIMERSLACK_NS 50000
#define TSC_ENABLE    1
#define NSIG          64

/* What is kept for the process and has no effect: there is no parent that dies, no child, no core file. */
static struct {
	int death_signal, dumpable, subreaper, thp_disable;
	uint64_t timer_slack;
} kept = {.dumpable = 1, .timer_slack = TIMERSLACK_NS};

static long set_name(uptr_t from)
{
	char name[16];
	long n = strncpy_from_user(name, from, sizeof(name));

	if (n == -EFAULT)
		return n;
	name[sizeof(name) - 1] = 0;
	strlcpy(current_thread->comm, name, sizeof(current_thread->comm));
	return 0;
}

static long set_keep_caps(uint64_t on)
{
	if (on > 1)
		return -EINVAL;
	cred.caps.securebits &= ~SECBIT_KEEP_CAPS;
	cred.caps.securebits |= on ? SECBIT_KEEP_CAPS : 0;
	return 0;
}

/* One of `limit` values; the arguments behind it must be zero when `strict`. */
static long keep(int *value, const uint64_t a[6], uint64_t limit, bool strict)
{
	if (a[1] > limit || (strict && (a[2] || a[3] || a[4])))
		return -EINVAL;
	*value = (int)a[1];
	return 0;
}

static long get_strict(int value, const uint64_t a[6])
{
	return a[1] || a[2] || a[3] || a[4] ? -EINVAL : value;
}

static long prctl_caps(const uint64_t a[6])
{
	switch ((int)a[0]) {
	case PR_GET_KEEPCAPS:
		return !!(cred.caps.securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keep_caps(a[1]);
	case PR_CAPBSET_READ:
		return a[1] <= CAP_LAST ? (long)(cred.caps.bounding >> a[1] & 1) : -EINVAL;
	case PR_CAPBSET_DROP:
		return caps_bounding_drop(a[1]);
	case PR_GET_SECUREBITS:
		return cred.caps.securebits;
	case PR_SET_SECUREBITS:
		return caps_securebits(a[1]);
	case PR_CAP_AMBIENT:
		return caps_ambient(a);
	default:
		return -EINVAL;
	}
}

static long prctl_kept(const uint64_t a[6])
{
	static const int tsc = TSC_ENABLE;

	switch ((int)a[0]) {
	case PR_SET_PDEATHSIG:
		return keep(&kept.death_signal, a, NSIG, false);
	case PR_GET_PDEATHSIG:
		return put_user(a[1], &kept.death_signal);
	case PR_GET_DUMPABLE:
		return kept.dumpable;
	case PR_SET_DUMPABLE:
		return keep(&kept.dumpable, a, 1, false);
	case PR_GET_TIMERSLACK:
		return (long)kept.timer_slack;
	case PR_SET_TIMERSLACK:
		kept.timer_slack = a[1] && (int64_t)a[1] > 0 ? a[1] : TIMERSLACK_NS;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user(a[1], &kept.subreaper);
	case PR_SET_CHILD_SUBREAPER:
		kept.subreaper = a[1] != 0;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return get_strict(process.no_new_privs, a);
	case PR_SET_NO_NEW_PRIVS:
		return a[1] == 1 ? keep(&process.no_new_privs, a, 1, true) : -EINVAL;
	case PR_GET_THP_DISABLE:
		return get_strict(kept.thp_disable, a);
	case PR_SET_THP_DISABLE:
		if (a[2] || a[3] || a[4])
			return -EINVAL;
		kept.thp_disable = a[1] != 0;
		return 0;
	case PR_GET_TSC:
		return put_user(a[1], &tsc);
	case PR_SET_TSC: /* reading the clock can not be forbidden here */
		return a[1] == TSC_ENABLE ? 0 : -EINVAL;
	default:
		return prctl_caps(a);
	}
}

long sys_prctl(const uint64_t a[6])
{
	switch ((int)a[0]) {
	case PR_SET_NAME:
		return set_name(a[1]);
	case PR_GET_NAME:
		return put_user(a[1], &current_thread->comm);
	case PR_GET_TID_ADDRESS:
		return put_user(a[1], &current_thread->clear_child_tid);
	case PR_GET_TIMING: /* statistical, the only one */
	case PR_GET_SECCOMP:
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		return 0;
	case PR_SET_TIMING:
		return a[1] ? -EINVAL : 0;
	default:
		return prctl_kept(a);
	}
}
