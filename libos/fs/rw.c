/* SPDX-License-Identifier: Apache-2.0 */
/* read, write and their relatives: positions, vectors, limits, and the checks that Linux makes before a file type sees the call. */
#include "libos/fs/aio.h"
#include "libos/fs/inode.h"
#include "libos/fs/memfs.h"
#include "libos/fs/notify.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/limits.h"
#include "libos/sys/syscall.h"

#define POS_FILE ((int64_t)-1) /* use the file's own position */

/* The position belongs to one transfer at a time, where that may block in between. */
static struct waitq pos_waiters = WAITQ_INIT(pos_waiters);

static uint64_t pos_take(struct file *f)
{
	while (f->pos_taken)
		waitq_wait_uninterruptible(&pos_waiters, TIME_FOREVER);
	f->pos_taken = f->inode && inode_is(f->inode, S_IFREG);
	return f->pos;
}

static void pos_give(struct file *f, uint64_t pos)
{
	f->pos = pos;
	if (!f->pos_taken)
		return;
	f->pos_taken = false;
	waitq_wake_all(&pos_waiters);
}

/* Whether the call may name a position itself (pread). Other than lseek, which some streams take without an effect. */
static bool has_positions(const struct file *f)
{
	return f->ops->seek && f->ops->seek != file_seek_stream;
}

/* The result of a transfer, which is told to those who watch the file. */
static long told(struct file *f, bool write, long rc)
{
	if (rc >= 0 && !write)
		file_accessed(f);
	if (rc > 0)
		notify(f->dentry, write ? IN_MODIFY : IN_ACCESS);
	return rc;
}

/* RLIMIT_FSIZE: the limit is told by a signal, once nothing at all may be written. */
static int too_large(void)
{
	signal_thread_sync(SIGXFSZ);
	return -EFBIG;
}

int iter_limit(struct iter *it, uint64_t pos)
{
	uint64_t limit = rlimit_soft(RLIMIT_FSIZE);

	if (pos >= limit)
		return too_large();
	if (it->left > limit - pos)
		it->left = limit - pos;
	return 0;
}

int size_allowed(const struct inode *inode, uint64_t size)
{
	return size > inode->size && size > rlimit_soft(RLIMIT_FSIZE) ? too_large() : 0;
}

/* Streams, and files in memory: the host's are not known to be at hand. */
static bool can_nowait(const struct file *f)
{
	return !has_positions(f) || f->ops == &memfs_file_ops;
}

static long sync_written(struct file *f, unsigned how, long rc)
{
	int err = 0;

	if (rc > 0 && how & (RWF_DSYNC | RWF_SYNC) && f->ops->sync)
		err = f->ops->sync(f, !(how & RWF_SYNC));
	return err < 0 ? err : rc;
}

/* One transfer, checked: off POS_FILE or the position given by the call; how: RWF_. */
static long rw_iter(struct file *f, struct iter *it, bool write, int64_t off, unsigned how)
{
	bool nonblock = f->flags & O_NONBLOCK || how & RWF_NOWAIT;
	unsigned acc = f->flags & O_ACCMODE;
	uint64_t pos = off == POS_FILE ? f->pos : (uint64_t)off;
	long (*op)(struct file *, struct iter *, uint64_t *, bool) =
		write ? f->ops->write : f->ops->read;
	long rc;

	if (write ? acc == O_RDONLY : acc == O_WRONLY)
		return -EBADF;
	if (!op)
		return -EINVAL;
	if (it->left && (how & ~RWF_KNOWN || (how & RWF_NOWAIT && !can_nowait(f))))
		return -EOPNOTSUPP;
	it->append = how & RWF_APPEND;
	if (it->left > RW_MAX)
		it->left = RW_MAX;
	if (!f->ops->seek)
		return told(f, write, op(f, it, NULL, nonblock));
	if (off == POS_FILE)
		pos = pos_take(f);
	rc = op(f, it, &pos, nonblock);
	if (off == POS_FILE)
		pos_give(f, rc >= 0 ? pos : f->pos);
	return told(f, write, write ? sync_written(f, how, rc) : rc);
}

long file_transfer(struct file *f, struct iter *it, bool write, int64_t off, unsigned how)
{
	return rw_iter(f, it, write, off, how);
}

