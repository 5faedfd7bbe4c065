/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path walk: from a start (root, working directory, descriptor) name by name to a dentry, or to the directory of the last name for calls
 * that make or remove names. Symbolic links are expanded in front of the rest of the path, at most SYMLINKS_MAX of them, so
 * the walk never recurses. Errors as path_resolution(7): each name but the last must be a directory, and the last one too when a
 * slash follows it.
 */
#include "libos/fs/inode.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

struct dentry *vfs_root, *vfs_cwd;

static struct dentry *cross_mounts(struct dentry *d)
{
	while (d->mounted) {
		struct dentry *top = dentry_get(d->mounted);

		dentry_put(d);
		d = top;
	}
	return d;
}

static void dentry_forget(struct dentry *d)
{
	dentry_unhash(d);
	dentry_put(d);
}

/* The dentry of a name in memory, NULL when there is none or it names something else by now. */
static struct dentry *child_known(struct dentry *dir, const char *name, unsigned len)
{
	struct dentry *d = dentry_find(dir, name, len);

	if (!d || d->mounted || !dir->inode->ops->still_there || dir->inode->ops->still_there(d))
		return d;
	dentry_forget(d);
	return NULL;
}

/* A look-up may block: somebody else may have put the name there meanwhile. */
static int child_lookup(struct dentry *dir, const char *name, unsigned len, struct dentry **out)
{
	struct inode *inode;
	struct dentry *d;
	bool lower = false;
	int rc = dir->inode->ops->lookup(dir->inode, name, len, &inode, &lower);

	if (rc < 0)
		return rc;
	d = dentry_find(dir, name, len);
	if (d && d->inode != inode && !d->mounted) {
		dentry_forget(d);
		d = NULL;
	}
	if (!d)
		d = dentry_new(dir, name, len, inode);
	inode_put(inode);
	if (!d)
		return -ENOMEM;
	if (lower)
		d->flags |= D_LOWER;
	*out = d;
	return 0;
}

/* The child of that name, mounts crossed; -ENOENT when there is none. Takes nothing, gives a reference. */
static int child_get(struct dentry *dir, const char *name, unsigned len, struct dentry **out)
{
	struct dentry *d = child_known(dir, name, len);
	int rc;

	if (!d) {
		rc = child_lookup(dir, name, len, &d);
		if (rc < 0)
			return rc;
	}
	if (!d->inode) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = cross_mounts(d);
	return 0;
}

/* One step up from d, whose reference it takes. NULL: the walk must stay beneath its start. */
static struct dentry *parent_get(const struct walk *w, struct dentry *d)
{
	struct dentry *up;

	if (d == w->start && (w->flags & WALK_BENEATH))
		return NULL;
	if (d == vfs_root || (d == w->start && (w->flags & WALK_IN_ROOT)))
		return d;
	up = d;
	while (up->parent == up && up->covers)
		up = up->covers;
	up = dentry_get(up->parent);
	dentry_put(d);
	return cross_mounts(up);
}

/* Puts the text of a link in front of rest: the new text to walk, which w owns. */
static int link_expand(struct walk *w, struct inode *link, const char *rest, const char **text)
{
	size_t more = strlen(rest);
	char *t;
	long n;

	t = kmalloc(PATH_MAX + more + 1);
	if (!t)
		return -ENOMEM;
	n = link->ops->readlink ? link->ops->readlink(link, t, PATH_MAX - 1) : -EINVAL;
	if (n <= 0 || n >= (long)PATH_MAX) {
		kfree(t);
		return n < 0 ? (int)n : n ? -ENAMETOOLONG : -ENOENT;
	}
	memcpy(t + n, rest, more + 1);
	kfree(w->text);
	w->text = t;
	*text = t;
	return 0;
}

