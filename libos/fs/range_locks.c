/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on ranges of a file: fcntl(2). An owner is the process (F_SETLK) or an open file description (F_OFD_SETLK); locks of one owner
 * never conflict, so those of the process meet only those of descriptions. In inode.ranges the locks of an owner stand
 * together, by their starts, do not overlap, and two of one type never touch: they are one. Ends are inclusive, as
 * a range may end at the largest offset.
 *
 * The locks of the process go with any close of the file, those of a description with its last.
 *
 * Files of a volume have locks outside too, which are taken behind those here and never last without them. One call at a time does that,
 * so that here and there things happen in the same order. Nobody tells when a lock out there is free: who waits asks again.
 */
#include "libos/fs/inode.h"
#include "libos/fs/locks.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"

#define OFFSET_MAX INT64_MAX
#define PROCESS_ID 1
#define ASK_AGAIN  (20 * NS_PER_SEC / 1000)

struct range_lock {
	struct list link;         /* in inode.ranges */
	const struct file *owner; /* not counted: ofd_release(); NULL: the process */
	int64_t start, last;
	int16_t type; /* F_RDLCK, F_WRLCK */
};

static struct waitq waiters = WAITQ_INIT(waiters);

/* ---- what the program gives and gets */
static int64_t base_of(const struct file *f, int whence)
{
	if (whence == SEEK_CUR)
		return (int64_t)f->pos;
	return whence == SEEK_END && f->inode ? (int64_t)f->inode->size : 0;
}

/* fcntl_locking(2): a negative length means the bytes in front of the start, 0 all up to the largest offset. */
static int range_of(const struct file *f, const struct flock *u, struct range_lock *l)
{
	int64_t start;

	if (u->l_whence < SEEK_SET || u->l_whence > SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(base_of(f, u->l_whence), u->l_start, &start))
		return -EOVERFLOW;
	if (start < 0 || (u->l_len < 0 && start + u->l_len < 0))
		return -EINVAL;
	l->last = OFFSET_MAX;
	if (u->l_len > 0 && __builtin_add_overflow(start, u->l_len - 1, &l->last))
		return -EOVERFLOW;
	if (u->l_len < 0) {
		l->last = start - 1;
		start += u->l_len;
	}
	l->start = start;
	if (u->l_type != F_RDLCK && u->l_type != F_WRLCK && u->l_type != F_UNLCK)
		return -EINVAL;
	l->type = u->l_type;
	return 0;
}

static void tell(struct flock *u, const struct range_lock *l)
{
	u->l_type = l->type;
	u->l_whence = SEEK_SET;
	u->l_start = l->start;
	u->l_len = l->last == OFFSET_MAX ? 0 : l->last - l->start + 1;
	u->l_pid = l->owner ? -1 : PROCESS_ID;
}

/* ---- the list of an inode */
static const struct range_lock *conflict(struct inode *inode, const struct range_lock *want)
{
	list_for_each (l, &inode->ranges, struct range_lock, link) {
		if (l->owner != want->owner && l->start <= want->last && want->start <= l->last &&
			(l->type == F_WRLCK || want->type == F_WRLCK))
			return l;
	}
	return NULL;
}

static void lock_free(struct range_lock *l)
{
	list_del(&l->link);
	kfree(l);
}

/* l has the same type as want: does it meet or touch it? */
static bool joins(const struct range_lock *l, const struct range_lock *want)
{
	return (want->last == OFFSET_MAX || l->start <= want->last + 1) &&
		(l->last == OFFSET_MAX || want->start <= l->last + 1);
}

/* Takes want's range out of a lock of another type. Where two parts are left, *spare is used up for the second, which comes behind
 * the lock that stands between them. */
static void cut(struct range_lock *l, const struct range_lock *want, struct list *between,
	struct range_lock **spare)
{
	if (l->start > want->last || want->start > l->last)
		return;
	if (l->start < want->start && l->last > want->last) {
		**spare = *l;
		(*spare)->start = want->last + 1;
		list_add_head(between ? between : &l->link, &(*spare)->link);
		*spare = NULL;
		l->last = want->start - 1;
	} else if (l->start < want->start) {
		l->last = want->start - 1;
	} else if (l->last > want->last) {
		l->start = want->last + 1;
	} else {
		lock_free(l);
	}
}

/* Where a lock of this owner and start stands: in front of the node that comes back. */
static struct list *place_of(struct inode *inode, const struct range_lock *want)
{
	struct list *after = &inode->ranges;

	list_for_each (l, &inode->ranges, struct range_lock, link) {
		if (l->owner != want->owner)
			continue;
		if (l->start >= want->start)
			return &l->link;
		after = l->link.next;
	}
	return after;
}

/* What the owner has elsewhere joins the new lock, or makes room for it. node: the new lock in the list; NULL: there is none. */
static void range_fit(struct inode *inode, struct range_lock *want, struct range_lock *node,
	struct range_lock **spare)
{
	list_for_each_safe (l, &inode->ranges, struct range_lock, link) {
		if (l->owner != want->owner || l == node)
			continue;
		if (l->type != want->type) {
			cut(l, want, node ? &node->link : NULL, spare);
		} else if (joins(l, want)) {
			want->start = l->start < want->start ? l->start : want->start;
			want->last = l->last > want->last ? l->last : want->last;
			lock_free(l);
		}
	}
	if (node) {
		node->start = want->start;
		node->last = want->last;
	}
}

