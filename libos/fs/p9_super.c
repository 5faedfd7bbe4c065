/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: mounting, inodes and what they say about themselves. */
#include "libos/fs/p9fs.h"

#include "libos/fs/p9fs_mount.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define V9FS_MAGIC  0x01021997u
#define TOLD_NOW_NS 50000u

/* ---- attributes */
static uint64_t get_time(struct p9_call *c)
{
	uint64_t sec = p9_get64(c), nsec = p9_get64(c);

	return sec <= INT64_MAX / NS_PER_SEC && nsec < NS_PER_SEC ? sec * NS_PER_SEC + nsec : 0;
}

/* Takes an Rgetattr apart. */
static int get_attr(struct p9_call *c, struct p9_attr *a)
{
	p9_get64(c); /* valid: all that was asked */
	p9_get_bytes(c, 5);
	a->path = p9_get64(c);
	a->mode = p9_get32(c);
	a->uid = p9_get32(c);
	a->gid = p9_get32(c);
	a->nlink = p9_get64(c);
	a->rdev = p9_get64(c);
	a->size = p9_get64(c);
	a->blksize = p9_get64(c);
	a->blocks = p9_get64(c);
	a->atime_ns = get_time(c);
	a->mtime_ns = get_time(c);
	a->ctime_ns = get_time(c);
	return c->bad || a->size > INT64_MAX ? -EIO : 0;
}

static struct p9_call *begin_getattr(struct p9_client *client, uint32_t fid)
{
	struct p9_call *c = p9_begin(client, P9_TGETATTR);

	if (c) {
		p9_put32(c, fid);
		p9_put64(c, P9_GETATTR_BASIC);
	}
	return c;
}

void p9_set_attr(struct p9_inode *pi, const struct p9_attr *a)
{
	struct inode *inode = &pi->vfs;

	inode->mode = (inode->mode & S_IFMT) | (a->mode & S_PERM);
	inode->nlink = (uint32_t)a->nlink;
	inode->uid = a->uid;
	inode->gid = a->gid;
	inode->rdev = a->rdev;
	inode->size = a->size;
	inode->atime_ns = a->atime_ns;
	inode->mtime_ns = a->mtime_ns;
	inode->ctime_ns = a->ctime_ns;
	pi->blksize = a->blksize;
	pi->blocks = a->blocks;
	pi->told_ns = clock_mono_ns();
}

int p9_refresh(struct p9_inode *pi)
{
	struct p9_call *c = begin_getattr(p9_client_of(&pi->vfs), pi->fid);
	struct p9_attr a;
	int rc;

	if (!c)
		return -ENOMEM;
	rc = p9_run(c);
	if (!rc)
		rc = get_attr(c, &a);
	if (!rc)
		p9_set_attr(pi, &a);
	p9_end(c);
	return rc;
}

/* Both calls are sent at once: where the first fails, the second knows no such fid. */
int p9_walk(struct p9_super *sb, uint32_t from, const char *name, unsigned len, uint32_t *fid,
	struct p9_attr *attr)
{
	struct p9_client *client = &sb->client;
	uint32_t new = p9_fid_new(client);
	struct p9_call *w = new != P9_NOFID ? p9_begin(client, P9_TWALK) : NULL;
	struct p9_call *g = w ? begin_getattr(client, new) : NULL;
	int rc, rc2;

	if (!g) {
		if (w)
			p9_end(w);
		p9_fid_drop(client, new);
		return -ENOMEM;
	}
	p9_put32(w, from);
	p9_put32(w, new);
	p9_put16(w, name ? 1 : 0);
	if (name)
		p9_put_string(w, name, len);
	p9_start_behind(w);
	p9_start(g);
	rc2 = p9_finish(g);
	rc = p9_finish(w);
	if (!rc && p9_get16(w) != (name ? 1 : 0))
		rc = -ENOENT;
	if (rc < 0) {
		p9_fid_drop(client, new);
	} else {
		rc = rc2 < 0 ? rc2 : get_attr(g, attr);
		if (rc < 0)
			p9_clunk(client, new);
	}
	p9_end(w);
	p9_end(g);
	*fid = new;
	return rc;
}

/* ---- inodes */
static struct p9_inode **bucket_of(struct p9_super *sb, uint64_t path)
{
	return &sb->bucket[(path ^ path >> 8 ^ path >> 32) % P9_BUCKETS];
}