/* Follows the link d, met in directory *cur; *p is the rest of the path and becomes what is left to walk from *cur. */
static int link_follow(struct walk *w, struct dentry *d, struct dentry **cur, const char **p)
{
	struct dentry *to;
	int rc;

	if ((w->flags & WALK_NO_SYMLINK) || w->links++ >= SYMLINKS_MAX)
		return -ELOOP;
	if (d->inode->ops->jump) {
		if (w->flags & (WALK_NO_MAGIC | WALK_BENEATH | WALK_IN_ROOT))
			return w->flags & WALK_NO_MAGIC ? -ELOOP : -EXDEV;
		rc = d->inode->ops->jump(d->inode, &to);
		if (rc < 0)
			return rc;
		dentry_put(*cur);
		*cur = to;
		return 0;
	}
	rc = link_expand(w, d->inode, *p, p);
	if (rc < 0 || **p != '/')
		return rc;
	if (w->flags & WALK_BENEATH)
		return -EXDEV;
	dentry_put(*cur);
	*cur = dentry_get((w->flags & WALK_IN_ROOT) ? w->start : vfs_root);
	return 0;
}

static enum last_type name_type(const char *name, size_t len)
{
	if (len == 1 && name[0] == '.')
		return LAST_DOT;
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return LAST_DOTDOT;
	return LAST_NAME;
}

/* The last name with WALK_PARENT: looked up, not followed. Takes cur. */
static int walk_last(
	struct walk *w, struct dentry *cur, const char *name, size_t len, enum last_type type)
{
	int rc = 0;

	w->last_type = type;
	w->parent = cur;
	w->dentry = NULL;
	if (type == LAST_DOT) {
		w->dentry = dentry_get(cur);
	} else if (type == LAST_DOTDOT) {
		w->dentry = parent_get(w, dentry_get(cur));
		return w->dentry ? 0 : -EXDEV;
	} else {
		memcpy(w->last, name, len);
		w->last[len] = 0;
		w->len = (unsigned)len;
		rc = child_get(cur, name, w->len, &w->dentry);
	}
	return rc == -ENOENT ? 0 : rc;
}

/* One name that is followed by others, or ends the walk: *cur becomes what it names. *p: behind the name. */
static int walk_step(
	struct walk *w, struct dentry **cur, const char *name, size_t len, const char **p)
{
	const char *rest = *p;
	bool final = !rest[0];
	struct dentry *d, *up;
	int rc;

	switch (name_type(name, len)) {
	case LAST_DOT:
		return 0;
	case LAST_DOTDOT:
		up = parent_get(w, *cur);
		if (!up)
			return -EXDEV;
		*cur = up;
		return 0;
	case LAST_NAME:
	case LAST_ROOT:
		break;
	}
	rc = child_get(*cur, name, (unsigned)len, &d);
	if (rc < 0)
		return rc;
	if (inode_is(d->inode, S_IFLNK) && (!final || (w->flags & WALK_FOLLOW))) {
		rc = link_follow(w, d, cur, p);
		dentry_put(d);
		return rc;
	}
	dentry_put(*cur);
	*cur = d;
	return 0;
}

static size_t name_len(const char *p)
{
	size_t n = 0;

	while (p[n] && p[n] != '/')
		n++;
	return n;
}

static bool only_slashes(const char *p)
{
	while (*p == '/')
		p++;
	return !*p;
}

static int may_search(const struct walk *w, const struct inode *dir)
{
	return (w->flags & WALK_REAL) ? inode_may_really(dir, MAY_EXEC) : inode_may(dir, MAY_EXEC);
}

/* Walks p from cur, whose reference it takes; sets the results in w. */
static int walk_run(struct walk *w, struct dentry *cur, const char *p)
{
	int rc = 0;

	for (;;) {
		const char *name;
		size_t len;

		while (*p == '/') {
			w->slash = true;
			p++;
		}
		if (!*p)
			break;
		w->slash = false;
		rc = inode_is(cur->inode, S_IFDIR) ? may_search(w, cur->inode) : -ENOTDIR;
		name = p;
		len = name_len(p);
		if (!rc && len > NAME_MAX)
			rc = -ENAMETOOLONG;
		if (rc < 0)
			goto fail;
		p += len;
		if ((w->flags & WALK_PARENT) && only_slashes(p)) {
			w->slash = *p == '/';
			rc = walk_last(w, cur, name, len, name_type(name, len));
			if (rc < 0)
				walk_done(w);
			return rc;
		}
		rc = walk_step(w, &cur, name, len, &p);
		if (rc < 0)
			goto fail;
		if ((w->flags & WALK_NO_XDEV) && cur->inode->sb != w->start->inode->sb) {
			rc = -EXDEV;
			goto fail;
		}
	}
	if (((w->slash && !(w->flags & WALK_PARENT)) || (w->flags & WALK_DIRECTORY)) &&
		!inode_is(cur->inode, S_IFDIR)) {
		rc = -ENOTDIR;
		goto fail;
	}
	w->last_type = LAST_ROOT;
	w->dentry = cur;
	return 0;
fail:
	dentry_put(cur);
	walk_done(w);
	return rc;
}

