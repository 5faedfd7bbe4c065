/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of uncompressed EROFS images that lie in memory (kernel documentation: Documentation/filesystems/erofs.rst, format as mkfs.erofs
 * 1.5 writes it). Nothing is copied: data is handed out as pointers into the image. Every byte of the image is hostile: offsets,
 * lengths, node numbers and names are checked at each use, and every loop is bounded by the size of what it walks.
 */
#ifndef LIBOS_FS_EROFS_H
#define LIBOS_FS_EROFS_H

#include <stdbool.h>
#include <stdint.h>

struct erofs {
	const uint8_t *image;
	uint64_t bytes; /* rounded down to blocks */
	uint64_t meta;  /* byte offset of the inode area */
	uint64_t root_nid;
	uint64_t build_ns; /* times of compact inodes */
	uint64_t inos;
};

struct erofs_inode {
	uint64_t nid, size;
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, mtime_ns;
	uint8_t layout;     /* enum erofs_layout */
	uint8_t chunk_bits; /* log2 of a chunk's bytes */
	bool chunk_index;   /* 8-byte index entries instead of block numbers */
	uint64_t data;      /* byte offset in the image: blocks, or the chunk table */
	uint64_t tail;      /* flat inline: byte offset of the last part */
};

enum erofs_layout { EROFS_FLAT_PLAIN = 0, EROFS_FLAT_INLINE = 2, EROFS_CHUNKED = 4 };

/* 0; -EINVAL: no such image, or one that needs features that are not here (compression, other block sizes, devices). */
int erofs_open(struct erofs *fs, const void *image, uint64_t bytes);
/* 0; -EUCLEAN: broken; -EOPNOTSUPP: compressed. */
int erofs_inode(const struct erofs *fs, uint64_t nid, struct erofs_inode *inode);
/* The piece of data at off, at most to the end of its block run: *data (NULL: a hole) and *n > 0. off must be below the size. */
int erofs_data(const struct erofs *fs, const struct erofs_inode *inode, uint64_t off,
	const uint8_t **data, uint64_t *n);
/* The node of a name in a directory; -ENOENT. */
int erofs_lookup(const struct erofs *fs, const struct erofs_inode *dir, const char *name,
	unsigned len, uint64_t *nid);

struct erofs_entry {
	const char *name; /* in the image, not NUL-terminated */
	unsigned len;
	uint64_t nid;
	uint64_t next; /* position behind it */
	uint8_t type;  /* DT_ */
};
/* The entry at or behind pos (0: the first); 1, 0 at the end, or -errno. "." and ".." are skipped. */
int erofs_readdir(const struct erofs *fs, const struct erofs_inode *dir, uint64_t pos,
	struct erofs_entry *entry);

#endif
