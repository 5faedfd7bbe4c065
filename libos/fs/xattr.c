/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes (xattr(7)): kept in memory with the inode, on tmpfs and above the image. user.* is for files and directories by
 * their mode, security.* and trusted.* take CAP_SYS_ADMIN; there are no ACLs. On a volume the host keeps them, user.* alone. Other file systems
 * have none (EOPNOTSUPP).
 */
#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

#define XATTR_NAME_MAX  255u
#define XATTR_SIZE_MAX  65536u
#define XATTR_LIST_MAX  65536u
#define XATTR_INODE_MAX (256u << 10) /* of one inode: names, values and what keeps them */
#define XATTR_CREATE    1u
#define XATTR_REPLACE   2u

struct xattr {
	struct xattr *next;
	size_t size;
	char *value;
	char name[];
};

enum space { SPACE_USER, SPACE_SECURITY, SPACE_TRUSTED, SPACE_BARE, SPACE_NONE };

static enum space space_of(const char *name)
{
	static const char *const prefix[] = {"user.", "security.", "trusted."};

	for (unsigned i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		size_t n = strlen(prefix[i]);

		if (!strncmp(name, prefix[i], n))
			return name[n] ? (enum space)i : SPACE_BARE;
	}
	return SPACE_NONE;
}

void xattr_free(struct inode *inode)
{
	while (inode->xattrs) {
		struct xattr *x = inode->xattrs;

		inode->xattrs = x->next;
		kfree(x->value);
		kfree(x);
	}
}

static struct xattr **find(struct inode *inode, const char *name)
{
	struct xattr **at = &inode->xattrs;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static size_t cost(const char *name, size_t size)
{
	return sizeof(struct xattr) + strlen(name) + 1 + size;
}

/* All of them together, but for the one called name. */
static size_t used_beside(const struct inode *inode, const char *name)
{
	size_t n = 0;

	for (const struct xattr *x = inode->xattrs; x; x = x->next)
		n += strcmp(x->name, name) != 0 ? cost(x->name, x->size) : 0;
	return n;
}

static bool outside(const struct inode *inode)
{
	return inode->ops->xattr_get;
}

/* May the caller see it, or change it (write)? */
static int xattr_may(struct inode *inode, const char *name, bool write)
{
	bool plain = inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR);

	if (!inode->sb->xattrs && !outside(inode))
		return -EOPNOTSUPP;
	if (outside(inode) && (space_of(name) == SPACE_TRUSTED || space_of(name) == SPACE_SECURITY))
		return -EOPNOTSUPP;
	switch (space_of(name)) {
	case SPACE_TRUSTED:
		return cred_has(CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
	case SPACE_SECURITY:
		return !write || cred_has(CAP_SYS_ADMIN) ? 0 : -EPERM;
	case SPACE_USER:
		if (!plain)
			return write ? -EPERM : -ENODATA;
		if (write && inode_is(inode, S_IFDIR) && (inode->mode & S_ISVTX) &&
			!inode_mine(inode))
			return -EPERM;
		return inode_may(inode, write ? MAY_WRITE : MAY_READ);
	case SPACE_BARE:
		return -EINVAL;
	case SPACE_NONE:
		break;
	}
	return -EOPNOTSUPP;
}

/* value: size bytes, taken over on success. */
static int xattr_put(
	struct inode *inode, const char *name, char *value, size_t size, unsigned flags)
{
	struct xattr **at = find(inode, name), *x = *at;

