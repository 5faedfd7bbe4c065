/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM wrote, on disk: one row of bytes, of which the last one to two files are kept. Each file but the last has
 * CONSOLE_FILE_BYTES exactly; after the n-th of them was full it is FILE.n, and FILE is the next one. So the place of a byte in the row follows
 * from the names alone, for the next manager too. All of it happens on the loop's thread; files change between calls only.
 */
#ifndef DAEMON_CONSOLE_FILE_H
#define DAEMON_CONSOLE_FILE_H

#include "lib/buf.h"

#include <stdint.h>
#include <sys/types.h>

#define CONSOLE_FILE_BYTES (4 * MIB)

/* Of a console that writes to `path` (absolute): how many of its files were full. 0 when there is none. */
uint64_t console_file_count(const char *path);
/* The last file, which is full, becomes FILE.(count + 1); FILE.count goes. */
void console_file_rotate(const char *path, uint64_t count);

/* Appends the last max_bytes of a console's files at most, and of these the last `lines` lines (-1: all). A file that is not
 * there has no bytes. 0 or -errno. */
int console_tail(const char *path, size_t max_bytes, long lines, struct buf *out);

/* Reads on by offset, also when the files were removed meanwhile, or others came behind them. */
struct console_reader {
	char *path;     /* owned */
	int old_fd, fd; /* owned: the file before the last, and the last; -1: none */
	uint64_t count; /* of files before fd */
};

/* 0 or -ENOMEM; the files need not be there. */
int console_reader_init(struct console_reader *r, const char *path);
void console_reader_fini(struct console_reader *r);
/* Which bytes are kept at this moment: from *begin to below *end. Files that have come are opened. 0 or -errno. */
int console_reader_extent(struct console_reader *r, uint64_t *begin, uint64_t *end);
/* The next len bytes from an offset inside the extent, or as many as there are; 0 at its end. -ESTALE before it, or -errno. */
ssize_t console_reader_read(const struct console_reader *r, uint64_t at, char *data, size_t len);

#endif