static long rw(int fd, uptr_t buf, uint64_t n, bool write, int64_t off, bool at)
{
	struct file *f = fd_file_get(fd);
	struct kiovec iov = {.base = buf, .len = n};
	struct iter it;
	long rc;

	if (!f)
		return -EBADF;
	iter_user(&it, &iov, 1, n);
	if (at && off < 0)
		rc = -EINVAL;
	else if (at && !has_positions(f))
		rc = -ESPIPE;
	else if ((int64_t)n < 0)
		rc = -EINVAL;
	else
		rc = rw_iter(f, &it, write, at ? off : POS_FILE, 0);
	file_put(f);
	return rc;
}

long sys_read(const uint64_t a[6])
{
	return rw((int)a[0], a[1], a[2], false, 0, false);
}

long sys_write(const uint64_t a[6])
{
	return rw((int)a[0], a[1], a[2], true, 0, false);
}

long sys_pread64(const uint64_t a[6])
{
	return rw((int)a[0], a[1], a[2], false, (int64_t)a[3], true);
}

long sys_pwrite64(const uint64_t a[6])
{
	return rw((int)a[0], a[1], a[2], true, (int64_t)a[3], true);
}

/* off: POS_FILE for the file's own position. */
static long rwv(int fd, uptr_t uiov, int count, bool write, int64_t off, unsigned how)
{
	struct kiovec fast[KIOV_FAST], *iov;
	struct file *f = fd_file_get(fd);
	struct iter it;
	long rc;

	if (!f)
		return -EBADF;
	if (off < POS_FILE)
		rc = -EINVAL;
	else if (off != POS_FILE && !has_positions(f))
		rc = -ESPIPE;
	else
		rc = iovec_from_user(fast, &iov, uiov, count);
	if (rc >= 0) {
		iter_user(&it, iov, count, (uint64_t)rc);
		rc = rw_iter(f, &it, write, off, how);
		iovec_free(fast, iov);
	}
	file_put(f);
	return rc;
}

long sys_readv(const uint64_t a[6])
{
	return rwv((int)a[0], a[1], (int)a[2], false, POS_FILE, 0);
}

long sys_writev(const uint64_t a[6])
{
	return rwv((int)a[0], a[1], (int)a[2], true, POS_FILE, 0);
}

/* Here -1 is no position, but wrong as all below 0 are. */
static long rwv_at(const uint64_t a[6], bool write)
{
	int64_t off = (int64_t)a[3];

	return rwv((int)a[0], a[1], (int)a[2], write, off == POS_FILE ? INT64_MIN : off, 0);
}

long sys_preadv(const uint64_t a[6])
{
	return rwv_at(a, false);
}

long sys_pwritev(const uint64_t a[6])
{
	return rwv_at(a, true);
}

long sys_preadv2(const uint64_t a[6])
{
	return rwv((int)a[0], a[1], (int)a[2], false, (int64_t)a[3], (unsigned)a[5]);
}

long sys_pwritev2(const uint64_t a[6])
{
	return rwv((int)a[0], a[1], (int)a[2], true, (int64_t)a[3], (unsigned)a[5]);
}

/* ---- positions and sizes */
long file_seek_size(struct file *f, int64_t off, int whence, uint64_t size)
{
	int64_t base = whence == SEEK_CUR ? (int64_t)f->pos
		: whence == SEEK_END      ? (int64_t)size
					  : 0;

	if (whence < SEEK_SET || whence > SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(base, off, &off) || off < 0)
		return -EINVAL;
	f->pos = (uint64_t)off;
	return off;
}

long file_seek_none(struct file *f, int64_t off, int whence)
{
	return 0;
}

long file_seek_stream(struct file *f, int64_t off, int whence)
{
	return 0;
}

long sys_lseek(const uint64_t a[6])
{
	struct file *f = fd_file_get((int)a[0]);
	int whence = (int)a[2];
	long rc;

	if (!f)
		return -EBADF;
	if (whence < SEEK_SET || whence > SEEK_HOLE)
		rc = -EINVAL;
	else
		rc = f->ops->seek ? f->ops->seek(f, (int64_t)a[1], whence) : -ESPIPE;
	file_put(f);
	return rc;
}

