/* SPDX-License-Identifier: Apache-2.0 */
/* flock(2): a lock on a whole file belongs to an open file description, and conflicts with those of others. */
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

static long flock_take(struct file *f, bool exclusive, bool nonblock)
{
	struct flock_lock *l = lock_of(f);
	int rc;

	if (l && l->exclusive == exclusive)
		return 0;
	flock_release(f); /* a conversion gives up the old lock first, as flock(2) says */
	while (conflicts(f, exclusive)) {
		if (nonblock)
			return -EAGAIN;
		rc = waitq_wait_restart(&waiters);
		if (rc < 0)
			return rc;
	}
	l = kmalloc(sizeof(*l));
	if (!l)
		return -ENOLCK;
	l->owner = f;
	l->exclusive = exclusive;
	list_add_tail(&f->inode->flocks, &l->link);
	return 0;
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
			flock_release(f);
		rc = 0;
		break;
	default:
		rc = -EINVAL;
	}
	file_put(f);
	return rc;
}
