/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening: what the flags of open(2) mean, and the making of nodes that open, mknod and bind share. A file holds its dentry, and so its
 * inode, its directory and the file system.
 */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sys/syscall.h"

#define OPEN_FLAGS_KEPT (~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC))
#define O_TMPFILE       (O_TMPFILE_BIT | O_DIRECTORY)

unsigned vfs_umask = 022;

unsigned vfs_umask_set(unsigned mask)
{
	unsigned old = vfs_umask;

	vfs_umask = mask & 0777;
	return old;
}

long sys_umask(const uint64_t a[6])
{
	return vfs_umask_set((unsigned)a[0]);
}

static bool wants_write(unsigned flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

int vfs_truncate(struct inode *inode, uint64_t size)
{
	int rc = inode->ops->truncate ? inode->ops->truncate(inode, size) : 0;

	if (!rc) {
		inode_modified(inode);
		inode_written(inode);
	}
	return rc;
}

static int open_check(struct dentry *d, unsigned flags)
{
	struct inode *inode = d->inode;

	if ((flags & O_DIRECTORY) && !inode_is(inode, S_IFDIR))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (inode_is(inode, S_IFLNK))
		return -ELOOP;
	if (inode_is(inode, S_IFDIR) && (wants_write(flags) || (flags & O_CREAT)))
		return -EISDIR;
	if (inode_is(inode, S_IFSOCK))
		return -ENXIO;
	if ((flags & O_NOATIME) && !inode_mine(inode))
		return -EPERM;
	return 0;
}

/* What opening needs. Access mode 3 is for ioctl alone, and needs both. */
static int open_may(const struct inode *inode, unsigned flags)
{
	unsigned want = wants_write(flags) || (flags & O_TRUNC) ? MAY_WRITE : 0;

	if ((flags & O_ACCMODE) != O_WRONLY)
		want |= MAY_READ;
	return (flags & O_PATH) ? 0 : inode_may(inode, want);
}

static const struct file_ops path_ops = {.name = "path"};

int dentry_open_made(struct dentry *d, unsigned flags, struct file **file)
{
	struct file *f;
	int rc = open_check(d, flags);

	if (rc < 0)
		return rc;
	f = file_new(&path_ops, flags & OPEN_FLAGS_KEPT, NULL);
	if (!f)
		return -ENOMEM;
	f->dentry = dentry_get(d);
	f->inode = d->inode;
	if (flags & O_PATH) {
		f->flags = flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW);
		*file = f;
		return 0;
	}
	rc = d->inode->ops->open(d->inode, f);
	if (!rc && (flags & O_TRUNC) && inode_is(d->inode, S_IFREG))
		rc = vfs_truncate(d->inode, 0);
	if (rc < 0) {
		if (f->ops == &path_ops || !f->priv)
			f->ops = &path_ops; /* nothing to release yet */
		file_put(f);
		return rc;
	}
	if ((flags & O_TRUNC) && inode_is(d->inode, S_IFREG))
		notify(d, IN_MODIFY);
	notify(d, IN_OPEN);
	*file = f;
	return 0;
}

int dentry_open(struct dentry *d, unsigned flags, struct file **file)
{
	int rc = open_check(d, flags);

	if (!rc)
		rc = open_may(d->inode, flags);
	return rc < 0 ? rc : dentry_open_made(d, flags, file);
}

/* Errors of making a name where the walk ended, for all calls that make names. */
static int create_check(struct walk *w, bool directory)
{
	if (w->last_type != LAST_NAME)
		return -EEXIST;
	if (w->dentry)
		return -EEXIST;
	if (w->slash && !directory)
		return -ENOENT;
	if (!w->parent->inode->ops->create)
		return w->parent->inode->sb->enoent ? -ENOENT : directory ? -EPERM : -EACCES;
	return w->parent->inode->nlink ? dir_may_change(w->parent->inode) : -ENOENT;
}

static int create_at(struct walk *w, uint32_t mode, uint64_t rdev, struct dentry **d)
{
	int rc = w->parent->inode->ops->create(w->parent, w->last, w->len, mode, rdev, NULL, d);

	if (!rc)
		notify_created(w->parent, w->last, w->len, (mode & S_IFMT) == S_IFDIR);
	return rc;
}

