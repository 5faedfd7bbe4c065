/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2): a counter that wakes. */
#include "libos/fs/aio.h"
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/epoll.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	uint64_t count;
	bool semaphore;
	struct waitq rd, wr;
	struct pollable pollable;
};

static long eventfd_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct eventfd *e = f->priv;
	uint64_t value;
	long rc;

	if (it->left < sizeof(value))
		return -EINVAL;
	while (!e->count) {
		rc = nonblock ? -EAGAIN : waitq_wait_restart(&e->rd);
		if (rc < 0)
			return rc;
	}
	value = e->semaphore ? 1 : e->count;
	e->count -= value;
	waitq_wake_all(&e->wr);
	poll_notify(&e->pollable, POLLOUT);
	rc = iter_put(it, &value, sizeof(value));
	return rc == (long)sizeof(value) ? rc : -EFAULT;
}

static long eventfd_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct eventfd *e = f->priv;
	uint64_t value;
	long rc;

	if (it->left < sizeof(value))
		return -EINVAL;
	if (iter_get(it, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	while (value > COUNT_MAX - e->count) {
		rc = nonblock ? -EAGAIN : waitq_wait_restart(&e->wr);
		if (rc < 0)
			return rc;
	}
	eventfd_add(f, value);
	return sizeof(value);
}

static uint32_t eventfd_poll(struct file *f)
{
	struct eventfd *e = f->priv;

	return (e->count ? POLLIN : 0) | (e->count < COUNT_MAX ? POLLOUT : 0);
}

static struct pollable *eventfd_pollable(struct file *f)
{
	return &((struct eventfd *)f->priv)->pollable;
}

static void eventfd_release(struct file *f)
{
	kfree(f->priv);
}

static const struct file_ops eventfd_ops = {
	.name = "eventfd",
	.seek = file_seek_stream,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.pollable = eventfd_pollable,
	.release = eventfd_release,
};

bool is_eventfd(const struct file *f)
{
	return f->ops == &eventfd_ops;
}

void eventfd_add(struct file *f, uint64_t n)
{
	struct eventfd *e = f->priv;

	e->count += n > COUNT_MAX - e->count ? COUNT_MAX - e->count : n;
	waitq_wake(&e->rd, e->semaphore && n < UINT32_MAX ? (unsigned)n : UINT32_MAX);
	poll_notify(&e->pollable, POLLIN);
}

static long eventfd_create(unsigned initial, unsigned flags)
{
	struct eventfd *e;
	struct file *f;

	if (flags & ~(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	e = kzalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->count = initial;
	e->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&e->rd);
	waitq_init(&e->wr);
	pollable_init(&e->pollable);
	f = file_new(&eventfd_ops, O_RDWR | (flags & O_NONBLOCK), e);
	if (!f) {
		kfree(e);
		return -ENOMEM;
	}
	return fd_install_new(f, flags & O_CLOEXEC);
}

long sys_eventfd(const uint64_t a[6])
{
	return eventfd_create((unsigned)a[0], 0);
}

long sys_eventfd2(const uint64_t a[6])
{
	return eventfd_create((unsigned)a[0], (unsigned)a[1]);
}
