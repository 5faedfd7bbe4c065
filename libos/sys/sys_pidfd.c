/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd_open(2) and its relatives. There is one process: a pidfd is always its own, and never becomes readable to somebody,
 * because nobody is left when it ends.
 */
#include "libos/sys/pidfd.h"

#include "libos/fs/fd.h"
#include "libos/fs/procfs.h"
#include "libos/klib/errno.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/fs.h"

#define PROCESS_ID 1

static uint32_t pidfd_poll(struct file *f)
{
	return 0;
}

static struct pollable *pidfd_pollable(struct file *f)
{
	static struct pollable nobody_tells;

	if (!nobody_tells.watchers.next)
		pollable_init(&nobody_tells);
	return &nobody_tells;
}

static const struct file_ops pidfd_ops = {
	.name = "pidfd",
	.poll = pidfd_poll,
	.pollable = pidfd_pollable,
};

bool pidfd_is(int fd)
{
	struct file *f = fd_file(fd);

	return f && f->ops == &pidfd_ops;
}

long sys_pidfd_open(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[1];
	int pid = (int)a[0];
	struct file *f;

	if (flags & ~O_NONBLOCK || pid <= 0)
		return -EINVAL;
	if (pid != PROCESS_ID) /* a thread is no process */
		return thread_exists(pid) ? -EINVAL : -ESRCH;
	f = file_new(&pidfd_ops, O_RDWR | flags, NULL);
	return f ? fd_install_new(f, true) : -ENOMEM;
}

long sys_pidfd_send_signal(const uint64_t a[6])
{
	struct siginfo info = {.signo = (int)a[1], .code = SI_USER, .sender = {.pid = PROCESS_ID}};
	int signo = (int)a[1];

	if ((unsigned)a[3])
		return -EINVAL;
	if (!pidfd_is((int)a[0]) && !proc_is_process(fd_file((int)a[0])))
		return -EBADF;
	if (a[2] && get_user(&info, a[2]) < 0)
		return -EFAULT;
	if (info.signo != signo || signo < 0 || signo > SIGNALS)
		return -EINVAL;
	if (signo)
		signal_send_process(&info);
	return 0;
}

/* Another number for a file of the process that a pidfd stands for: our own. */
long sys_pidfd_getfd(const uint64_t a[6])
{
	struct file *f;

	if ((unsigned)a[2])
		return -EINVAL;
	if (!pidfd_is((int)a[0]))
		return -EBADF;
	f = fd_file_any((int)a[1]);
	return f ? fd_install_new(file_get(f), true) : -EBADF;
}