static int open_create(struct walk *w, unsigned flags, unsigned mode, struct file **file)
{
	struct dentry *d;
	int rc;

	for (;;) {
		bool is_link = w->dentry && inode_is(w->dentry->inode, S_IFLNK);

		if (w->last_type != LAST_NAME)
			return (flags & O_EXCL) ? -EEXIST : dentry_open(w->dentry, flags, file);
		if (w->slash)
			return -EISDIR;
		if (w->dentry && (flags & O_EXCL))
			return -EEXIST;
		if (!is_link || (flags & O_NOFOLLOW))
			break;
		rc = walk_follow_last(w);
		if (rc < 0)
			return rc;
	}
	if (w->dentry)
		return dentry_open(w->dentry, flags, file);
	rc = create_check(w, false);
	if (rc < 0)
		return rc;
	rc = create_at(w, mode_for(w->parent->inode, S_IFREG | (mode & S_PERM)), 0, &d);
	if (rc < 0)
		return rc;
	rc = dentry_open_made(d, flags & ~(O_CREAT | O_TRUNC), file);
	dentry_put(d);
	return rc;
}

static int open_tmpfile(struct dentry *dir, unsigned flags, unsigned mode, struct file **file)
{
	struct inode *inode;
	struct dentry *d;
	char name[32];
	int rc;

	if (!wants_write(flags))
		return -EINVAL;
	if (!dir->inode->ops->tmpfile)
		return -EOPNOTSUPP;
	rc = dir_may_change(dir->inode);
	if (rc < 0)
		return rc;
	rc = dir->inode->ops->tmpfile(
		dir->inode->sb, mode_for(dir->inode, S_IFREG | (mode & S_PERM)), &inode);
	if (rc < 0)
		return rc;
	inode->linkable = !(flags & O_EXCL);
	snprintf(name, sizeof(name), "/#%lu", (unsigned long)inode->ino);
	d = dentry_new(NULL, name, (unsigned)strlen(name), inode);
	inode_put(inode);
	if (!d)
		return -ENOMEM;
	rc = dentry_open_made(d, flags & ~(O_TMPFILE | O_CREAT), file);
	dentry_put(d);
	return rc;
}

int vfs_open_at(int dirfd, const char *path, unsigned flags, unsigned mode, unsigned walk_flags,
	struct file **file)
{
	struct walk w;
	int rc;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_TMPFILE_BIT) && (flags & O_TMPFILE) != O_TMPFILE)
		return -EINVAL;
	if ((flags & O_CREAT) && (flags & O_DIRECTORY) && !(flags & O_TMPFILE_BIT))
		return -EINVAL;
	if (flags & O_TMPFILE_BIT) {
		rc = walk(&w, dirfd, path, walk_flags | WALK_FOLLOW | WALK_DIRECTORY);
		if (rc < 0)
			return rc;
		rc = open_tmpfile(w.dentry, flags, mode, file);
	} else if (flags & O_CREAT) {
		rc = walk(&w, dirfd, path, walk_flags | WALK_PARENT);
		if (rc < 0)
			return rc;
		rc = open_create(&w, flags, mode, file);
		if (rc == -EEXIST && !(flags & O_EXCL)) { /* another was faster: now it is there */
			walk_done(&w);
			rc = walk(&w, dirfd, path, walk_flags | WALK_PARENT);
			if (rc < 0)
				return rc;
			rc = open_create(&w, flags, mode, file);
		}
	} else {
		rc = walk(&w, dirfd, path, walk_flags | ((flags & O_NOFOLLOW) ? 0 : WALK_FOLLOW));
		if (rc < 0)
			return rc;
		rc = dentry_open(w.dentry, flags, file);
	}
	walk_done(&w);
	return rc;
}

int vfs_open(const char *path, unsigned flags, unsigned mode, struct file **file)
{
	return vfs_open_at(AT_FDCWD, path, flags, mode, 0, file);
}

static long open_user(int dirfd, uptr_t path, unsigned flags, unsigned mode, unsigned walk_flags)
{
	struct upath p;
	struct file *f;
	long rc = upath_get(&p, path, false);

	if (rc < 0)
		return rc;
	/* Before anything is created: without a number for it nothing may be left behind. */
	rc = fd_room() ? vfs_open_at(dirfd, p.text, flags, mode, walk_flags, &f) : -EMFILE;
	upath_put(&p);
	if (rc < 0)
		return rc;
	return fd_install_new(f, flags & O_CLOEXEC);
}

long sys_open(const uint64_t a[6])
{
	return open_user(AT_FDCWD, a[0], (unsigned)a[1] | O_LARGEFILE, (unsigned)a[2], 0);
}

long sys_creat(const uint64_t a[6])
{
	return open_user(
		AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, (unsigned)a[1], 0);
}

long sys_openat(const uint64_t a[6])
{
	return open_user((int)a[0], a[1], (unsigned)a[2] | O_LARGEFILE, (unsigned)a[3], 0);
}

static int how_get(uptr_t user, uint64_t size, struct open_how *how)
{
	uint8_t more;

	if (size < sizeof(*how))
		return -EINVAL;
	if (size > 4096)
		return -E2BIG;
	if (get_user(how, user) < 0)
		return -EFAULT;
	for (uint64_t i = sizeof(*how); i < size; i++) {
		if (get_user(&more, user + i) < 0)
			return -EFAULT;
		if (more)
			return -E2BIG;
	}
	return 0;
}