	if (x ? flags & XATTR_CREATE : flags & XATTR_REPLACE)
		return x ? -EEXIST : -ENODATA;
	if (used_beside(inode, name) + cost(name, size) > XATTR_INODE_MAX)
		return -ENOSPC;
	if (!x) {
		x = kzalloc(sizeof(*x) + strlen(name) + 1);
		if (!x)
			return -ENOMEM;
		memcpy(x->name, name, strlen(name) + 1);
		*at = x;
	}
	kfree(x->value);
	x->value = value;
	x->size = size;
	return 0;
}

static int xattr_drop(struct inode *inode, const char *name)
{
	struct xattr **at = find(inode, name), *x = *at;

	if (!x)
		return -ENODATA;
	*at = x->next;
	kfree(x->value);
	kfree(x);
	return 0;
}

/* ---- the calls, once the inode is known */
static int name_get(char name[XATTR_NAME_MAX + 1], uptr_t user)
{
	long n = strncpy_from_user(name, user, XATTR_NAME_MAX + 1);

	if (n == -EFAULT)
		return -EFAULT;
	return n <= 0 || n > XATTR_NAME_MAX ? -ERANGE : 0;
}

static int changed(struct inode *inode)
{
	int rc = inode->ops->touch ? inode->ops->touch(inode) : 0;

	inode_changed(inode);
	if (notify_watches)
		notify_tell_self(inode, IN_ATTRIB);
	return rc;
}

/* a: path or descriptor, name, value, size, flags. */
static long set_inode(struct inode *inode, const uint64_t a[6])
{
	char name[XATTR_NAME_MAX + 1], *value;
	unsigned flags = (unsigned)a[4];
	uint64_t size = a[3];
	int rc = name_get(name, a[1]);

	if (rc < 0)
		return rc;
	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	value = kmalloc(size + 1);
	if (!value)
		return -ENOMEM;
	rc = size && copy_from_user(value, a[2], size) < 0 ? -EFAULT : 0;
	if (!rc)
		rc = inode ? xattr_may(inode, name, true) : -EOPNOTSUPP;
	if (!rc)
		rc = outside(inode) ? inode->ops->xattr_set(inode, name, value, size, flags)
				    : xattr_put(inode, name, value, size, flags);
	if (rc < 0 || outside(inode))
		kfree(value);
	return rc < 0 ? rc : changed(inode);
}

/* To the program, when it gave room at all. */
static long give(uptr_t to, uint64_t room, const char *value, size_t size)
{
	if (room && size > room)
		return -ERANGE;
	if (room && size && copy_to_user(to, value, size) < 0)
		return -EFAULT;
	return (long)size;
}

static long get_outside(struct inode *inode, const char *name, uptr_t to, uint64_t room)
{
	char *value;
	size_t size;
	long rc = inode->ops->xattr_get(inode, name, &value, &size);

	if (rc < 0)
		return rc;
	rc = give(to, room, value, size);
	kfree(value);
	return rc;
}

static long get_inode(struct inode *inode, const uint64_t a[6])
{
	char name[XATTR_NAME_MAX + 1];
	const struct xattr *x;
	int rc = name_get(name, a[1]);

	if (!rc)
		rc = inode ? xattr_may(inode, name, false) : -EOPNOTSUPP;
	if (rc < 0)
		return rc;
	if (outside(inode))
		return get_outside(inode, name, a[2], a[3]);
	x = *find(inode, name);
	if (!x)
		return -ENODATA;
	return give(a[2], a[3], x->value, x->size);
}

/* The names, each with its NUL; trusted ones only for those who may see them. */
static long list_inode(struct inode *inode, const uint64_t a[6])
{
	uptr_t to = a[1];
	uint64_t n = 0;

	if (inode && outside(inode))
		return inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR)
			? get_outside(inode, "", to, a[2])
			: 0;
	for (const struct xattr *x = inode ? inode->xattrs : NULL; x; x = x->next) {
		size_t len = strlen(x->name) + 1;

		if (space_of(x->name) == SPACE_TRUSTED && !cred_has(CAP_SYS_ADMIN))
			continue;
		if (a[2] && n + len > a[2])
			return -ERANGE;
		if (a[2] && copy_to_user(to + n, x->name, len) < 0)
			return -EFAULT;
		n += len;
	}
	return n > XATTR_LIST_MAX ? -E2BIG : (long)n;
}

static long remove_inode(struct inode *inode, const uint64_t a[6])
{
	char name[XATTR_NAME_MAX + 1];
	int rc = name_get(name, a[1]);

	if (!rc)
		rc = inode ? xattr_may(inode, name, true) : -EOPNOTSUPP;
	if (!rc)
		rc = outside(inode) ? inode->ops->xattr_set(inode, name, NULL, 0, 0)
				    : xattr_drop(inode, name);
	return rc < 0 ? rc : changed(inode);
}

/* ---- by path, by path without following, by descriptor */
typedef long inode_fn(struct inode *inode, const uint64_t a[6]);

static long by_path(const uint64_t a[6], unsigned flags, inode_fn *fn)
{
	struct dentry *d;
	long rc = walk_user(AT_FDCWD, a[0], flags, &d);

	if (rc < 0)
		return rc;
	rc = fn(d->inode, a);
	dentry_put(d);
	return rc;
}

static long by_fd(const uint64_t a[6], inode_fn *fn)
{
	struct file *f = fd_file_get((int)a[0]);
	long rc;

	if (!f)
		return -EBADF;
	rc = fn(f->inode, a);
	file_put(f);
	return rc;
}

#define XATTR_CALLS(verb)                                                                          \
	long sys_##verb##xattr(const uint64_t a[6])                                                \
	{                                                                                          \
		return by_path(a, WALK_FOLLOW, verb##_inode);                                      \
	}                                                                                          \
	long sys_l##verb##xattr(const uint64_t a[6])                                               \
	{                                                                                          \
		return by_path(a, 0, verb##_inode);                                                \
	}                                                                                          \
	long sys_f##verb##xattr(const uint64_t a[6])                                               \
	{                                                                                          \
		return by_fd(a, verb##_inode);                                                     \
	}
XATTR_CALLS(set)
XATTR_CALLS(get)
XATTR_CALLS(list)
XATTR_CALLS(remove)
