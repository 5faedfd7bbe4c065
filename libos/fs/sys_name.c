/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that make, remove and move names: mkdir, rmdir, unlink, link, symlink, readlink, rename, and those of the working directory. */
#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sys/syscall.h"

static long mkdir_user(int dirfd, uptr_t path, uint32_t mode)
{
	struct upath p;
	int rc = upath_get(&p, path, false);

	if (rc < 0)
		return rc;
	rc = vfs_mkdir(dirfd, p.text, mode);
	upath_put(&p);
	return rc;
}

long sys_mkdir(const uint64_t a[6])
{
	return mkdir_user(AT_FDCWD, a[0], (uint32_t)a[1]);
}

long sys_mkdirat(const uint64_t a[6])
{
	return mkdir_user((int)a[0], a[1], (uint32_t)a[2]);
}

/* ---- removing */
static int remove_check(struct walk *w)
{
	if (!w->parent->inode->ops->unlink)
		return -EPERM;
	return dir_may_remove(w->dentry);
}

/* The walk holds d still: what watches it hears of it with the walk's end. */
static int unlink_told(struct walk *w, struct dentry *d)
{
	int rc = w->parent->inode->ops->unlink(d);

	if (!rc)
		notify_unlinked(d);
	return rc;
}

static int rmdir_walked(struct walk *w)
{
	struct dentry *d = w->dentry;
	int rc;

	switch (w->last_type) {
	case LAST_DOT:
		return -EINVAL;
	case LAST_DOTDOT:
		return -ENOTEMPTY;
	case LAST_ROOT:
		return -EBUSY;
	case LAST_NAME:
		break;
	}
	if (!d)
		return -ENOENT;
	if (d->covers)
		return -EBUSY;
	rc = remove_check(w);
	if (rc < 0)
		return rc;
	if (!inode_is(d->inode, S_IFDIR))
		return -ENOTDIR;
	if (!d->inode->ops->empty(d))
		return -ENOTEMPTY;
	return unlink_told(w, d);
}

static int unlink_walked(struct walk *w)
{
	struct dentry *d = w->dentry;
	int rc;

	if (w->last_type != LAST_NAME)
		return -EISDIR;
	if (!d)
		return -ENOENT;
	if (w->slash)
		return inode_is(d->inode, S_IFDIR) ? -EISDIR : -ENOTDIR;
	if (d->covers)
		return -EISDIR;
	rc = remove_check(w);
	if (rc < 0)
		return rc;
	if (inode_is(d->inode, S_IFDIR))
		return -EISDIR;
	return unlink_told(w, d);
}

static long remove_user(int dirfd, uptr_t path, bool directory)
{
	struct upath p;
	struct walk w;
	int rc = upath_get(&p, path, false);

	if (rc < 0)
		return rc;
	rc = walk(&w, dirfd, p.text, WALK_PARENT);
	if (!rc) {
		rc = directory ? rmdir_walked(&w) : unlink_walked(&w);
		walk_done(&w);
	}
	upath_put(&p);
	return rc;
}

long sys_rmdir(const uint64_t a[6])
{
	return remove_user(AT_FDCWD, a[0], true);
}

long sys_unlink(const uint64_t a[6])
{
	return remove_user(AT_FDCWD, a[0], false);
}

long sys_unlinkat(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[2];

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return remove_user((int)a[0], a[1], flags & AT_REMOVEDIR);
}

/* ---- links */
static int link_to(struct dentry *old, int dirfd, const char *path)
{
	struct walk w;
	int rc = walk(&w, dirfd, path, WALK_PARENT);

	if (rc < 0)
		return rc;
	if (w.last_type != LAST_NAME || w.dentry)
		rc = -EEXIST;
	else if (w.slash)
		rc = -ENOENT;
	else if (w.parent->inode->sb != old->inode->sb)
		rc = -EXDEV;
	else if (!w.parent->inode->ops->link || inode_is(old->inode, S_IFDIR))
		rc = -EPERM;
	else if (!old->inode->nlink && !old->inode->linkable)
		rc = -ENOENT;
	else if ((rc = dir_may_change(w.parent->inode)) == 0)
		rc = w.parent->inode->ops->link(w.parent, w.last, w.len, old->inode);
	if (!rc) {
		if (notify_watches)
			notify_tell_self(old->inode, IN_ATTRIB);
		notify_created(w.parent, w.last, w.len, false);
	}
	walk_done(&w);
	return rc;
}

static long link_user(int olddir, uptr_t oldpath, int newdir, uptr_t newpath, unsigned flags)
{
	struct dentry *old;
	struct upath p;
	int rc;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	rc = walk_user(olddir, oldpath,
		((flags & AT_SYMLINK_FOLLOW) ? WALK_FOLLOW : 0) |
			((flags & AT_EMPTY_PATH) ? WALK_EMPTY : 0),
		&old);
	if (rc < 0)
		return rc;
	rc = upath_get(&p, newpath, false);
	if (!rc) {
		rc = link_to(old, newdir, p.text);
		upath_put(&p);
	}
	dentry_put(old);
	return rc;
}