long sys_ftruncate(const uint64_t a[6])
{
	struct file *f;
	long rc = -EINVAL;

	if ((int64_t)a[1] < 0)
		return -EINVAL;
	f = fd_file_get((int)a[0]);
	if (!f)
		return -EBADF;
	if (f->ops->truncate && (f->flags & O_ACCMODE) != O_RDONLY) {
		rc = f->inode ? size_allowed(f->inode, a[1]) : 0;
		if (!rc)
			rc = f->ops->truncate(f, a[1]);
	}
	if (!rc)
		notify(f->dentry, IN_MODIFY);
	file_put(f);
	return rc;
}

long sys_truncate(const uint64_t a[6])
{
	struct dentry *d;
	int rc;

	if ((int64_t)a[1] < 0)
		return -EINVAL;
	rc = walk_user(AT_FDCWD, a[0], WALK_FOLLOW, &d);
	if (rc < 0)
		return rc;
	if (inode_is(d->inode, S_IFDIR))
		rc = -EISDIR;
	else if (!inode_is(d->inode, S_IFREG))
		rc = -EINVAL;
	else if ((rc = inode_may(d->inode, MAY_WRITE)) == 0 &&
		(rc = size_allowed(d->inode, a[1])) == 0)
		rc = vfs_truncate(d->inode, a[1]);
	if (!rc)
		notify(d, IN_MODIFY);
	dentry_put(d);
	return rc;
}

long sys_fallocate(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);
	unsigned mode = (unsigned)a[1];
	int64_t off = (int64_t)a[2], len = (int64_t)a[3];
	int rc;

	if (!f)
		return -EBADF;
	if (off < 0 || len <= 0)
		return -EINVAL;
	if (mode & ~0x7fu)
		return -EOPNOTSUPP;
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (!f->ops->seek && (!f->inode || inode_is(f->inode, S_IFIFO)))
		return -ESPIPE;
	if (!f->inode || !inode_is(f->inode, S_IFREG))
		return f->inode && inode_is(f->inode, S_IFDIR) ? -EISDIR : -ENODEV;
	if (off + (uint64_t)len > INT64_MAX)
		return -EFBIG;
	if (!f->inode->ops->fallocate)
		return -EOPNOTSUPP;
	rc = mode & FALLOC_FL_KEEP_SIZE ? 0 : size_allowed(f->inode, (uint64_t)off + (uint64_t)len);
	if (rc < 0)
		return rc;
	return f->inode->ops->fallocate(f->inode, mode, (uint64_t)off, (uint64_t)len);
}

/* ---- writing back: behind most files there is nothing, so it only has to be the right kind */
static long sync_fd(int fd, bool data_only)
{
	struct file *f = fd_file_get(fd);
	long rc;

	if (!f)
		return -EBADF;
	rc = f->ops->sync ? f->ops->sync(f, data_only) : -EINVAL;
	file_put(f);
	return rc;
}

long sys_fsync(const uint64_t a[6])
{
	return sync_fd((int)a[0], false);
}

long sys_fdatasync(const uint64_t a[6])
{
	return sync_fd((int)a[0], true);
}

/* Volumes: what mappings have written goes to the host; that all of it is on its disks can not be asked for. */
long sys_sync(const uint64_t a[6])
{
	vfs_sync_all(false);
	return 0;
}

long sys_syncfs(const uint64_t a[6])
{
	return fd_file((int)a[0]) ? vfs_sync_all(false) : -EBADF;
}

long sys_sync_file_range(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);

	if (!f)
		return -EBADF;
	if ((int64_t)a[1] < 0 || (int64_t)a[2] < 0 || ((unsigned)a[3] & ~7u))
		return -EINVAL;
	return f->inode && (inode_is(f->inode, S_IFREG) || inode_is(f->inode, S_IFDIR)) ? 0
											: -ESPIPE;
}

long sys_fadvise64(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);

	if (!f)
		return -EBADF;
	if (!f->ops->seek)
		return -ESPIPE;
	return (int64_t)a[2] < 0 || (int)a[3] < 0 || (int)a[3] > 5 ? -EINVAL : 0;
}

long sys_readahead(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);

	if (!f || (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	return f->inode && inode_is(f->inode, S_IFREG) ? 0 : -EINVAL;
}