/* Of two fids of a file one will do. Servers that find files by path (QEMU) know the newer name better. */
static void keep_one(struct p9_super *sb, struct p9_inode *pi, uint32_t fid)
{
	uint32_t old = pi->fid;

	if (!v9p_ordered(sb->client.dev))
		pi->fid = fid;
	p9_clunk(&sb->client, pi->fid == fid ? old : fid);
}

struct inode *p9_iget(struct p9_super *sb, uint32_t fid, const struct p9_attr *a)
{
	struct p9_inode **b = bucket_of(sb, a->path), *pi;

	for (pi = *b; pi; pi = pi->next) {
		if (pi->path == a->path && ((pi->vfs.mode ^ a->mode) & S_IFMT) == 0) {
			keep_one(sb, pi, fid);
			p9_set_attr(pi, a);
			return inode_get(&pi->vfs);
		}
	}
	pi = kzalloc(sizeof(*pi));
	if (!pi) {
		p9_clunk(&sb->client, fid);
		return NULL;
	}
	inode_init(&pi->vfs, &p9_inode_ops, &sb->vfs, a->mode & (S_IFMT | S_PERM));
	pi->vfs.ino = a->path;
	pi->fid = fid;
	pi->path = a->path;
	waitq_init(&pi->append_end);
	p9_set_attr(pi, a);
	pi->next = *b;
	*b = pi;
	return &pi->vfs;
}

static void p9_release(struct inode *inode)
{
	struct p9_inode *pi = p9_of(inode), **at = bucket_of(p9_super_of(inode), pi->path);

	while (*at != pi)
		at = &(*at)->next;
	*at = pi->next;
	pagemap_drop(&pi->dirty, 0, UINT64_MAX);
	pagemap_drop(&pi->pages, 0, UINT64_MAX);
	if (pi->writer)
		p9_open_put(pi->writer);
	if (pi->locks)
		p9_open_put(pi->locks);
	p9_clunk(p9_client_of(inode), pi->fid);
	kfree(pi);
}

static void p9_stat(struct inode *inode, struct kstat *st)
{
	struct p9_inode *pi = p9_of(inode);

	/* A walk has just asked for them, in the same call; if asking fails, what was last told. */
	if (!pi->told_ns || clock_mono_ns() - pi->told_ns > TOLD_NOW_NS)
		p9_refresh(pi);
	st->mode = inode->mode;
	st->nlink = inode->nlink;
	st->uid = inode->uid;
	st->gid = inode->gid;
	st->size = inode->size;
	st->atime_ns = inode->atime_ns;
	st->mtime_ns = inode->mtime_ns;
	st->ctime_ns = inode->ctime_ns;
	st->blksize = pi->blksize;
	st->blocks = pi->blocks;
}

/* A time as Tsetattr has it. */
static void put_time(struct p9_call *c, uint64_t ns)
{
	p9_put64(c, ns / NS_PER_SEC);
	p9_put64(c, ns % NS_PER_SEC);
}

int p9_setattr(struct inode *inode, const struct iattr *to)
{
	struct p9_call *c = p9_begin(p9_client_of(inode), P9_TSETATTR);
	uint32_t valid = 0;
	int rc;

	if (!c)
		return -ENOMEM;
	valid |= to->valid & ATTR_MODE ? P9_SETATTR_MODE : 0;
	valid |= to->valid & ATTR_UID ? P9_SETATTR_UID : 0;
	valid |= to->valid & ATTR_GID ? P9_SETATTR_GID : 0;
	valid |= to->valid & ATTR_SIZE ? P9_SETATTR_SIZE : 0;
	valid |= to->valid & ATTR_ATIME ? P9_SETATTR_ATIME | P9_SETATTR_ATIME_SET : 0;
	valid |= to->valid & ATTR_MTIME ? P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET : 0;
	p9_put32(c, p9_of(inode)->fid);
	p9_put32(c, valid);
	p9_put32(c, to->mode & S_PERM);
	p9_put32(c, to->uid);
	p9_put32(c, to->gid);
	p9_put64(c, to->size);
	put_time(c, to->atime_ns);
	put_time(c, to->mtime_ns);
	rc = p9_run(c);
	p9_end(c);
	return rc < 0 ? rc : p9_refresh(p9_of(inode));
}

const struct inode_ops p9_inode_ops = {
	.lookup = p9_lookup,
	.still_there = p9_still_there,
	.create = p9_create,
	.link = p9_link,
	.unlink = p9_unlink,
	.empty = p9_empty,
	.rename = p9_rename,
	.readlink = p9_readlink,
	.open = p9_file_open,
	.outer_lock = p9_outer_lock,
	.outer_unlock = p9_outer_unlock,
	.truncate = p9_truncate,
	.setattr = p9_setattr,
	.xattr_get = p9_xattr_get,
	.xattr_set = p9_xattr_set,
	.stat = p9_stat,
	.release = p9_release,
};

