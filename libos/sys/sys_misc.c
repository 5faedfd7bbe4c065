/* SPDX-License-Identifier: Apache-2.0 */
/* prctl, arch_prctl and calls that only have to be refused in the right way. */
#include "abi/layout.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/syscall.h"

#define PR_SET_PDEATHSIG       1
#define PR_GET_PDEATHSIG       2
#define PR_GET_DUMPABLE        3
#define PR_SET_DUMPABLE        4
#define PR_GET_KEEPCAPS        7
#define PR_SET_KEEPCAPS        8
#define PR_SET_NAME            15
#define PR_GET_NAME            16
#define PR_CAPBSET_READ        23
#define PR_GET_SECUREBITS      27
#define PR_SET_TIMERSLACK      29
#define PR_GET_TIMERSLACK      30
#define PR_SET_CHILD_SUBREAPER 36
#define PR_SET_NO_NEW_PRIVS    38
#define PR_GET_NO_NEW_PRIVS    39
#define PR_SET_THP_DISABLE     41
#define PR_GET_THP_DISABLE     42
#define PR_SET_VMA             0x53564d41
#define CAP_LAST               40u
#define TIMERSLACK_NS          50000

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

long sys_arch_prctl(const uint64_t a[6])
{
	uint64_t base;

	switch ((int)a[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (a[1] >= UIG_USER_TOP)
			return -EPERM;
		if ((int)a[0] == ARCH_SET_FS)
			cpu_set_fs_base(a[1]);
		else
			cpu_set_gs_base(a[1]);
		return 0;
	case ARCH_GET_FS:
		base = cpu_fs_base();
		return put_user(a[1], &base);
	case ARCH_GET_GS:
		base = cpu_gs_base();
		return put_user(a[1], &base);
	default:
		return -EINVAL;
	}
}

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

long sys_prctl(const uint64_t a[6])
{
	static int keep_caps, death_signal;
	static int dumpable = 1, no_new_privs;

	switch ((int)a[0]) {
	case PR_SET_NAME:
		return set_name(a[1]);
	case PR_GET_NAME:
		return put_user(a[1], &current_thread->comm);
	case PR_GET_DUMPABLE:
		return dumpable;
	case PR_SET_DUMPABLE:
		if (a[1] > 1)
			return -EINVAL;
		dumpable = (int)a[1];
		return 0;
	case PR_CAPBSET_READ:
		return a[1] <= CAP_LAST ? 1 : -EINVAL;
	case PR_SET_NO_NEW_PRIVS:
		if (a[1] != 1 || a[2] || a[3] || a[4])
			return -EINVAL;
		no_new_privs = 1;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return no_new_privs;
	case PR_GET_TIMERSLACK:
		return TIMERSLACK_NS;
	case PR_GET_SECUREBITS:
	case PR_GET_THP_DISABLE:
	case PR_SET_KEEPCAPS:
		if (a[1] > 1)
			return -EINVAL;
		keep_caps = (int)a[1];
		return 0;
	case PR_GET_KEEPCAPS:
		return keep_caps;
	case PR_SET_PDEATHSIG: /* the parent never ends before the program */
		if (a[1] > 64)
			return -EINVAL;
		death_signal = (int)a[1];
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user(a[1], &death_signal) ? -EFAULT : 0;
	case PR_SET_TIMERSLACK:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_THP_DISABLE:
		return 0; /* nothing here depends on them */
	default:
		return -EINVAL;
	}
}

/* No processes but this one: there is never a child. */
#define WAIT_OPTIONS   0xe000000bu /* WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE */
#define WAITID_OPTIONS 0xe100000fu /* and WEXITED, WNOWAIT */
#define WAITID_KINDS   0xeu        /* WSTOPPED, WEXITED, WCONTINUED: at least one */
#define P_ALL          0
#define P_PID          1
#define P_PGID         2
#define P_PIDFD        3

long sys_wait4(const uint64_t a[6])
{
	return (uint32_t)a[2] & ~WAIT_OPTIONS ? -EINVAL : -ECHILD;
}

long sys_waitid(const uint64_t a[6])
{
	uint32_t options = (uint32_t)a[3];
	int kind = (int)a[0], id = (int)a[1];

	if (options & ~WAITID_OPTIONS || !(options & WAITID_KINDS))
		return -EINVAL;
	if (kind == P_PIDFD)
		return -EBADF;
	if (kind < P_ALL || kind > P_PGID || (kind == P_PID && id <= 0) || id < 0)
		return -EINVAL;
	return -ECHILD;
}

/* glibc and others copy with registration refused; a half-working one would break sched_getcpu(). */
long sys_rseq(const uint64_t a[6])
{
	return -ENOSYS;
}

/* The kernel's own call for interrupted sleeps: ours are not continued that way. */
long sys_restart_syscall(const uint64_t a[6])
{
	return -EINTR;
}
