/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writable file system: a tmpfs whose inodes may have an inode of the EROFS image below them. There is no second tree to
 * copy up to: a page of a file is the image's until it is written, a name is the image's until it is changed. memfs.c names and inodes,
 * memfs_dir.c directories, memfs_data.c file data.
 */
#ifndef LIBOS_FS_MEMFS_H
#define LIBOS_FS_MEMFS_H

#include "libos/fs/erofs.h"
#include "libos/fs/inode.h"
#include "libos/fs/pagemap.h"

#define NID_BUCKETS 256u

struct memfs_super {
	struct super vfs;
	bool has_image;
	struct erofs image;
	struct memfs_inode *bucket[NID_BUCKETS]; /* inodes with something below, by nid */
};

struct memfs_inode {
	struct inode vfs;
	bool has_lower; /* lower is valid, and the inode is in the nid hash */
	bool pinned;    /* changed: holds a reference to itself, so that the nid hash keeps it */
	struct erofs_inode lower;
	struct memfs_inode *nid_next;
	/* regular files */
	struct pagemap pages;
	uint64_t npages;
	uint64_t
		lower_limit; /* bytes of the image's data that still show through, where there is no frame */
	bool lent;           /* a page that is not a frame of its own was given to a mapping */
	void *tail; /* frame with the last, unaligned part of the image's data; for mappings */
	/* symbolic links of our own */
	char *link;
	/* directories: the names of our own, and whiteouts. A free slot holds (next free + 1) << 1 | 1. */
	struct dentry **slot;
	uint32_t nslots, free_slot; /* free_slot: index + 1; 0: none */
};

static inline struct memfs_inode *memfs_of(struct inode *inode)
{
	return (struct memfs_inode *)inode;
}

static inline struct memfs_super *memfs_super_of(struct inode *inode)
{
	return (struct memfs_super *)inode->sb;
}

extern const struct inode_ops memfs_inode_ops;
extern const struct file_ops memfs_file_ops, memfs_dir_ops;

/* ---- memfs.c */
int memfs_inode_new(struct super *sb, uint32_t mode, struct inode **inode);
int memfs_touch(struct inode *inode);

/* ---- memfs_dir.c */
int memfs_lookup(
	struct inode *dir, const char *name, unsigned len, struct inode **inode, bool *lower);
int memfs_name_add(struct dentry *dir, const char *name, unsigned len, struct inode *inode,
	struct dentry **dentry);
int memfs_unlink(struct dentry *d);
int memfs_rename(struct dentry *from, struct dentry *dir, const char *name, unsigned len,
	struct dentry *target, bool exchange);
bool memfs_empty(struct dentry *dir);
/* The image's inode, as ours. */
int memfs_iget(struct memfs_super *sb, uint64_t nid, struct inode **inode);

/* ---- memfs_data.c */
int memfs_truncate(struct inode *inode, uint64_t size);
int memfs_fallocate(struct inode *inode, unsigned mode, uint64_t off, uint64_t len);
void memfs_data_free(struct memfs_inode *mi);

#endif