/* ---- the file system */
static int p9_statfs(struct super *vfs, struct statfs *st)
{
	struct p9_super *sb = (struct p9_super *)vfs;
	struct p9_call *c = p9_begin(&sb->client, P9_TSTATFS);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, p9_of(vfs->root->inode)->fid);
	rc = p9_run(c);
	p9_get32(c); /* the host's type; ours is told */
	st->f_bsize = st->f_frsize = p9_get32(c);
	st->f_blocks = p9_get64(c);
	st->f_bfree = p9_get64(c);
	st->f_bavail = p9_get64(c);
	st->f_files = p9_get64(c);
	st->f_ffree = p9_get64(c);
	if (!rc && c->bad)
		rc = -EIO;
	p9_end(c);
	return rc;
}

/* Pages that mappings have written; the inode is held, the list may change while this waits. */
static int p9_sync_all(struct super *vfs, bool alone)
{
	struct p9_super *sb = (struct p9_super *)vfs;
	bool was = p9_alone;
	int error = 0;

	p9_alone = alone;
	for (unsigned i = 0; i < P9_BUCKETS; i++) {
		struct p9_inode *pi = sb->bucket[i], *next;

		if (pi)
			inode_get(&pi->vfs);
		for (; pi; pi = next) {
			int rc = p9_writeback(pi);

			error = error ? error : rc;
			next = pi->next;
			if (next)
				inode_get(&next->vfs);
			inode_put(&pi->vfs);
		}
	}
	p9_alone = was;
	return error;
}

static int attach(struct p9_super *sb, uint32_t fid)
{
	struct p9_call *c = p9_begin(&sb->client, P9_TATTACH);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, fid);
	p9_put32(c, P9_NOFID);
	p9_put_string(c, "root", 4);
	p9_put_string(c, "", 0);
	p9_put32(c, 0);
	rc = p9_run(c);
	p9_end(c);
	return rc;
}

static int fill_super(struct p9_super *sb, struct v9p *dev)
{
	struct inode *root;
	struct p9_attr a;
	uint32_t fid, walked;
	int rc = p9_client_init(&sb->client, dev);

	if (rc < 0)
		return rc;
	fid = p9_fid_new(&sb->client);
	rc = fid == P9_NOFID ? -ENOMEM : attach(sb, fid);
	if (!rc)
		rc = p9_walk(sb, fid, NULL, 0, &walked, &a);
	if (rc < 0)
		return rc;
	p9_clunk(&sb->client, fid);
	if ((a.mode & S_IFMT) != S_IFDIR) {
		p9_clunk(&sb->client, walked);
		return -ENOTDIR;
	}
	root = p9_iget(sb, walked, &a);
	if (!root)
		return -ENOMEM;
	sb->vfs.root = dentry_new(NULL, "/", 1, root);
	inode_put(root);
	return sb->vfs.root ? 0 : -ENOMEM;
}

/* The folder to mount at, with those above it. */
static int make_place(const char *place, struct dentry **d)
{
	char part[PATH_MAX];
	size_t n = strlen(place);

	if (place[0] != '/' || n >= sizeof(part))
		return -EINVAL;
	for (size_t i = 1; i <= n; i++) {
		if (place[i] && place[i] != '/')
			continue;
		strlcpy(part, place, i + 1);
		vfs_mkdir(AT_FDCWD, part, 0755); /* what does not work shows in the walk */
	}
	return walk_kernel(place, WALK_FOLLOW | WALK_DIRECTORY, d);
}

int p9_mount(struct v9p *dev, const char *place, bool read_only)
{
	struct p9_super *sb;
	struct dentry *d;
	int rc = make_place(place, &d);

	if (rc < 0)
		return rc;
	sb = kzalloc(sizeof(*sb));
	rc = sb ? fill_super(sb, dev) : -ENOMEM;
	if (!rc) {
		sb->vfs.type = "9p";
		sb->vfs.dev = dev_new();
		sb->vfs.magic = V9FS_MAGIC;
		sb->vfs.read_only = read_only;
		sb->vfs.statfs = p9_statfs;
		sb->vfs.sync_all = p9_sync_all;
		rc = vfs_mount(&sb->vfs, d);
	}
	dentry_put(d);
	return rc; /* what a failed mount has made is not taken apart: the program does not start */
}
