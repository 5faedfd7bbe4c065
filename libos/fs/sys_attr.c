/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing what a file says about itself (mode, owner, times), and access(2).
 */
#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

static int touch(struct inode *inode)
{
	return inode->ops->touch ? inode->ops->touch(inode) : -EPERM;
}

/* The inode of a descriptor, with a reference; for files that are in no file system, changes are accepted and forgotten. */
static int inode_of_fd(int fd, bool path_ok, struct inode **inode)
{
	struct file *f = path_ok ? fd_file_any(fd) : fd_file(fd);

	if (!f)
		return -EBADF;
	*inode = f->inode ? inode_get(f->inode) : NULL;
	return 0;
}

/* Where an open file has its name, or NULL. */
static struct dentry *fd_dentry(int fd)
{
	struct file *f = fd_file(fd);

	return f ? f->dentry : NULL;
}

static int walk_at(int dirfd, uptr_t path, unsigned flags, struct dentry **d)
{
	return walk_user(dirfd, path,
		((flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW) |
			((flags & AT_EMPTY_PATH) ? WALK_EMPTY : 0),
		d);
}

/* ---- mode */
static long chmod_inode(struct inode *inode, uint32_t mode)
{
	int rc;

	if (!inode)
		return 0;
	if (inode_is(inode, S_IFLNK))
		return -EOPNOTSUPP;
	if (!inode_mine(inode))
		return -EPERM;
	if (!may_be_setgid(inode))
		mode &= ~S_ISGID;
	if (inode->ops->setattr)
		return inode->ops->setattr(
			inode, &(struct iattr){.valid = ATTR_MODE, .mode = mode & S_PERM});
	rc = touch(inode);
	if (rc < 0)
		return rc;
	inode->mode = (inode->mode & S_IFMT) | (mode & S_PERM);
	inode_changed(inode);
	return 0;
}

static long chmod_path(int dirfd, uptr_t path, uint32_t mode, unsigned flags)
{
	struct dentry *d;
	long rc = walk_at(dirfd, path, flags, &d);

	if (rc < 0)
		return rc;
	rc = chmod_inode(d->inode, mode);
	if (!rc)
		notify(d, IN_ATTRIB);
	dentry_put(d);
	return rc;
}

long sys_chmod(const uint64_t a[6])
{
	return chmod_path(AT_FDCWD, a[0], (uint32_t)a[1], 0);
}

long sys_fchmodat(const uint64_t a[6])
{
	return chmod_path((int)a[0], a[1], (uint32_t)a[2], 0);
}

long sys_fchmodat2(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[3];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chmod_path((int)a[0], a[1], (uint32_t)a[2], flags);
}

long sys_fchmod(const uint64_t a[6])
{
	struct inode *inode;
	long rc = inode_of_fd((int)a[0], false, &inode);

	if (rc < 0)
		return rc;
	rc = chmod_inode(inode, (uint32_t)a[1]);
	if (!rc)
		notify(fd_dentry((int)a[0]), IN_ATTRIB);
	inode_put(inode);
	return rc;
}

/* ---- owner */
static long chown_inode(struct inode *inode, uint32_t uid, uint32_t gid)
{
	int rc;

	if (!inode)
		return 0;
	if (!may_chown(inode, uid, gid))
		return -EPERM;
	if (inode->ops->setattr)
		return inode->ops->setattr(inode,
			&(struct iattr){.valid = (uid != UINT32_MAX ? ATTR_UID : 0) |
					(gid != UINT32_MAX ? ATTR_GID : 0),
				.uid = uid,
				.gid = gid});
	rc = touch(inode);
	if (rc < 0)
		return rc;
	inode->owned = true;
	if (uid != UINT32_MAX)
		inode->uid = uid;
	if (gid != UINT32_MAX)
		inode->gid = gid;
	if (inode_is(inode,
		    S_IFREG)) { /* chown(2): for root too, where group execution makes S_ISGID mean something */
		inode->mode &= ~S_ISUID;
		if (inode->mode & 010)
			inode->mode &= ~S_ISGID;
	}
	inode_changed(inode);
	return 0;
}

static long chown_path(int dirfd, uptr_t path, uint32_t uid, uint32_t gid, unsigned flags)
{
	struct dentry *d;
	long rc = walk_at(dirfd, path, flags, &d);

	if (rc < 0)
		return rc;
	rc = chown_inode(d->inode, uid, gid);
	if (!rc)
		notify(d, IN_ATTRIB);
	dentry_put(d);
	return rc;
}

long sys_chown(const uint64_t a[6])
{
	return chown_path(AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2], 0);
}

long sys_lchown(const uint64_t a[6])
{
	return chown_path(AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2], AT_SYMLINK_NOFOLLOW);
}

long sys_fchownat(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[4];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_path((int)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3], flags);
}

long sys_fchown(const uint64_t a[6])
{
	struct inode *inode;
	long rc = inode_of_fd((int)a[0], false, &inode);

	if (rc < 0)
		return rc;
	rc = chown_inode(inode, (uint32_t)a[1], (uint32_t)a[2]);
	if (!rc)
		notify(fd_dentry((int)a[0]), IN_ATTRIB);
	inode_put(inode);
	return rc;
}

