/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of a volume. p9_super.c: mounting, inodes, attributes; p9_name.c: names; p9_file.c: open files; p9_pages.c: mappings.
 *
 * What is remembered, and for how long: nothing but what is in use. A name is asked for at each walk, attributes at each stat, data
 * at each read; a write has reached the host's page cache when the call returns, and its disk when fsync returns. The exception are
 * mapped pages: from the first touch until the last close (mappings count) reads and writes of this instance and its mappings see the same
 * frame, and what others write to the file meanwhile is not seen there. Pages written through a mapping go to the host at msync,
 * fsync, munmap, and at the program's end.
 *
 * An inode is one file of the host: it is found by qid.path as long as it is in memory, and holds a fid that the server keeps by
 * descriptor, so the number is not given to another file meanwhile. Every call may block, except release, and lookups of cached pages.
 */
#ifndef LIBOS_FS_P9FS_H
#define LIBOS_FS_P9FS_H

#include "libos/fs/inode.h"
#include "libos/fs/p9_rpc.h"
#include "libos/fs/pagemap.h"

#define P9_BUCKETS 256u

struct p9_super {
	struct super vfs;
	struct p9_client client;
	struct p9_inode *bucket[P9_BUCKETS];
};

/* An open fid; files, and dirty pages, hold it. */
struct p9_open {
	struct p9_client *client;
	uint32_t fid;
	unsigned refs;
};

struct p9_inode {
	struct inode vfs;
	uint32_t fid; /* not open */
	uint64_t path;
	uint64_t blksize, blocks; /* as last told */
	uint64_t told_ns;         /* when that was; 0: it has been changed since */
	struct p9_inode *next;
	unsigned opens; /* files */
	struct pagemap pages,
		dirty; /* frames in memory; those that mappings may have written, each with a reference more */
	uint64_t npages;
	struct p9_open *writer; /* for dirty pages: an open file that may write */
	struct p9_open *locks;  /* what the process has locked, while it has any */
	bool appending;         /* O_APPEND: size and write are two calls */
	struct waitq append_end;
};

struct p9_attr {
	uint64_t path, nlink, rdev, size, blksize, blocks;
	uint32_t mode, uid, gid;
	uint64_t atime_ns, mtime_ns, ctime_ns;
};

static inline struct p9_inode *p9_of(struct inode *inode)
{
	return (struct p9_inode *)inode;
}

static inline struct p9_super *p9_super_of(const struct inode *inode)
{
	return (struct p9_super *)inode->sb;
}

static inline struct p9_client *p9_client_of(const struct inode *inode)
{
	return &p9_super_of(inode)->client;
}

extern const struct inode_ops p9_inode_ops;
extern const struct file_ops p9_file_ops, p9_dir_ops;

/* ---- p9_super.c */
/* Walks a name (NULL: none) from a fid to a new one and asks what it is. *fid is the caller's. 0 or -errno. */
int p9_walk(struct p9_super *sb, uint32_t from, const char *name, unsigned len, uint32_t *fid,
	struct p9_attr *attr);
/* The inode of a walked fid, with a reference; takes the fid. NULL: no memory. */
struct inode *p9_iget(struct p9_super *sb, uint32_t fid, const struct p9_attr *attr);
/* Asks the host again. */
int p9_refresh(struct p9_inode *pi);
void p9_set_attr(struct p9_inode *pi, const struct p9_attr *attr);
int p9_setattr(struct inode *inode, const struct iattr *to);

/* ---- p9_name.c */
int p9_lookup(struct inode *dir, const char *name, unsigned len, struct inode **inode, bool *lower);
bool p9_still_there(struct dentry *d);
int p9_create(struct dentry *dir, const char *name, unsigned len, uint32_t mode, uint64_t rdev,
	const char *link, struct dentry **dentry);
int p9_link(struct dentry *dir, const char *name, unsigned len, struct inode *inode);
int p9_unlink(struct dentry *d);
int p9_rename(struct dentry *from, struct dentry *dir, const char *name, unsigned len,
	struct dentry *target, bool exchange);
bool p9_empty(struct dentry *dir);
long p9_readlink(struct inode *inode, char *buf, size_t size);

/* ---- p9_file.c */
int p9_file_open(struct inode *inode, struct file *f);
int p9_truncate(struct inode *inode, uint64_t size);
/* An open fid of the inode's file, with one reference. 0 or -errno. */
int p9_open_new(struct p9_inode *pi, unsigned flags, struct p9_open **open);
void p9_open_put(struct p9_open *o);

/* ---- p9_lock.c */
int p9_outer_lock(struct file *f, struct outer_lock *l);
void p9_outer_unlock(struct inode *inode);

/* ---- p9_xattr.c */
int p9_xattr_get(struct inode *inode, const char *name, char **value, size_t *size);
int p9_xattr_set(struct inode *inode, const char *name, char *value, size_t size, unsigned flags);

/* ---- p9_pages.c */
int p9_get_page(struct file *f, uint64_t pgoff, unsigned how, void **frame);
/* Sends pages that mappings may have written to the host. 0 or -errno. */
int p9_writeback(struct p9_inode *pi);
/* Frames from this page on go away; mappings fault again. */
void p9_pages_drop(struct p9_inode *pi, uint64_t from);
/* Data that was written to the file at off goes into the frames that are in memory. */
void p9_pages_update(
	struct p9_inode *pi, uint64_t off, const struct vq_buf *piece, unsigned n, uint64_t bytes);

#endif
