/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll(7). An item watches one file under one descriptor number; it is found by a hash of the two, and it lives until EPOLL_CTL_DEL, the end of
 * the epoll file, or the last reference to the file (which is not the close of that descriptor, when it was dup'ed).
 *
 *   watching --notify--> ready list --epoll_wait, still true--> reported; level: back to the tail of the list (so all get their turn)
 *       ^                                                          |              edge: watching again
 *       +------------- not true any more ---------------------------+              one-shot: disarmed until EPOLL_CTL_MOD
 */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/ready.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/epoll.h"

#define EPOLL_EVENTS_MAX 0x0a000000u /* INT_MAX / sizeof(struct epoll_event) of Linux, about */
#define EPOLL_DEPTH      4u          /* of epoll files below another one (EP_MAX_NESTS) */
#define BUCKETS_FIRST    16u
#define PRIVATE_BITS     (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)

struct epoll {
	struct file *self;
	struct list ready; /* of epitem.ready */
	struct list items; /* of epitem.all */
	struct waitq wait;
	struct pollable pollable;
	struct epitem **bucket;
	unsigned nbuckets, nitems;
};

struct epitem {
	struct poll_watch watch;
	struct epoll *ep;
	struct file *file; /* not counted: epoll_forget() */
	int fd;
	uint32_t events; /* with PRIVATE_BITS; without any event: disarmed */
	uint64_t data;
	struct list ready;   /* in ep->ready, or alone */
	struct list all;     /* in ep->items */
	struct list of_file; /* in file->epitems */
	struct epitem *hash_next;
};

static const struct file_ops epoll_ops;

static unsigned item_hash(const struct epoll *ep, const struct file *f, int fd)
{
	return (unsigned)(((uintptr_t)f >> 5) + (unsigned)fd * 31u) & (ep->nbuckets - 1);
}

static struct epitem *item_find(struct epoll *ep, const struct file *f, int fd)
{
	struct epitem *it = ep->bucket[item_hash(ep, f, fd)];

	while (it && (it->file != f || it->fd != fd))
		it = it->hash_next;
	return it;
}

/* Best effort: longer chains without memory. */
static void hash_grow(struct epoll *ep)
{
	struct epitem **b = kzalloc(ep->nbuckets * 2 * sizeof(*b));

	if (!b)
		return;
	kfree(ep->bucket);
	ep->bucket = b;
	ep->nbuckets *= 2;
	list_for_each (it, &ep->items, struct epitem, all) {
		unsigned h = item_hash(ep, it->file, it->fd);

		it->hash_next = b[h];
		b[h] = it;
	}
}

static void hash_add(struct epoll *ep, struct epitem *it)
{
	unsigned h;

	if (ep->nitems >= ep->nbuckets)
		hash_grow(ep);
	h = item_hash(ep, it->file, it->fd);
	it->hash_next = ep->bucket[h];
	ep->bucket[h] = it;
	list_add_tail(&ep->items, &it->all);
	ep->nitems++;
}

static void item_free(struct epitem *it)
{
	struct epitem **b = &it->ep->bucket[item_hash(it->ep, it->file, it->fd)];

	while (*b != it)
		b = &(*b)->hash_next;
	*b = it->hash_next;
	it->ep->nitems--;
	poll_watch_del(&it->watch);
	list_del(&it->ready);
	list_del(&it->all);
	list_del(&it->of_file);
	kfree(it);
}

void epoll_forget(struct file *f)
{
	list_for_each_safe (it, &f->epitems, struct epitem, of_file)
		item_free(it);
}

/* Puts an item on the ready list and tells those who wait. True when a thread was woken. */
static bool item_ready(struct epitem *it)
{
	struct epoll *ep = it->ep;
	bool woke;

	if (list_empty(&it->ready))
		list_add_tail(&ep->ready, &it->ready);
	woke = waitq_wake(&ep->wait, 1);
	if (!list_empty(&ep->pollable.watchers)) {
		poll_notify(&ep->pollable, POLLIN);
		woke = true;
	}
	return woke;
}

static bool item_told(struct poll_watch *w, uint32_t events)
{
	struct epitem *it = container_of(w, struct epitem, watch);
	uint32_t wanted = it->events & ~PRIVATE_BITS;

	if (!wanted || !(events & (wanted | POLLERR | POLLHUP)))
		return false;
	return item_ready(it);
}

/* What the item would report now. */
static uint32_t item_events(const struct epitem *it)
{
	uint32_t wanted = it->events & ~PRIVATE_BITS;

	return wanted ? file_poll(it->file) & (wanted | POLLERR | POLLHUP) : 0;
}

/* ---- the epoll file */
static uint32_t epoll_poll(struct file *f)
{
	struct epoll *ep = f->priv;

	list_for_each_safe (it, &ep->ready, struct epitem, ready) {
		if (item_events(it))
			return POLLIN;
		list_del(&it->ready);
	}
	return 0;
}

static struct pollable *epoll_pollable(struct file *f)
{
	return &((struct epoll *)f->priv)->pollable;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->priv;

	list_for_each_safe (it, &ep->items, struct epitem, all)
		item_free(it);
	kfree(ep->bucket);
	kfree(ep);
}

static const struct file_ops epoll_ops = {
	.name = "eventpoll",
	.seek = file_seek_stream,
	.poll = epoll_poll,
	.pollable = epoll_pollable,
	.release = epoll_release,
};

static long epoll_create(unsigned flags)
{
	struct epoll *ep = kzalloc(sizeof(*ep));
	struct file *f;

	if (!ep)
		return -ENOMEM;
	ep->nbuckets = BUCKETS_FIRST;
	ep->bucket = kzalloc(BUCKETS_FIRST * sizeof(*ep->bucket));
	f = ep->bucket ? file_new(&epoll_ops, O_RDWR, ep) : NULL;
	if (!f) {
		kfree(ep->bucket);
		kfree(ep);
		return -ENOMEM;
	}
	ep->self = f;
	list_init(&ep->ready);
	list_init(&ep->items);
	waitq_init(&ep->wait);
	pollable_init(&ep->pollable);
	return fd_install_new(f, flags & O_CLOEXEC);
}

long sys_epoll_create(const uint64_t a[6])
{
	return (int)a[0] <= 0 ? -EINVAL : epoll_create(0);
}

long sys_epoll_create1(const uint64_t a[6])
{
	return ((unsigned)a[0] & ~O_CLOEXEC) ? -EINVAL : epoll_create((unsigned)a[0]);
}

/* ---- epoll_ctl */
/* Depth of nesting below ep; more than EPOLL_DEPTH when `ep` reaches `loop`. */
static unsigned nesting(struct epoll *ep, const struct epoll *loop, unsigned depth)
{
	unsigned deepest = depth;

	if (ep == loop || depth > EPOLL_DEPTH)
		return EPOLL_DEPTH + 1;
	list_for_each (it, &ep->items, struct epitem, all) {
		unsigned d;

		if (it->file->ops != &epoll_ops)
			continue;
		d = nesting(it->file->priv, loop, depth + 1);
		if (d > deepest)
			deepest = d;
	}
	return deepest;
}

/* The same upwards: epoll files that watch this one. */
static unsigned nesting_above(struct epoll *ep, unsigned depth)
{
	unsigned deepest = depth;

	if (depth > EPOLL_DEPTH)
		return depth;
	list_for_each (it, &ep->self->epitems, struct epitem, of_file) {
		unsigned d = nesting_above(it->ep, depth + 1);

		if (d > deepest)
			deepest = d;
	}
	return deepest;
}

static long ctl_add(struct epoll *ep, struct file *f, int fd, const struct epoll_event *ev)
{
	struct epitem *it;

	if (f->ops == &epoll_ops && nesting(f->priv, ep, 1) + nesting_above(ep, 0) > EPOLL_DEPTH)
		return -ELOOP;
	it = kzalloc(sizeof(*it));
	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->events = ev->events | POLLERR | POLLHUP;
	it->data = ev->data;
	it->watch.notify = item_told;
	it->watch.exclusive = ev->events & EPOLLEXCLUSIVE;
	list_init(&it->ready);
	list_init(&it->all);
	list_init(&it->watch.link);
	hash_add(ep, it);
	list_add_tail(&f->epitems, &it->of_file);
	poll_watch_add(f->ops->pollable(f), &it->watch);
	if (item_events(it))
		item_ready(it);
	return 0;
}

static long ctl_mod(struct epitem *it, const struct epoll_event *ev)
{
	if ((it->events | ev->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->events = ev->events | POLLERR | POLLHUP;
	it->data = ev->data;
	if (item_events(it))
		item_ready(it);
	return 0;
}

static long epoll_ctl(
	struct file *epf, int op, struct file *f, int fd, const struct epoll_event *ev)
{
	struct epoll *ep = epf->priv;
	struct epitem *it;

	if (!f->ops->pollable)
		return -EPERM;
	if (f == epf || epf->ops != &epoll_ops)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (ev->events & EPOLLEXCLUSIVE)) {
		if (op == EPOLL_CTL_MOD || f->ops == &epoll_ops)
			return -EINVAL;
		if (ev->events &
			~(POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET |
				EPOLLEXCLUSIVE))
			return -EINVAL;
	}
	it = item_find(ep, f, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		return it ? -EEXIST : ctl_add(ep, f, fd, ev);
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		item_free(it);
		return 0;
	case EPOLL_CTL_MOD:
		return it ? ctl_mod(it, ev) : -ENOENT;
	default:
		return -EINVAL;
	}
}

long sys_epoll_ctl(const uint64_t a[6])
{
	int op = (int)a[1], fd = (int)a[2];
	struct file *epf = fd_file((int)a[0]), *f = fd_file(fd);
	struct epoll_event ev = {0};

	if (op != EPOLL_CTL_DEL && get_user(&ev, a[3]) < 0)
		return -EFAULT;
	if (!epf || !f)
		return -EBADF;
	return epoll_ctl(epf, op, f, fd, &ev);
}

/* ---- epoll_wait */
/* Hands over at most max events. The items looked at are taken off the list first, so that none is seen twice. */
static long harvest(struct epoll *ep, uptr_t events, int max)
{
	struct list batch = LIST_INIT(batch);
	struct list *node;
	long n = 0;

	/* move all to the batch; what is not reached goes back to the front */
	while ((node = list_pop(&ep->ready)))
		list_add_tail(&batch, node);
	while (n < max && (node = list_pop(&batch))) {
		struct epitem *it = container_of(node, struct epitem, ready);
		struct epoll_event ev = {.events = item_events(it), .data = it->data};

		if (!ev.events)
			continue;
		if (put_user(events + (uint64_t)n * sizeof(ev), &ev) < 0) {
			list_add_head(&batch, node);
			n = n ? n : -EFAULT;
			break;
		}
		n++;
		if (it->events & EPOLLONESHOT)
			it->events &= PRIVATE_BITS;
		else if (!(it->events & EPOLLET))
			list_add_tail(&ep->ready, node);
	}
	while (!list_empty(&batch)) {
		node = batch.prev;
		list_del(node);
		list_add_head(&ep->ready, node);
	}
	return n;
}

static long epoll_wait(int epfd, uptr_t events, int max, uint64_t deadline)
{
	struct file *f;
	struct epoll *ep;
	long rc;

	thread_turn();
	f = fd_file_get(epfd);
	if (max <= 0 || (unsigned)max > EPOLL_EVENTS_MAX)
		rc = -EINVAL;
	else if (!f)
		rc = -EBADF;
	else
		rc = f->ops == &epoll_ops ? 0 : -EINVAL;
	if (rc < 0)
		goto out;
	ep = f->priv;
	for (;;) {
		rc = harvest(ep, events, max);
		if (rc || deadline <= clock_mono_ns())
			break;
		rc = waitq_wait(&ep->wait, deadline);
		if (rc == -EINTR) {
			long got = harvest(ep, events, max);

			rc = got ? got : rc;
			break;
		}
	}
	if (rc > 0 && !list_empty(&ep->ready)) /* more than one waits: the next gets the rest */
		waitq_wake(&ep->wait, 1);
out:
	if (f)
		file_put(f);
	return rc;
}

long sys_epoll_wait(const uint64_t a[6])
{
	return epoll_wait((int)a[0], a[1], (int)a[2], deadline_ms((int)a[3]));
}

long sys_epoll_pwait(const uint64_t a[6])
{
	long rc = signal_temp_mask(a[4], a[5]);

	return rc < 0 ? rc : epoll_wait((int)a[0], a[1], (int)a[2], deadline_ms((int)a[3]));
}

long sys_epoll_pwait2(const uint64_t a[6])
{
	uint64_t deadline = TIME_FOREVER;
	struct timespec t;
	long rc;

	if (a[3]) {
		if (get_user(&t, a[3]) < 0)
			return -EFAULT;
		if (deadline_timespec(&t, &deadline) < 0)
			return -EINVAL;
	}
	rc = signal_temp_mask(a[4], a[5]);
	return rc < 0 ? rc : epoll_wait((int)a[0], a[1], (int)a[2], deadline);
}
