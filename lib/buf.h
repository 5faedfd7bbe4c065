/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a limit. data is always followed by a NUL that is not counted in len. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/util.h"

#include <stdarg.h>
#include <stdint.h>

struct buf {
	char *data; /* owned; NULL while empty */
	size_t len, cap;
	size_t max; /* limit on len in bytes; 0: none */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);

/* Append; 0, -ENOMEM, or -EMSGSIZE when max would be passed (the buffer is unchanged then). */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_addstr(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);

/* Drops the first len bytes. */
void buf_consume(struct buf *b, size_t len);

#define _cleanup_buf_ _cleanup_(buf_fini)

#endif
