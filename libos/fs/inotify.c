/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7). A watch belongs to a descriptor and holds the inode that it watches; the inode knows its watches. Events are queued at
 * the descriptor, one like the last one is dropped, and beyond QUEUE_MAX there is one IN_Q_OVERFLOW.
 */
#include "libos/fs/fd.h"
#include "libos/fs/notify.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"

#define IN_ALL_EVENTS  0xfffu
#define IN_Q_OVERFLOW  0x4000u
#define IN_IGNORED     0x8000u
#define IN_ONLYDIR     0x01000000u
#define IN_DONT_FOLLOW 0x02000000u
#define IN_EXCL_UNLINK 0x04000000u
#define IN_MASK_CREATE 0x10000000u
#define IN_MASK_ADD    0x20000000u
#define IN_ONESHOT     0x80000000u
#define IN_FLAGS       (IN_EXCL_UNLINK | IN_ONESHOT)
#define NAME_STEP      16u /* names are filled up with NULs to multiples of this */

static unsigned instances; /* of inotify_init, that are open */

struct inotify {
	int last; /* watch descriptor */
	unsigned queued, bytes;
	bool overflow; /* is in the queue */
	struct list events, watches;
	struct waitq readers;
	struct pollable pollable;
};

struct watch {
	struct list link;      /* in inotify.watches */
	struct watch *of_next; /* in inode.watches */
	struct inotify *owner;
	struct inode *inode; /* with a reference */
	int wd;
	uint32_t mask;
};

struct event_head { /* as the program reads it */
	int32_t wd;
	uint32_t mask, cookie, len;
};

struct event {
	struct list link;
	struct event_head head;
	char name[]; /* head.len bytes */
};

unsigned notify_watches;

uint32_t notify_cookie(void)
{
	static uint32_t last;

	return ++last;
}

/* ---- the queue */
static bool same_as_last(const struct inotify *in, const struct event_head *h, const char *name)
{
	const struct event *last;

	if (list_empty(&in->events))
		return false;
	last = container_of(in->events.prev, struct event, link);
	return !memcmp(&last->head, h, sizeof(*h)) && !memcmp(last->name, name, h->len);
}

static void queue(
	struct inotify *in, int wd, uint32_t mask, uint32_t cookie, const char *name, unsigned len)
{
	char padded[NAME_MAX + 1 + NAME_STEP] = "";
	struct event_head h = {wd, mask, cookie, 0};
	struct event *e;

	if (len) {
		memcpy(padded, name, len);
		h.len = (len + NAME_STEP) / NAME_STEP * NAME_STEP;
	}
	if (same_as_last(in, &h, padded) || in->overflow)
		return;
	if (in->queued >= (uint64_t)sysctl_value[SYSCTL_INOTIFY_EVENTS]) {
		h = (struct event_head){-1, IN_Q_OVERFLOW, 0, 0};
		in->overflow = true;
	}
	e = kmalloc(sizeof(*e) + h.len);
	if (!e)
		return;
	e->head = h;
	memcpy(e->name, padded, h.len);
	list_add_tail(&in->events, &e->link);
	in->queued++;
	in->bytes += (unsigned)sizeof(h) + h.len;
	waitq_wake_all(&in->readers);
	poll_notify(&in->pollable, POLLIN);
}

static void event_drop(struct inotify *in, struct event *e)
{
	list_del(&e->link);
	in->queued--;
	in->bytes -= (unsigned)sizeof(e->head) + e->head.len;
	if (e->head.mask & IN_Q_OVERFLOW)
		in->overflow = false;
	kfree(e);
}

/* ---- watches */
static void watch_drop(struct watch *w)
{
	struct watch **at = &w->inode->watches;

	while (*at != w)
		at = &(*at)->of_next;
	*at = w->of_next;
	list_del(&w->link);
	notify_watches--;
	inode_put(w->inode);
	kfree(w);
}

static void watch_ignored(struct watch *w)
{
	queue(w->owner, w->wd, IN_IGNORED, 0, NULL, 0);
	watch_drop(w);
}

/* Tells the watches of an inode; name NULL: it is about the inode itself. */
static void tell(struct inode *inode, uint32_t mask, uint32_t cookie, const char *name,
	unsigned len, bool unlinked)
{
	for (struct watch *w = inode->watches, *next; w; w = next) {
		next = w->of_next;
		if (!(w->mask & mask & IN_ALL_EVENTS) || (unlinked && (w->mask & IN_EXCL_UNLINK)))
			continue;
		queue(w->owner, w->wd, mask & (w->mask | IN_ISDIR), cookie, name, len);
		if (w->mask & IN_ONESHOT)
			watch_ignored(w);
	}
}

void notify_tell_name(
	struct inode *dir, const char *name, unsigned len, uint32_t mask, uint32_t cookie)
{
	tell(dir, mask, cookie, name, len, false);
}

void notify_tell_self(struct inode *inode, uint32_t mask)
{
	tell(inode, mask, 0, NULL, 0, false);
}

void notify_tell(struct dentry *d, uint32_t mask)
{
	bool unlinked = !(d->flags & D_HASHED) && d->parent != d;

	mask |= inode_is(d->inode, S_IFDIR) ? IN_ISDIR : 0;
	if (d->parent != d && d->parent->inode)
		tell(d->parent->inode, mask, 0, d->name, d->len, unlinked);
	tell(d->inode, mask, 0, NULL, 0, false);
}

void notify_tell_unlinked(struct dentry *d)
{
	uint32_t dir = inode_is(d->inode, S_IFDIR) ? IN_ISDIR : 0;

	if (!dir)
		tell(d->inode, IN_ATTRIB, 0, NULL, 0, false);
	if (d->refs == 1)
		notify_gone(d->inode);
	tell(d->parent->inode, IN_DELETE | dir, 0, d->name, d->len, false);
}