long sys_link(const uint64_t a[6])
{
	return link_user(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

long sys_linkat(const uint64_t a[6])
{
	return link_user((int)a[0], a[1], (int)a[2], a[3], (unsigned)a[4]);
}

static int symlink_at(const char *text, int dirfd, const char *path)
{
	struct dentry *d;
	struct walk w;
	int rc = walk(&w, dirfd, path, WALK_PARENT);

	if (rc < 0)
		return rc;
	if (w.last_type != LAST_NAME || w.dentry)
		rc = -EEXIST;
	else if (w.slash)
		rc = -ENOENT;
	else if (!w.parent->inode->ops->create)
		rc = w.parent->inode->sb->enoent ? -ENOENT : -EPERM;
	else if ((rc = dir_may_change(w.parent->inode)) == 0)
		rc = w.parent->inode->ops->create(
			w.parent, w.last, w.len, S_IFLNK | 0777, 0, text, &d);
	if (!rc) {
		notify_created(w.parent, w.last, w.len, false);
		dentry_put(d);
	}
	walk_done(&w);
	return rc;
}

static long symlink_user(uptr_t text, int dirfd, uptr_t path)
{
	struct upath t, p;
	int rc = upath_get(&t, text, false);

	if (rc < 0)
		return rc;
	rc = upath_get(&p, path, false);
	if (!rc) {
		rc = symlink_at(t.text, dirfd, p.text);
		upath_put(&p);
	}
	upath_put(&t);
	return rc;
}

long sys_symlink(const uint64_t a[6])
{
	return symlink_user(a[0], AT_FDCWD, a[1]);
}

long sys_symlinkat(const uint64_t a[6])
{
	return symlink_user(a[0], (int)a[1], a[2]);
}

static long readlink_user(int dirfd, uptr_t path, uptr_t buf, int size)
{
	struct dentry *d;
	char *text;
	long n;

	if (size <= 0)
		return -EINVAL;
	n = walk_user(dirfd, path, dirfd == AT_FDCWD ? 0 : WALK_EMPTY, &d);
	if (n < 0)
		return n;
	text = kmalloc(PATH_MAX);
	if (!text)
		n = -ENOMEM;
	else if (!inode_is(d->inode, S_IFLNK))
		n = -EINVAL;
	else
		n = d->inode->ops->readlink(d->inode, text, PATH_MAX);
	if (n > size)
		n = size;
	if (n > 0 && copy_to_user(buf, text, (size_t)n) < 0)
		n = -EFAULT;
	kfree(text);
	dentry_put(d);
	return n;
}

long sys_readlink(const uint64_t a[6])
{
	return readlink_user(AT_FDCWD, a[0], a[1], (int)a[2]);
}

long sys_readlinkat(const uint64_t a[6])
{
	return readlink_user((int)a[0], a[1], a[2], (int)a[3]);
}

/* ---- rename */
/* Trailing slashes, and directories that would end up below themselves. */
static int rename_places(struct walk *from, struct walk *to, bool exchange)
{
	struct dentry *f = from->dentry, *t = to->dentry;

	if (exchange && to->slash && !inode_is(t->inode, S_IFDIR))
		return -ENOTDIR;
	if (!inode_is(f->inode, S_IFDIR) && (from->slash || (!exchange && to->slash)))
		return -ENOTDIR;
	if (dentry_below(to->parent, f))
		return -EINVAL;
	if (t && dentry_below(from->parent, t))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int rename_over(struct dentry *f, struct dentry *t)
{
	bool dir = inode_is(f->inode, S_IFDIR);

	if (dir && !inode_is(t->inode, S_IFDIR))
		return -ENOTDIR;
	if (!dir && inode_is(t->inode, S_IFDIR))
		return -EISDIR;
	return dir && !t->inode->ops->empty(t) ? -ENOTEMPTY : 0;
}

/* Taking a name away, and giving one; a directory that moves to another parent is written to itself (".."). */
static int rename_may(const struct walk *from, const struct walk *to, bool exchange)
{
	bool moves = from->parent != to->parent;
	int rc = dir_may_remove(from->dentry);

	if (!rc)
		rc = to->dentry ? dir_may_remove(to->dentry) : dir_may_change(to->parent->inode);
	if (!rc && moves && inode_is(from->dentry->inode, S_IFDIR))
		rc = inode_may(from->dentry->inode, MAY_WRITE);
	if (!rc && moves && exchange && inode_is(to->dentry->inode, S_IFDIR))
		rc = inode_may(to->dentry->inode, MAY_WRITE);
	return rc;
}

/* One of the two moves that an exchange is made of; d has the name by now. */
static void tell_moved(struct walk *from, struct walk *to, struct dentry *d)
{
	uint32_t cookie = notify_cookie(), dir = inode_is(d->inode, S_IFDIR) ? IN_ISDIR : 0;

	notify_tell_name(from->parent->inode, from->last, from->len, IN_MOVED_FROM | dir, cookie);
	notify_tell_name(to->parent->inode, to->last, to->len, IN_MOVED_TO | dir, cookie);
	notify_tell_self(d->inode, IN_MOVE_SELF);
}

static int rename_told(struct walk *from, struct walk *to, bool exchange)
{
	int rc = from->parent->inode->ops->rename(
		from->dentry, to->parent, to->last, to->len, to->dentry, exchange);

	if (rc < 0 || !notify_watches)
		return rc;
	tell_moved(from, to, from->dentry);
	if (exchange)
		tell_moved(to, from, to->dentry);
	else if (to->dentry)
		notify_tell_self(to->dentry->inode, IN_ATTRIB);
	return rc;
}

static int rename_walked(struct walk *from, struct walk *to, unsigned flags)
{
	int rc;

	if (from->last_type == LAST_ROOT || to->last_type == LAST_ROOT)
		return -EBUSY;
	if (from->parent->inode->sb != to->parent->inode->sb)
		return -EXDEV;
	if (from->last_type != LAST_NAME)
		return -EBUSY;
	if (to->last_type != LAST_NAME)
		return (flags & RENAME_NOREPLACE) ? -EEXIST : -EBUSY;
	if (!from->parent->inode->ops->rename)
		return from->dentry ? -EPERM : -ENOENT;
	if (!from->dentry)
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && to->dentry)
		return -EEXIST;
	if ((flags & RENAME_EXCHANGE) && !to->dentry)
		return -ENOENT;
	rc = rename_places(from, to, flags & RENAME_EXCHANGE);
	if (rc < 0)
		return rc;
	if (to->dentry && from->dentry->inode == to->dentry->inode)
		return 0;
	rc = rename_may(from, to, flags & RENAME_EXCHANGE);
	if (rc < 0)
		return rc;
	if (from->dentry->covers || (to->dentry && to->dentry->covers))
		return -EBUSY;
	if (to->dentry && !(flags & RENAME_EXCHANGE) &&
		(rc = rename_over(from->dentry, to->dentry)) < 0)
		return rc;
	if (!to->parent->inode->nlink)
		return -ENOENT;
	return rename_told(from, to, flags & RENAME_EXCHANGE);
}

/* The old path's errors come before those of the new one, as on Linux; even before a bad address. */
static int rename_at(int olddir, const char *old, int newdir, uptr_t new, unsigned flags)
{
	struct walk from, to;
	struct upath n;
	int rc = walk(&from, olddir, old, WALK_PARENT);

	if (rc < 0)
		return rc;
	rc = upath_get(&n, new, false);
	if (!rc) {
		rc = walk(&to, newdir, n.text, WALK_PARENT);
		upath_put(&n);
	}
	if (!rc) {
		rc = rename_walked(&from, &to, flags);
		walk_done(&to);
	}
	walk_done(&from);
	return rc;
}

static long rename_user(int olddir, uptr_t old, int newdir, uptr_t new, unsigned flags)
{
	struct upath o;
	int rc;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if ((flags & RENAME_NOREPLACE) && (flags & RENAME_EXCHANGE))
		return -EINVAL;
	rc = upath_get(&o, old, false);
	if (rc < 0)
		return rc;
	rc = rename_at(olddir, o.text, newdir, new, flags);
	upath_put(&o);
	return rc;
}

long sys_rename(const uint64_t a[6])
{
	return rename_user(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

long sys_renameat(const uint64_t a[6])
{
	return rename_user((int)a[0], a[1], (int)a[2], a[3], 0);
}

long sys_renameat2(const uint64_t a[6])
{
	return rename_user((int)a[0], a[1], (int)a[2], a[3], (unsigned)a[4]);
}

/* ---- the working directory */
static void cwd_set(struct dentry *d)
{
	dentry_put(vfs_cwd);
	vfs_cwd = d;
}

int vfs_chdir(const char *path)
{
	struct dentry *d;
	int rc = walk_kernel(path, WALK_FOLLOW | WALK_DIRECTORY, &d);

	if (!rc)
		cwd_set(d);
	return rc;
}

long sys_chdir(const uint64_t a[6])
{
	struct dentry *d;
	int rc = walk_to_folder(a[0], &d);

	if (!rc)
		cwd_set(d);
	return rc;
}

long sys_fchdir(const uint64_t a[6])
{
	struct file *f = fd_file_any((int)a[0]);

	if (!f)
		return -EBADF;
	if (!f->dentry || !inode_is(f->inode, S_IFDIR))
		return -ENOTDIR;
	if (inode_may(f->inode, MAY_EXEC) < 0)
		return -EACCES;
	cwd_set(dentry_get(f->dentry));
	return 0;
}

long sys_getcwd(const uint64_t a[6])
{
	char *buf = kmalloc(PATH_MAX);
	bool deleted;
	long n;

	if (!buf)
		return -ENOMEM;
	n = dentry_path(vfs_cwd, buf, PATH_MAX, &deleted);
	if (n >= 0 && deleted)
		n = -ENOENT;
	else if (n >= 0 && (uint64_t)n + 1 > a[1])
		n = -ERANGE;
	else if (n >= 0)
		n = copy_to_user(a[0], buf, (size_t)n + 1) < 0 ? -EFAULT : n + 1;
	kfree(buf);
	return n;
}