/* Gives the owner this type on this range (F_UNLCK: none), whatever it had there. 0 or -ENOLCK. */
static int range_set(struct inode *inode, struct range_lock *want)
{
	struct range_lock *node = NULL, *spare = NULL;

	if (want->type != F_UNLCK || want->start || want->last != OFFSET_MAX) {
		spare = kmalloc(sizeof(*spare));
		node = want->type != F_UNLCK ? kmalloc(sizeof(*node)) : NULL;
		if (!spare || (want->type != F_UNLCK && !node)) {
			kfree(node);
			kfree(spare);
			return -ENOLCK;
		}
	}
	if (node) {
		*node = *want;
		list_add_before(place_of(inode, want), &node->link);
	}
	range_fit(inode, want, node, &spare);
	kfree(spare);
	if (want->type != F_WRLCK)
		waitq_wake_all(&waiters);
	return 0;
}

/* The same where others meet it. */
static int outer(struct file *f, const struct range_lock *want, bool test, struct outer_lock *l)
{
	static bool busy;
	static struct waitq turns = WAITQ_INIT(turns);
	int rc;

	*l = (struct outer_lock){.whose = want->owner ? LOCK_FILE : LOCK_PROCESS,
		.test = test,
		.type = want->type,
		.start = want->start,
		.last = want->last};
	if (!f->inode->ops->outer_lock)
		return 0;
	while (busy)
		waitq_wait_uninterruptible(&turns, TIME_FOREVER);
	busy = true;
	rc = f->inode->ops->outer_lock(f, l);
	busy = false;
	waitq_wake(&turns, 1);
	return rc;
}

static void release_all(struct inode *inode, const struct file *owner)
{
	bool any = false;

	list_for_each_safe (l, &inode->ranges, struct range_lock, link) {
		if (l->owner == owner) {
			lock_free(l);
			any = true;
		}
	}
	if (any && !owner && inode->ops->outer_unlock)
		inode->ops->outer_unlock(inode);
	if (any)
		waitq_wake_all(&waiters);
}

void ofd_release(struct file *f)
{
	release_all(f->inode, f);
}

void locks_closed(struct file *f)
{
	if (f->inode && !(f->flags & O_PATH))
		release_all(f->inode, NULL);
}

/* ---- fcntl */
/* Without an inode the file is a socket or the like, where nobody meets another's lock. */
static int lock_get(struct file *f, const struct range_lock *want, struct flock *u)
{
	const struct range_lock *l = f->inode ? conflict(f->inode, want) : NULL;
	struct range_lock there = {.owner = f}; /* somebody's, not the process's */
	struct outer_lock o;
	int rc = l || !f->inode ? 0 : outer(f, want, true, &o);

	if (rc == -EAGAIN) {
		there.type = o.type;
		there.start = o.start;
		there.last = o.last;
		l = &there;
	} else if (rc < 0) {
		return rc;
	}
	if (l)
		tell(u, l);
	else
		u->l_type = F_UNLCK;
	return 0;
}

/* 0, -EAGAIN (*outside: a lock out there is in the way), or another -errno. */
static int lock_try(struct file *f, const struct range_lock *want, bool *outside)
{
	struct range_lock set = *want;
	struct outer_lock o;
	int rc;

	*outside = false;
	if (want->type != F_UNLCK && conflict(f->inode, want))
		return -EAGAIN;
	rc = outer(f, want, false, &o);
	*outside = rc == -EAGAIN;
	if (rc < 0)
		return rc;
	rc = range_set(f->inode, &set);
	if (rc < 0) {
		set.type = F_UNLCK;
		outer(f, &set, false, &o);
	}
	return rc;
}

static long lock_set(struct file *f, const struct range_lock *want, bool wait)
{
	bool outside;
	int rc;

	if (!f->inode)
		return 0;
	for (;;) {
		rc = lock_try(f, want, &outside);
		if (rc != -EAGAIN || !wait)
			return rc;
		rc = waitq_wait(&waiters, outside ? clock_mono_ns() + ASK_AGAIN : TIME_FOREVER);
		if (rc == -EINTR)
			return -ERESTARTSYS;
	}
}

/* The same for a descriptor: who closed the file while this waited did not see the lock of the process that came then. */
static long lock_at(int fd, struct file *f, const struct range_lock *want, bool wait)
{
	long rc;

	file_get(f);
	rc = lock_set(f, want, wait);
	if (!rc && !want->owner && fd_file(fd) != f) {
		locks_closed(f);
		rc = -EBADF;
	}
	file_put(f);
	return rc;
}

/* A lock for reading needs a file that may be read, one for writing a file that may be written. */
static bool may_lock(const struct file *f, int type)
{
	unsigned acc = f->flags & O_ACCMODE;

	return !(type == F_RDLCK && acc == O_WRONLY) && !(type == F_WRLCK && acc == O_RDONLY);
}

long lock_fcntl(int fd, struct file *f, int cmd, uptr_t arg)
{
	bool get = cmd == F_GETLK || cmd == F_OFD_GETLK, ofd = cmd >= F_OFD_GETLK;
	struct range_lock want = {.owner = ofd ? f : NULL};
	struct flock u;
	long rc;

	if (get_user(&u, arg) < 0)
		return -EFAULT;
	if (get && u.l_type != F_RDLCK && u.l_type != F_WRLCK)
		return -EINVAL;
	rc = range_of(f, &u, &want);
	if (rc < 0)
		return rc;
	if (!get && !may_lock(f, want.type))
		return -EBADF;
	if (ofd && u.l_pid)
		return -EINVAL;
	if (!get)
		return lock_at(fd, f, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
	file_get(f);
	rc = lock_get(f, &want, &u);
	file_put(f);
	return rc < 0 ? rc : put_user(arg, &u);
}
