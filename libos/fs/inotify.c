/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7): descriptors and watches that are valid and never fire. Programs (node, libuv) make one for changes of configuration, which do
 * not happen in an image.
 */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"

#define IN_ALL_EVENTS  0xfffu
#define IN_ONLYDIR     0x01000000u
#define IN_DONT_FOLLOW 0x02000000u

struct inotify {
	int last; /* watch descriptor */
	struct pollable pollable;
};

static long inotify_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct waitq never = WAITQ_INIT(never);

	return nonblock ? -EAGAIN : waitq_wait_restart(&never);
}

static uint32_t inotify_poll(struct file *f)
{
	return 0;
}

static struct pollable *inotify_pollable(struct file *f)
{
	return &((struct inotify *)f->priv)->pollable;
}

static void inotify_release(struct file *f)
{
	kfree(f->priv);
}

static const struct file_ops inotify_ops = {
	.name = "inotify",
	.seek = file_seek_stream,
	.read = inotify_read,
	.poll = inotify_poll,
	.pollable = inotify_pollable,
	.release = inotify_release,
};

static long inotify_create(unsigned flags)
{
	struct inotify *in;
	struct file *f;

	if (flags & ~(O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	in = kzalloc(sizeof(*in));
	if (!in)
		return -ENOMEM;
	pollable_init(&in->pollable);
	f = file_new(&inotify_ops, O_RDONLY | (flags & O_NONBLOCK), in);
	if (!f) {
		kfree(in);
		return -ENOMEM;
	}
	return fd_install_new(f, flags & O_CLOEXEC);
}

long sys_inotify_init(const uint64_t a[6])
{
	return inotify_create(0);
}

long sys_inotify_init1(const uint64_t a[6])
{
	return inotify_create((unsigned)a[0]);
}

long sys_inotify_add_watch(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);
	unsigned mask = (unsigned)a[2];
	struct dentry *d;
	int rc;

	if (!f)
		return -EBADF;
	if (f->ops != &inotify_ops || !(mask & IN_ALL_EVENTS))
		return -EINVAL;
	rc = walk_user(AT_FDCWD, a[1],
		((mask & IN_DONT_FOLLOW) ? 0 : WALK_FOLLOW) |
			((mask & IN_ONLYDIR) ? WALK_DIRECTORY : 0),
		&d);
	if (rc < 0)
		return rc;
	dentry_put(d);
	return ++((struct inotify *)f->priv)->last;
}

long sys_inotify_rm_watch(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);
	int wd = (int)a[1];

	if (!f)
		return -EBADF;
	if (f->ops != &inotify_ops)
		return -EINVAL;
	return wd < 1 || wd > ((struct inotify *)f->priv)->last ? -EINVAL : 0;
}
