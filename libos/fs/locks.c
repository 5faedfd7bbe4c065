/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock(2), and record locks. There is one process, so its POSIX record locks never conflict: they are checked and granted, and
 * F_GETLK finds nothing. flock locks belong to open file descriptions and do conflict between two of them. Locks of open file descriptions on
 * ranges (OFD) are granted like the POSIX ones.
 */
#include "libos/fs/locks.h"

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

static int lock_check(struct file *f, const struct flock *l, bool get)
{
	unsigned acc = f->flags & O_ACCMODE;

	if (l->l_whence < SEEK_SET || l->l_whence > SEEK_END)
		return -EINVAL;
	if (l->l_type != F_RDLCK && l->l_type != F_WRLCK && (get || l->l_type != F_UNLCK))
		return -EINVAL;
	if (l->l_whence == SEEK_SET &&
		(l->l_start < 0 || (l->l_len < 0 && l->l_start + l->l_len < 0)))
		return -EINVAL;
	if (!get &&
		((l->l_type == F_RDLCK && acc == O_WRONLY) ||
			(l->l_type == F_WRLCK && acc == O_RDONLY)))
		return -EBADF;
	return 0;
}

long lock_fcntl(struct file *f, int cmd, uptr_t arg)
{
	bool get = cmd == F_GETLK || cmd == F_OFD_GETLK;
	struct flock l;
	int rc;

	if (get_user(&l, arg) < 0)
		return -EFAULT;
	if ((cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW) && l.l_pid)
		return -EINVAL;
	rc = lock_check(f, &l, get);
	if (rc < 0 || !get)
		return rc;
	l.l_type = F_UNLCK;
	return put_user(arg, &l);
}

/* ---- flock */
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
