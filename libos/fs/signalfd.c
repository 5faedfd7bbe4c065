/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(2): pending signals of a set, read as records. The signals' own code keeps them; a file here is only the set. */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/epoll.h"

#define UNBLOCKABLE (sigbit(SIGKILL) | sigbit(SIGSTOP))

struct signalfd {
	uint64_t set;
};

static void fill(struct signalfd_siginfo *s, const struct siginfo *info)
{
	*s = (struct signalfd_siginfo){.ssi_signo = (uint32_t)info->signo,
		.ssi_errno = info->error,
		.ssi_code = info->code};
	if (info->code == SI_KERNEL)
		return;
	s->ssi_pid = (uint32_t)info->sender.pid;
	s->ssi_uid = info->sender.uid;
	s->ssi_ptr = info->sender.value;
	s->ssi_int = (int32_t)info->sender.value;
}

struct sleeper {
	struct poll_watch watch;
	struct waitq wait;
};

static bool sleeper_told(struct poll_watch *w, uint32_t events)
{
	return waitq_wake_all(&container_of(w, struct sleeper, watch)->wait);
}

/* Sleeps until some signal comes in. */
static int sleep(void)
{
	struct sleeper s = {.watch.notify = sleeper_told, .wait = WAITQ_INIT(s.wait)};
	int rc;

	poll_watch_add(signal_pollable(), &s.watch);
	rc = waitq_wait_restart(&s.wait);
	poll_watch_del(&s.watch);
	return rc;
}

static long signalfd_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct signalfd *sf = f->priv;
	struct signalfd_siginfo rec;
	struct siginfo info;
	long done = 0, rc;

	if (it->left < sizeof(rec))
		return -EINVAL;
	while (it->left >= sizeof(rec)) {
		if (!signal_dequeue(sf->set, &info)) {
			if (done)
				break;
			rc = nonblock ? -EAGAIN : sleep();
			if (rc < 0)
				return rc;
			continue;
		}
		fill(&rec, &info);
		if (iter_put(it, &rec, sizeof(rec)) != sizeof(rec))
			return done ? done : -EFAULT;
		done += (long)sizeof(rec);
	}
	return done;
}

static uint32_t signalfd_poll(struct file *f)
{
	return signal_pending_set() & ((struct signalfd *)f->priv)->set ? POLLIN : 0;
}

static struct pollable *signalfd_pollable(struct file *f)
{
	return signal_pollable();
}

static void signalfd_release(struct file *f)
{
	kfree(f->priv);
}

static const struct file_ops signalfd_ops = {
	.name = "signalfd",
	.seek = file_seek_stream,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.pollable = signalfd_pollable,
	.release = signalfd_release,
};

static long signalfd_create(uint64_t set, unsigned flags)
{
	struct signalfd *sf = kzalloc(sizeof(*sf));
	struct file *f;

	if (!sf)
		return -ENOMEM;
	sf->set = set;
	f = file_new(&signalfd_ops, O_RDWR | (flags & O_NONBLOCK), sf);
	if (!f) {
		kfree(sf);
		return -ENOMEM;
	}
	return fd_install_new(f, flags & O_CLOEXEC);
}

static long signalfd_user(int fd, uptr_t uset, uint64_t size, unsigned flags)
{
	struct file *f;
	uint64_t set;

	if (size != sizeof(set) || (flags & ~(O_NONBLOCK | O_CLOEXEC)))
		return -EINVAL;
	if (get_user(&set, uset) < 0)
		return -EFAULT;
	set &= ~UNBLOCKABLE;
	if (fd == -1)
		return signalfd_create(set, flags);
	f = fd_file(fd);
	if (!f)
		return -EBADF;
	if (f->ops != &signalfd_ops)
		return -EINVAL;
	((struct signalfd *)f->priv)->set = set;
	poll_notify(signal_pollable(), POLLIN);
	return fd;
}

long sys_signalfd(const uint64_t a[6])
{
	return signalfd_user((int)a[0], a[1], a[2], 0);
}

long sys_signalfd4(const uint64_t a[6])
{
	return signalfd_user((int)a[0], a[1], a[2], (unsigned)a[3]);
}
