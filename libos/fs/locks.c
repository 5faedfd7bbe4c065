/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock(2): a lock on a whole file belongs to an open file description, and conflicts with those of others. On a volume it is one outside too
 * (range_locks.c says how that goes).
 */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"

struct flock_lock {
	struct list link;   /* in inode.flocks */
	struct file *owner; /* not counted: flock_release() */
	bool exclusive;
};

#define ASK_AGAIN (20 * NS_PER_SEC / 1000)

static struct waitq waiters = WAITQ_INIT(waiters);

static struct flock_lock *lock_of(struct file *f)
{
	list_for_each (l, &f->inode->flocks, struct flock_lock, link) {
		if (l->owner == f)
			return l;
	}
	return NULL;
}

static bool conflicts(struct file *f, bool exclusive)
{
	list_for_each (l, &f->inode->flocks, struct flock_lock, link) {
		if (l->owner != f && (exclusive || l->exclusive))
			return true;
	}
	return false;
}

void flock_release(struct file *f)
{
	struct flock_lock *l = lock_of(f);

	if (!l)
		return;
	list_del(&l->link);
	kfree(l);
	waitq_wake_all(&waiters);
}

static int outer(struct file *f, int16_t type)
{
	struct outer_lock l = {.whose = LOCK_WHOLE, .type = type};

	return f->inode->ops->outer_lock ? f->inode->ops->outer_lock(f, &l) : 0;
}

/* Until nobody has a lock that is in the way, here and outside. */
static int flock_wait(struct file *f, bool exclusive, bool nonblock)
{
	for (;;) {
		bool here = conflicts(f, exclusive);
		int rc = here ? -EAGAIN : outer(f, exclusive ? F_WRLCK : F_RDLCK);

		if (rc != -EAGAIN || nonblock)
			return rc;
		rc = waitq_wait(&waiters, here ? TIME_FOREVER : clock_mono_ns() + ASK_AGAIN);
		if (rc == -EINTR)
			return -ERESTARTSYS;
	}
}

static long flock_take(struct file *f, bool exclusive, bool nonblock)
{
	struct flock_lock *l = lock_of(f);
	int rc;

	if (l && l->exclusive == exclusive)
		return 0;
	if (l)
		outer(f, F_UNLCK);
	flock_release(f); /* a conversion gives up the old lock first, as flock(2) says */
	rc = flock_wait(f, exclusive, nonblock);
	if (rc < 0)
		return rc;
	l = kmalloc(sizeof(*l));
	if (!l) {
		outer(f, F_UNLCK);
		return -ENOLCK;
	}
	l->owner = f;
	l->exclusive = exclusive;
	list_add_tail(&f->inode->flocks, &l->link);
	return 0;
}

static void flock_drop(struct file *f)
{
	if (lock_of(f))
		outer(f, F_UNLCK);
	flock_release(f);
}

long sys_flock(const uint64_t a[6])
{
	struct file *f = fd_file_get((int)a[0]);
	unsigned op = (unsigned)a[1];
	long rc;

	if (!f)
		return -EBADF;
	switch (op & ~LOCK_NB) {
	case LOCK_SH:
	case LOCK_EX:
		rc = f->inode ? flock_take(f, (op & ~LOCK_NB) == LOCK_EX, op & LOCK_NB) : 0;
		break;
	case LOCK_UN:
		if (f->inode)
			flock_drop(f);
		rc = 0;
		break;
	default:
		rc = -EINVAL;
	}
	file_put(f);
	return rc;
}
