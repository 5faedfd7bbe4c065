/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: there are none and none can be made, on any file system here (xattr(7): EOPNOTSUPP). */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/sys/syscall.h"

/* The walk's error, or 0 when the path names something. */
static int exists(uptr_t path, unsigned flags)
{
	struct dentry *d;
	int rc = walk_user(AT_FDCWD, path, flags, &d);

	if (!rc)
		dentry_put(d);
	return rc;
}

static long none_path(uptr_t path, unsigned flags)
{
	int rc = exists(path, flags);

	return rc < 0 ? rc : -EOPNOTSUPP;
}

static long none_fd(uint64_t fd)
{
	return fd_file((int)fd) ? -EOPNOTSUPP : -EBADF;
}

long sys_setxattr(const uint64_t a[6])
{
	return none_path(a[0], WALK_FOLLOW);
}

long sys_lsetxattr(const uint64_t a[6])
{
	return none_path(a[0], 0);
}

long sys_fsetxattr(const uint64_t a[6])
{
	return none_fd(a[0]);
}

long sys_getxattr(const uint64_t a[6])
{
	return none_path(a[0], WALK_FOLLOW);
}

long sys_lgetxattr(const uint64_t a[6])
{
	return none_path(a[0], 0);
}

long sys_fgetxattr(const uint64_t a[6])
{
	return none_fd(a[0]);
}

/* Lists are empty. */
long sys_listxattr(const uint64_t a[6])
{
	return exists(a[0], WALK_FOLLOW);
}

long sys_llistxattr(const uint64_t a[6])
{
	return exists(a[0], 0);
}

long sys_flistxattr(const uint64_t a[6])
{
	return fd_file((int)a[0]) ? 0 : -EBADF;
}

long sys_removexattr(const uint64_t a[6])
{
	return none_path(a[0], WALK_FOLLOW);
}

long sys_lremovexattr(const uint64_t a[6])
{
	return none_path(a[0], 0);
}

long sys_fremovexattr(const uint64_t a[6])
{
	return none_fd(a[0]);
}
