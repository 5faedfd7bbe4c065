/* SPDX-License-Identifier: Apache-2.0 */
/* What files say about themselves: the stat family, statx, statfs. */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"

int vfs_fstat(struct file *f, struct kstat *st)
{
	if (f->ops->stat)
		return f->ops->stat(f, st);
	if (f->inode) {
		inode_stat(f->inode, st);
		return 0;
	}
	*st = (struct kstat){.dev = 14,
		.ino = 1,
		.mode = 0600,
		.nlink = 1,
		.blksize = PAGE_BYTES}; /* anon_inode */
	return 0;
}

static int stat_fd(int fd, struct kstat *st)
{
	struct file *f = fd_file_any(fd);
	int rc;

	if (!f)
		return -EBADF;
	file_get(f);
	rc = vfs_fstat(f, st);
	file_put(f);
	return rc;
}

/* A path below dirfd, or with AT_EMPTY_PATH and "" the descriptor itself. */
static int stat_path(int dirfd, uptr_t path, unsigned flags, struct kstat *st)
{
	struct dentry *d;
	char first;
	int rc;

	if (flags & AT_EMPTY_PATH) {
		if (path && get_user(&first, path) < 0)
			return -EFAULT;
		if ((!path || !first) && dirfd >= 0)
			return stat_fd(dirfd, st);
	}
	rc = walk_user(dirfd, path,
		((flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW) |
			((flags & AT_EMPTY_PATH) ? WALK_EMPTY : 0),
		&d);
	if (rc < 0)
		return rc;
	inode_stat(d->inode, st);
	dentry_put(d);
	return 0;
}

static long stat_put(uptr_t user, const struct kstat *k)
{
	struct stat st = {
		.st_dev = k->dev,
		.st_ino = k->ino,
		.st_nlink = k->nlink,
		.st_mode = k->mode,
		.st_uid = k->uid,
		.st_gid = k->gid,
		.st_rdev = k->rdev,
		.st_size = (int64_t)k->size,
		.st_blksize = (int64_t)k->blksize,
		.st_blocks = (int64_t)k->blocks,
		.st_atime = k->atime_ns / NS_PER_SEC,
		.st_atime_nsec = k->atime_ns % NS_PER_SEC,
		.st_mtime = k->mtime_ns / NS_PER_SEC,
		.st_mtime_nsec = k->mtime_ns % NS_PER_SEC,
		.st_ctime = k->ctime_ns / NS_PER_SEC,
		.st_ctime_nsec = k->ctime_ns % NS_PER_SEC,
	};

	return put_user(user, &st);
}

static long stat_user(int dirfd, uptr_t path, unsigned flags, uptr_t buf)
{
	struct kstat st;
	int rc = stat_path(dirfd, path, flags, &st);

	return rc < 0 ? rc : stat_put(buf, &st);
}

long sys_stat(const uint64_t a[6])
{
	return stat_user(AT_FDCWD, a[0], 0, a[1]);
}

long sys_lstat(const uint64_t a[6])
{
	return stat_user(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, a[1]);
}

long sys_fstat(const uint64_t a[6])
{
	struct kstat st;
	int rc = stat_fd((int)a[0], &st);

	return rc < 0 ? rc : stat_put(a[1], &st);
}

long sys_newfstatat(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[3];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return stat_user((int)a[0], a[1], flags, a[2]);
}

static struct statx_timestamp stamp(uint64_t ns)
{
	return (struct statx_timestamp){
		.tv_sec = (int64_t)(ns / NS_PER_SEC), .tv_nsec = (uint32_t)(ns % NS_PER_SEC)};
}

long sys_statx(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[2], mask = (unsigned)a[3];
	struct statx x = {.stx_mask = STATX_BASIC_STATS};
	struct kstat k;
	int rc;

	if (mask & STATX_RESERVED)
		return -EINVAL;
	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC)) ||
		(flags & AT_STATX_SYNC) == AT_STATX_SYNC)
		return -EINVAL;
	rc = stat_path((int)a[0], a[1], flags, &k);
	if (rc < 0)
		return rc;
	x.stx_blksize = (uint32_t)k.blksize;
	x.stx_nlink = k.nlink;
	x.stx_uid = k.uid;
	x.stx_gid = k.gid;
	x.stx_mode = (uint16_t)k.mode;
	x.stx_ino = k.ino;
	x.stx_size = k.size;
	x.stx_blocks = k.blocks;
	x.stx_atime = stamp(k.atime_ns);
	x.stx_mtime = stamp(k.mtime_ns);
	x.stx_ctime = stamp(k.ctime_ns);
	if (mask & STATX_BTIME && k.btime_ns) {
		x.stx_mask |= STATX_BTIME;
		x.stx_btime = stamp(k.btime_ns);
	}
	x.stx_rdev_major = dev_major(k.rdev);
	x.stx_rdev_minor = dev_minor(k.rdev);
	x.stx_dev_major = dev_major(k.dev);
	x.stx_dev_minor = dev_minor(k.dev);
	return put_user(a[4], &x);
}

static long statfs_put(uptr_t user, struct super *sb)
{
	struct statfs st = {
		.f_type = sb ? (int64_t)sb->magic : 0x09041934, /* anon_inode */
		.f_bsize = (int64_t)PAGE_BYTES,
		.f_namelen = NAME_MAX,
		.f_frsize = (int64_t)PAGE_BYTES,
		.f_flags = 0x20, /* ST_VALID */
	};
	int rc;

	if (sb) {
		st.f_blocks = sb->pages_max;
		st.f_bfree = st.f_bavail =
			sb->pages_max > sb->pages ? sb->pages_max - sb->pages : 0;
		st.f_files = sb->inodes_max;
		st.f_ffree = sb->inodes_max > sb->inodes ? sb->inodes_max - sb->inodes : 0;
		st.f_flags |= sb->read_only ? 1 : 0; /* ST_RDONLY */
		rc = sb->statfs ? sb->statfs(sb, &st) : 0;
		if (rc < 0)
			return rc;
	}
	return put_user(user, &st);
}

long sys_statfs(const uint64_t a[6])
{
	struct dentry *d;
	long rc = walk_user(AT_FDCWD, a[0], WALK_FOLLOW, &d);

	if (rc < 0)
		return rc;
	rc = statfs_put(a[1], d->inode->sb);
	dentry_put(d);
	return rc;
}

long sys_fstatfs(const uint64_t a[6])
{
	struct file *f = fd_file_any((int)a[0]);

	return f ? statfs_put(a[1], f->inode ? f->inode->sb : NULL) : -EBADF;
}
