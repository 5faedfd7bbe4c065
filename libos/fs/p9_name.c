/* SPDX-License-Identifier: Apache-2.0 */
/* Names on a volume. Nothing is known of a name but what the host says now; other threads run while we wait, so what was in the
 * dentry cache before is looked up again behind the answer. */
#include "libos/fs/p9fs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

static uint32_t fid_of(const struct dentry *d)
{
	return p9_of(d->inode)->fid;
}

int p9_lookup(struct inode *dir, const char *name, unsigned len, struct inode **inode, bool *lower)
{
	struct p9_attr a;
	uint32_t fid;
	int rc = p9_walk(p9_super_of(dir), p9_of(dir)->fid, name, len, &fid, &a);

	if (rc < 0)
		return rc;
	*inode = p9_iget(p9_super_of(dir), fid, &a);
	return *inode ? 0 : -ENOMEM;
}

bool p9_still_there(struct dentry *d)
{
	struct inode *now;
	bool lower, same;

	if (p9_lookup(d->parent->inode, d->name, d->len, &now, &lower) < 0)
		return false;
	same = now == d->inode;
	inode_put(now);
	return same;
}

/* The call that makes a name of this kind, complete. */
static struct p9_call *begin_create(
	struct dentry *dir, const char *name, unsigned len, uint32_t mode, const char *link)
{
	uint8_t type = link ? P9_TSYMLINK : (mode & S_IFMT) == S_IFDIR ? P9_TMKDIR : P9_TMKNOD;
	struct p9_call *c = p9_begin(p9_client_of(dir->inode), type);

	if (!c)
		return NULL;
	p9_put32(c, fid_of(dir));
	p9_put_string(c, name, len);
	if (link) {
		p9_put_string(c, link, (uint32_t)strlen(link));
	} else if (type == P9_TMKDIR) {
		p9_put32(c, mode & S_PERM);
	} else {
		p9_put32(c, mode);
		p9_put64(c, 0); /* major, minor: there are no device nodes */
	}
	p9_put32(c, 0);
	return c;
}

/* A dentry for a name that was just made; one that somebody has looked up meanwhile will do. */
static int name_add(
	struct dentry *dir, const char *name, unsigned len, struct inode *inode, struct dentry **d)
{
	*d = dentry_find(dir, name, len);
	if (*d && (*d)->inode == inode)
		return 0;
	if (*d) {
		dentry_unhash(*d);
		dentry_put(*d);
	}
	*d = dentry_new(dir, name, len, inode);
	return *d ? 0 : -ENOMEM;
}

int p9_create(struct dentry *dir, const char *name, unsigned len, uint32_t mode, uint64_t rdev,
	const char *link, struct dentry **dentry)
{
	struct inode *inode;
	struct p9_call *c;
	bool lower;
	int rc, rc2;

	if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK)
		return -EPERM;
	c = begin_create(dir, name, len, mode, link);
	if (!c)
		return -ENOMEM;
	p9_start_behind(c);
	rc2 = p9_lookup(
		dir->inode, name, len, &inode, &lower); /* sent behind it, without waiting */
	rc = p9_finish(c);
	p9_end(c);
	if (rc < 0 && !rc2)
		inode_put(inode);
	if (rc < 0 || rc2 < 0)
		return rc < 0 ? rc : rc2;
	rc = name_add(dir, name, len, inode, dentry);
	inode_put(inode);
	return rc;
}

int p9_link(struct dentry *dir, const char *name, unsigned len, struct inode *inode)
{
	struct p9_call *c = p9_begin(p9_client_of(inode), P9_TLINK);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, fid_of(dir));
	p9_put32(c, p9_of(inode)->fid);
	p9_put_string(c, name, len);
	rc = p9_run(c);
	p9_end(c);
	p9_of(inode)->told_ns = 0;
	if (!rc)
		inode->nlink++;
	return rc;
}

static void lost_name(struct dentry *d)
{
	struct inode *inode = d->inode;

	dentry_unhash(d);
	p9_of(inode)->told_ns = 0;
	if (inode_is(inode, S_IFDIR))
		inode->nlink = 0;
	else if (inode->nlink)
		inode->nlink--;
}

int p9_unlink(struct dentry *d)
{
	struct p9_call *c = p9_begin(p9_client_of(d->inode), P9_TUNLINKAT);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, fid_of(d->parent));
	p9_put_string(c, d->name, d->len);
	p9_put32(c, inode_is(d->inode, S_IFDIR) ? P9_UNLINK_DIR : 0);
	rc = p9_run(c);
	p9_end(c);
	if (!rc)
		lost_name(d);
	return rc;
}

/* The server refuses to remove what is not empty. */
bool p9_empty(struct dentry *dir)
{
	return true;
}

static int send_rename(struct dentry *from, struct dentry *dir, const char *name, unsigned len)
{
	struct p9_call *c = p9_begin(p9_client_of(dir->inode), P9_TRENAMEAT);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, fid_of(from->parent));
	p9_put_string(c, from->name, from->len);
	p9_put32(c, fid_of(dir));
	p9_put_string(c, name, len);
	rc = p9_run(c);
	p9_end(c);
	return rc;
}

/* 9P knows no exchange. */
int p9_rename(struct dentry *from, struct dentry *dir, const char *name, unsigned len,
	struct dentry *target, bool exchange)
{
	struct dentry *there;
	char *heap;
	int rc;

	if (exchange)
		return -EINVAL;
	rc = dentry_name_alloc(len, &heap);
	if (rc < 0)
		return rc;
	rc = send_rename(from, dir, name, len);
	if (rc < 0) {
		kfree(heap);
		return rc;
	}
	there = dentry_find(dir, name, len);
	if (there && there != from)
		lost_name(there);
	else if (!there && target)
		lost_name(target);
	dentry_put(there);
	if (there != from) {
		dentry_unhash(from);
		dentry_move(from, dir, name, len, heap);
	} else {
		kfree(heap); /* another thread was faster */
	}
	return 0;
}

long p9_readlink(struct inode *inode, char *buf, size_t size)
{
	struct p9_call *c = p9_begin(p9_client_of(inode), P9_TREADLINK);
	const uint8_t *text;
	uint16_t len = 0;
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, p9_of(inode)->fid);
	rc = p9_run(c);
	if (!rc) {
		len = p9_get16(c);
		text = p9_get_bytes(c, len);
		rc = text ? 0 : -EIO;
		if (text)
			memcpy(buf, text, len < size ? len : size);
	}
	p9_end(c);
	return rc < 0 ? rc : len;
}