static int walk_start(struct walk *w, const char *path)
{
	struct file *f;

	if (*path == '/' && (w->flags & WALK_BENEATH))
		return -EXDEV;
	if (*path == '/' && !(w->flags & WALK_IN_ROOT)) {
		w->start = vfs_root;
		return 0;
	}
	if (w->dirfd == AT_FDCWD) {
		w->start = vfs_cwd;
		return 0;
	}
	f = fd_file_any(w->dirfd);
	if (!f)
		return -EBADF;
	if (!f->dentry || (*path && !inode_is(f->inode, S_IFDIR)))
		return -ENOTDIR;
	w->start = f->dentry;
	return 0;
}

int walk(struct walk *w, int dirfd, const char *path, unsigned flags)
{
	int rc;

	*w = (struct walk){.dirfd = dirfd, .flags = flags};
	if (!*path && !(flags & WALK_EMPTY))
		return -ENOENT;
	rc = walk_start(w, path);
	if (rc < 0)
		return rc;
	dentry_get(w->start);
	return walk_run(w, dentry_get(w->start), path);
}

void walk_done(struct walk *w)
{
	dentry_put(w->dentry);
	dentry_put(w->parent);
	dentry_put(w->start);
	kfree(w->text);
	w->dentry = w->parent = w->start = NULL;
	w->text = NULL;
}

int walk_follow_last(struct walk *w)
{
	struct dentry *link = w->dentry, *cur = w->parent;
	const char *rest = w->slash ? "/" : "";
	int rc;

	w->dentry = w->parent = NULL;
	rc = link_follow(w, link, &cur, &rest);
	dentry_put(link);
	if (rc < 0) {
		dentry_put(cur);
		walk_done(w);
		return rc;
	}
	return walk_run(w, cur, rest);
}

/* ---- paths of the program */
int upath_get(struct upath *p, uptr_t user, bool empty_ok)
{
	long n = strncpy_from_user(p->fast, user, sizeof(p->fast));

	p->text = p->fast;
	if (n == -ENAMETOOLONG) {
		p->text = kmalloc(PATH_MAX);
		if (!p->text)
			return -ENOMEM;
		n = strncpy_from_user(p->text, user, PATH_MAX);
	}
	if (!n && !empty_ok)
		n = -ENOENT;
	if (n < 0)
		upath_put(p);
	return n < 0 ? (int)n : 0;
}

void upath_put(struct upath *p)
{
	if (p->text != p->fast)
		kfree(p->text);
	p->text = p->fast;
}

int walk_user(int dirfd, uptr_t path, unsigned flags, struct dentry **dentry)
{
	struct upath p;
	struct walk w;
	int rc = upath_get(&p, path, flags & WALK_EMPTY);

	if (rc < 0)
		return rc;
	rc = walk(&w, dirfd, p.text, flags);
	if (!rc) {
		*dentry = dentry_get(w.dentry);
		walk_done(&w);
	}
	upath_put(&p);
	return rc;
}

int walk_kernel(const char *path, unsigned flags, struct dentry **dentry)
{
	struct walk w;
	int rc = walk(&w, AT_FDCWD, path, flags);

	if (rc < 0)
		return rc;
	*dentry = dentry_get(w.dentry);
	walk_done(&w);
	return 0;
}

int walk_to_folder(uptr_t path, struct dentry **dentry)
{
	struct dentry *d;
	int rc = walk_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &d);

	if (rc < 0)
		return rc;
	rc = inode_may(d->inode, MAY_EXEC);
	if (rc < 0)
		dentry_put(d);
	else
		*dentry = d;
	return rc;
}