/* ---- times */
static int time_ns(const struct timespec *t, uint64_t *ns)
{
	if (t->tv_nsec == UTIME_OMIT)
		return 0;
	if (t->tv_nsec == UTIME_NOW) {
		*ns = clock_real_ns();
		return 0;
	}
	if (t->tv_nsec < 0 || t->tv_nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*ns = t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * NS_PER_SEC + (uint64_t)t->tv_nsec;
	return 0;
}

/* t NULL: both now. */
static long times_set(struct inode *inode, const struct timespec t[2])
{
	static const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	uint64_t atime, mtime;
	int rc;

	if (!inode)
		return 0;
	if (!t)
		t = now;
	if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
		return 0;
	/* Both to now: who may write it may do that too (utimensat(2)). */
	if (!inode_mine(inode)) {
		if (t[0].tv_nsec != UTIME_NOW || t[1].tv_nsec != UTIME_NOW)
			return -EPERM;
		if (inode_may(inode, MAY_WRITE) < 0)
			return -EACCES;
	}
	atime = inode->atime_ns;
	mtime = inode->mtime_ns;
	if (time_ns(&t[0], &atime) < 0 || time_ns(&t[1], &mtime) < 0)
		return -EINVAL;
	if (inode->ops->setattr)
		return inode->ops->setattr(inode,
			&(struct iattr){.valid = (t[0].tv_nsec != UTIME_OMIT ? ATTR_ATIME : 0) |
					(t[1].tv_nsec != UTIME_OMIT ? ATTR_MTIME : 0),
				.atime_ns = atime,
				.mtime_ns = mtime});
	rc = touch(inode);
	if (rc < 0)
		return rc;
	inode->atime_ns = atime;
	inode->mtime_ns = mtime;
	inode_changed(inode);
	return 0;
}

static long times_path(int dirfd, uptr_t path, const struct timespec *t, unsigned flags)
{
	struct inode *inode;
	struct dentry *d;
	long rc;

	if (!path) {
		if (flags)
			return -EINVAL;
		rc = inode_of_fd(dirfd, false, &inode);
		if (rc < 0)
			return rc;
		rc = times_set(inode, t);
		if (!rc)
			notify(fd_dentry(dirfd), IN_ATTRIB);
		inode_put(inode);
		return rc;
	}
	rc = walk_at(dirfd, path, flags, &d);
	if (rc < 0)
		return rc;
	rc = times_set(d->inode, t);
	if (!rc)
		notify(d, IN_ATTRIB);
	dentry_put(d);
	return rc;
}

long sys_utimensat(const uint64_t a[6])
{
	struct timespec t[2];
	unsigned flags = (unsigned)a[3];

	if (a[2] && copy_from_user(t, a[2], sizeof(t)) < 0)
		return -EFAULT;
	if (a[2] && t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
		return 0; /* without a look at the rest */
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return times_path((int)a[0], a[1], a[2] ? t : NULL, flags);
}

/* Microseconds. */
static long times_user_us(int dirfd, uptr_t path, uptr_t user)
{
	struct timeval v[2];
	struct timespec t[2];

	if (user && copy_from_user(v, user, sizeof(v)) < 0)
		return -EFAULT;
	for (int i = 0; user && i < 2; i++) {
		if (v[i].tv_usec < 0 || v[i].tv_usec >= 1000000)
			return -EINVAL;
		t[i] = (struct timespec){v[i].tv_sec, v[i].tv_usec * 1000};
	}
	if (!path && dirfd == AT_FDCWD)
		return -EFAULT;
	return times_path(dirfd, path, user ? t : NULL, 0);
}

long sys_utimes(const uint64_t a[6])
{
	return times_user_us(AT_FDCWD, a[0], a[1]);
}

long sys_futimesat(const uint64_t a[6])
{
	return times_user_us((int)a[0], a[1], a[2]);
}

long sys_utime(const uint64_t a[6])
{
	int64_t v[2];
	struct timespec t[2] = {0};

	if (a[1] && copy_from_user(v, a[1], sizeof(v)) < 0)
		return -EFAULT;
	for (int i = 0; a[1] && i < 2; i++)
		t[i].tv_sec = v[i];
	return a[0] ? times_path(AT_FDCWD, a[0], a[1] ? t : NULL, 0) : -EFAULT;
}

/* ---- access */
static long access_inode(struct inode *inode, unsigned mode, bool effective)
{
	if ((mode & MAY_WRITE) && inode->sb->read_only)
		return -EROFS;
	return effective ? inode_may(inode, mode) : inode_may_really(inode, mode);
}

static long access_path(int dirfd, uptr_t path, unsigned mode, unsigned flags)
{
	struct dentry *d;
	long rc;

	if ((mode & ~7u) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	rc = walk_user(dirfd, path,
		((flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW) |
			((flags & AT_EMPTY_PATH) ? WALK_EMPTY : 0) |
			((flags & AT_EACCESS) ? 0 : WALK_REAL),
		&d);
	if (rc < 0)
		return rc;
	rc = access_inode(d->inode, mode, flags & AT_EACCESS);
	dentry_put(d);
	return rc;
}

long sys_access(const uint64_t a[6])
{
	return access_path(AT_FDCWD, a[0], (unsigned)a[1], 0);
}

long sys_faccessat(const uint64_t a[6])
{
	return access_path((int)a[0], a[1], (unsigned)a[2], 0);
}

long sys_faccessat2(const uint64_t a[6])
{
	return access_path((int)a[0], a[1], (unsigned)a[2], (unsigned)a[3]);
}
