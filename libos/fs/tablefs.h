/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only file systems made from a table of paths: /proc and /sys. Nothing is allocated until a name is looked up; a file's text is made
 * by its function when it is opened, and again when it is read from position 0.
 */
#ifndef LIBOS_FS_TABLEFS_H
#define LIBOS_FS_TABLEFS_H

#include "libos/fs/inode.h"

/* Text that grows; after a failed allocation it stays as it is and the error comes out at the end. */
struct text {
	char *buf;
	size_t len, size;
	bool failed;
};
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_put(struct text *t, const void *data, size_t n);
/* Room for at least n bytes behind len; NULL: no memory. The caller adds what it wrote to len. */
char *text_room(struct text *t, size_t n);

struct table_entry {
	const char *path; /* "a/b/c"; a part that is * stands for a number that `number` accepts */
	const char *text; /* fixed contents, or */
	int (*make)(struct text *t,
		uint64_t number); /* 0 or -errno; number: that of the last *, or arg */
	int (*write)(const char *buf, size_t n, uint64_t number); /* NULL: read-only */
	/* instead of a file: a symbolic link whose text make() gives; jump: one that leads to an object */
	bool link;
	int (*jump)(uint64_t number, struct dentry **d);
	uint64_t arg;  /* number of a path without a * */
	uint32_t mode; /* permission; 0: 0444 (0644 when it can be written, 0777 a link) */
};

struct table {
	const struct table_entry *entry;
	unsigned count;
	/* Which numbers a * stands for below the directory `path`: the lowest >= from, or -1. */
	int64_t (*next_number)(const char *path, int64_t from);
};

int tablefs_new(const char *type, uint64_t magic, bool enoent, const struct table *table,
	struct super **sb);

#endif
