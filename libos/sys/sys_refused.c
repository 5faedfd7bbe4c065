/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about the machine as a whole, which a program alone in its instance has nothing to do with, answered as Linux answers where the
 * machine is not the program's: reboot(2) as in a container, I/O ports as under lockdown, namespaces as in a kernel built without them.
 */
#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

#define REBOOT_MAGIC1   0xfee1deadu
#define REBOOT_RESTART  0x01234567u
#define REBOOT_HALT     0xcdef0123u
#define REBOOT_CAD_ON   0x89abcdefu
#define REBOOT_CAD_OFF  0u
#define REBOOT_OFF      0x4321fedcu
#define REBOOT_RESTART2 0xa1b2c3d4u

static bool is_magic2(uint32_t v)
{
	return v == 672274793 || v == 85072278 || v == 369367448 || v == 537993216;
}

/* An instance is one program: it ends as the first process of a container does (reboot(2), "Behavior inside PID namespaces"). */
long sys_reboot(const uint64_t a[6])
{
	if (!cred_has(CAP_SYS_BOOT))
		return -EPERM;
	if ((uint32_t)a[0] != REBOOT_MAGIC1 || !is_magic2((uint32_t)a[1]))
		return -EINVAL;
	switch ((uint32_t)a[2]) {
	case REBOOT_CAD_ON: /* nobody presses the keys */
	case REBOOT_CAD_OFF:
		return 0;
	case REBOOT_RESTART:
	case REBOOT_RESTART2:
		process_killed(SIGHUP);
		return 0;
	case REBOOT_HALT:
	case REBOOT_OFF:
		process_killed(SIGINT);
		return 0;
	default:
		return -EINVAL;
	}
}

#define IO_PORTS 65536

long sys_iopl(const uint64_t a[6])
{
	unsigned level = (unsigned)a[0];

	if (level > 3)
		return -EINVAL;
	return level ? -EPERM : 0;
}

long sys_ioperm(const uint64_t a[6])
{
	if (a[0] + a[1] <= a[0] || a[0] + a[1] > IO_PORTS)
		return -EINVAL;
	return (int)a[2] ? -EPERM : 0;
}

#define CLONE_VM        0x00000100ull
#define CLONE_FS        0x00000200ull
#define CLONE_FILES     0x00000400ull
#define CLONE_SIGHAND   0x00000800ull
#define CLONE_THREAD    0x00010000ull
#define CLONE_NEWNS     0x00020000ull
#define CLONE_SYSVSEM   0x00040000ull
#define CLONE_NEWCGROUP 0x02000000ull
#define CLONE_NEWUTS    0x04000000ull
#define CLONE_NEWIPC    0x08000000ull
#define CLONE_NEWUSER   0x10000000ull
#define CLONE_NEWPID    0x20000000ull
#define CLONE_NEWNET    0x40000000ull
#define CLONE_NEWTIME   0x00000080ull
#define UNSHARE_SINGLE  (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define UNSHARE_SHARED  (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)
#define UNSHARE_ALONE   (CLONE_NEWNS | CLONE_NEWUTS) /* nobody else sees the old one */
#define UNSHARE_NOT                                                                                \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |            \
		CLONE_NEWTIME)

/* What is shared with nobody is unshared already; what other threads share stays so. */
long sys_unshare(const uint64_t a[6])
{
	uint64_t flags = a[0];

	if (flags & ~(UNSHARE_SINGLE | UNSHARE_SHARED | UNSHARE_ALONE | UNSHARE_NOT))
		return -EINVAL;
	if (flags & (UNSHARE_SINGLE | UNSHARE_SHARED) && process.nthreads > 1)
		return -EINVAL;
	if (flags & (UNSHARE_ALONE | (UNSHARE_NOT & ~CLONE_NEWUSER)) && !cred_has(CAP_SYS_ADMIN))
		return -EPERM;
	return flags & UNSHARE_NOT ? -EINVAL : 0;
}

/* No file stands for a namespace. */
long sys_setns(const uint64_t a[6])
{
	return fd_file((int)a[0]) ? -EINVAL : -EBADF;
}