void notify_forget(struct inode *inode)
{
	inode_get(inode);
	tell(inode, IN_DELETE_SELF, 0, NULL, 0, false);
	while (inode->watches)
		watch_ignored(inode->watches);
	inode_put(inode);
}

/* ---- the descriptor */
static long inotify_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct inotify *in = f->priv;
	long done = 0;

	while (list_empty(&in->events)) {
		int rc = nonblock ? -EAGAIN : waitq_wait_restart(&in->readers);

		if (rc < 0)
			return rc;
	}
	while (!list_empty(&in->events)) {
		struct event *e = container_of(in->events.next, struct event, link);
		uint64_t n = sizeof(e->head) + e->head.len;
		long rc;

		if (it->left < n)
			return done ? done : -EINVAL;
		rc = iter_put(it, &e->head, n);
		if (rc < (long)n)
			return done ? done : -EFAULT;
		done += rc;
		event_drop(in, e);
	}
	return done;
}

static uint32_t inotify_poll(struct file *f)
{
	return list_empty(&((struct inotify *)f->priv)->events) ? 0 : POLLIN;
}

static struct pollable *inotify_pollable(struct file *f)
{
	return &((struct inotify *)f->priv)->pollable;
}

static long inotify_ioctl(struct file *f, unsigned cmd, uptr_t arg)
{
	int n = (int)((struct inotify *)f->priv)->bytes;

	return cmd == FIONREAD ? put_user(arg, &n) : -ENOTTY;
}

static void inotify_release(struct file *f)
{
	struct inotify *in = f->priv;

	while (!list_empty(&in->watches))
		watch_drop(container_of(in->watches.next, struct watch, link));
	while (!list_empty(&in->events))
		event_drop(in, container_of(in->events.next, struct event, link));
	instances--;
	kfree(in);
}

static const struct file_ops inotify_ops = {
	.name = "inotify",
	.seek = file_seek_stream,
	.read = inotify_read,
	.poll = inotify_poll,
	.pollable = inotify_pollable,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
};

void notify_each_watch(const struct file *f,
	void (*line)(void *arg, int wd, const struct inode *inode, uint32_t mask), void *arg)
{
	if (f->ops != &inotify_ops)
		return;
	list_for_each (w, &((struct inotify *)f->priv)->watches, struct watch, link)
		line(arg, w->wd, w->inode, w->mask);
}

static long inotify_create(unsigned flags)
{
	struct inotify *in;
	struct file *f;

	if (flags & ~(O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	if (instances >= (uint64_t)sysctl_value[SYSCTL_INOTIFY_INSTANCES])
		return -EMFILE;
	in = kzalloc(sizeof(*in));
	if (!in)
		return -ENOMEM;
	list_init(&in->events);
	list_init(&in->watches);
	waitq_init(&in->readers);
	pollable_init(&in->pollable);
	f = file_new(&inotify_ops, O_RDONLY | (flags & O_NONBLOCK), in);
	if (!f) {
		kfree(in);
		return -ENOMEM;
	}
	instances++;
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

static struct watch *watch_of(struct inotify *in, struct inode *inode)
{
	struct watch *w = inode->watches;

	while (w && w->owner != in)
		w = w->of_next;
	return w;
}

static long watch_new(struct inotify *in, struct inode *inode, uint32_t mask)
{
	struct watch *w;

	if (notify_watches >= (uint64_t)sysctl_value[SYSCTL_INOTIFY_WATCHES])
		return -ENOSPC;
	w = kzalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct watch){.of_next = inode->watches,
		.owner = in,
		.inode = inode_get(inode),
		.wd = ++in->last,
		.mask = mask};
	inode->watches = w;
	list_add_tail(&in->watches, &w->link);
	notify_watches++;
	return w->wd;
}

static long watch_set(struct inotify *in, struct inode *inode, uint32_t how)
{
	struct watch *w = watch_of(in, inode);
	uint32_t mask = how & (IN_ALL_EVENTS | IN_FLAGS);

	if (!w)
		return watch_new(in, inode, mask);
	if (how & IN_MASK_CREATE)
		return -EEXIST;
	w->mask = (how & IN_MASK_ADD) ? w->mask | mask : mask;
	return w->wd;
}

long sys_inotify_add_watch(const uint64_t a[6])
{
	struct file *f = fd_file_get((int)a[0]);
	uint32_t how = (uint32_t)a[2];
	struct dentry *d;
	long rc = -EINVAL;

	if (!f)
		return -EBADF;
	if (f->ops == &inotify_ops && (how & IN_ALL_EVENTS) &&
		(how & (IN_MASK_ADD | IN_MASK_CREATE)) != (IN_MASK_ADD | IN_MASK_CREATE)) {
		rc = walk_user(AT_FDCWD, a[1],
			((how & IN_DONT_FOLLOW) ? 0 : WALK_FOLLOW) |
				((how & IN_ONLYDIR) ? WALK_DIRECTORY : 0),
			&d);
		if (!rc) {
			rc = inode_may(d->inode, MAY_READ);
			if (!rc)
				rc = watch_set(f->priv, d->inode, how);
			dentry_put(d);
		}
	}
	file_put(f);
	return rc;
}

long sys_inotify_rm_watch(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);

	if (!f)
		return -EBADF;
	if (f->ops != &inotify_ops)
		return -EINVAL;
	list_for_each (w, &((struct inotify *)f->priv)->watches, struct watch, link) {
		if (w->wd == (int)a[1]) {
			watch_ignored(w);
			return 0;
		}
	}
	return -EINVAL;
}