long sys_openat2(const uint64_t a[6])
{
	unsigned known = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |
		O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |
		O_CLOEXEC | O_PATH | O_TMPFILE_BIT;
	static const struct {
		uint64_t resolve;
		unsigned walk;
	} map[] = {{RESOLVE_NO_XDEV, WALK_NO_XDEV}, {RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC},
		{RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINK}, {RESOLVE_BENEATH, WALK_BENEATH},
		{RESOLVE_IN_ROOT, WALK_IN_ROOT}};
	struct open_how how;
	unsigned walk_flags = 0;
	int rc = how_get(a[2], a[3], &how);

	if (rc < 0)
		return rc;
	if ((how.flags & ~(uint64_t)known) || (how.resolve & ~0x3full) ||
		(how.mode & ~(uint64_t)S_PERM))
		return -EINVAL;
	if (how.mode && !(how.flags & (O_CREAT | O_TMPFILE_BIT)))
		return -EINVAL;
	if ((how.resolve & RESOLVE_BENEATH) && (how.resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how.resolve & RESOLVE_CACHED)
		return -EAGAIN;
	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (how.resolve & map[i].resolve)
			walk_flags |= map[i].walk;
	}
	return open_user((int)a[0], a[1], (unsigned)how.flags, (unsigned)how.mode, walk_flags);
}

/* ---- nodes */
int vfs_mknod(int dirfd, const char *path, uint32_t mode, uint64_t rdev, struct dentry **dentry)
{
	struct dentry *d;
	struct walk w;
	int rc = walk(&w, dirfd, path, WALK_PARENT);

	if (rc < 0)
		return rc;
	rc = create_check(&w, false);
	if (!rc && !may_make_node(mode & S_IFMT))
		rc = -EPERM;
	if (!rc)
		rc = create_at(&w, mode_for(w.parent->inode, mode), rdev, &d);
	walk_done(&w);
	if (rc < 0)
		return rc;
	if (dentry)
		*dentry = d;
	else
		dentry_put(d);
	return 0;
}

int vfs_mkdir(int dirfd, const char *path, uint32_t mode)
{
	struct dentry *d;
	struct walk w;
	int rc = walk(&w, dirfd, path, WALK_PARENT);

	if (rc < 0)
		return rc;
	rc = create_check(&w, true);
	if (!rc)
		rc = create_at(&w, S_IFDIR | (mode & 01777 & ~vfs_umask), 0, &d);
	if (!rc)
		dentry_put(d);
	walk_done(&w);
	return rc;
}

static long mknod_user(int dirfd, uptr_t path, uint32_t mode, uint64_t rdev)
{
	struct upath p;
	uint32_t type = mode & S_IFMT;
	int rc;

	if (!type)
		mode |= type = S_IFREG;
	if (type == S_IFDIR)
		return -EPERM;
	if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != S_IFCHR &&
		type != S_IFBLK)
		return -EINVAL;
	rc = upath_get(&p, path, false);
	if (rc < 0)
		return rc;
	rc = vfs_mknod(dirfd, p.text, mode, type == S_IFCHR || type == S_IFBLK ? rdev : 0, NULL);
	upath_put(&p);
	return rc;
}

long sys_mknod(const uint64_t a[6])
{
	return mknod_user(AT_FDCWD, a[0], (uint32_t)a[1], a[2]);
}

long sys_mknodat(const uint64_t a[6])
{
	return mknod_user((int)a[0], a[1], (uint32_t)a[2], a[3]);
}

/* ---- AF_UNIX names */
int vfs_bind_socket(const char *path, void *owner, struct inode **inode)
{
	struct dentry *d;
	int rc = vfs_mknod(AT_FDCWD, path, S_IFSOCK | 0777, 0, &d);

	if (rc < 0)
		return rc == -EEXIST ? -EADDRINUSE : rc;
	d->inode->bound = owner;
	*inode = inode_get(d->inode);
	dentry_put(d);
	return 0;
}

void vfs_unbind_socket(struct inode *inode)
{
	inode->bound = NULL;
	inode_put(inode);
}

int vfs_find_socket(const char *path, void **owner)
{
	struct dentry *d;
	int rc = walk_kernel(path, WALK_FOLLOW, &d);

	if (rc < 0)
		return rc;
	rc = inode_may(d->inode, MAY_WRITE);
	*owner = inode_is(d->inode, S_IFSOCK) ? d->inode->bound : NULL;
	dentry_put(d);
	return rc < 0 ? rc : *owner ? 0 : -ECONNREFUSED;
}
