/* SPDX-License-Identifier: Apache-2.0 */
/* arch_prctl and calls that only have to be refused in the right way. */
#include "abi/layout.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/klib/errno.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/pidfd.h"
#include "libos/sys/syscall.h"

#define ARCH_SET_GS    0x1001
#define ARCH_SET_FS    0x1002
#define ARCH_GET_FS    0x1003
#define ARCH_GET_GS    0x1004
#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012

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
	case ARCH_GET_CPUID: /* the instruction may be used; that can not be changed */
		return 1;
	case ARCH_SET_CPUID:
		return -ENODEV;
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
	if ((uint32_t)a[2] & ~WAIT_OPTIONS)
		return -EINVAL;
	return (int)a[0] == INT32_MIN ? -ESRCH : -ECHILD;
}

long sys_waitid(const uint64_t a[6])
{
	uint32_t options = (uint32_t)a[3];
	int kind = (int)a[0], id = (int)a[1];

	if (options & ~WAITID_OPTIONS || !(options & WAITID_KINDS))
		return -EINVAL;
	if (kind < P_ALL || kind > P_PIDFD || (kind == P_PID && id <= 0) || id < 0)
		return -EINVAL;
	return kind == P_PIDFD && !pidfd_is(id) ? -EBADF : -ECHILD;
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
