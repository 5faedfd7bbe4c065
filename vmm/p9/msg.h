/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking 9P messages apart and putting answers together. Both cursors remember that something did not fit, so that a caller reads or
 * writes all fields of a message and asks once. Nothing is ever read or written outside the buffer.
 */
#ifndef VMM_P9_MSG_H
#define VMM_P9_MSG_H

#include "abi/p9.h"

#include <stdbool.h>
#include <stdint.h>

struct p9_in {
	const uint8_t *at, *end;
	bool bad; /* ran over the end, or a string was not one */
};

struct p9_out {
	uint8_t *at, *end;
	bool full;
};

struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

/* Values of a bad cursor are 0. */
uint8_t p9_get8(struct p9_in *in);
uint16_t p9_get16(struct p9_in *in);
uint32_t p9_get32(struct p9_in *in);
uint64_t p9_get64(struct p9_in *in);

/* A string of at most max bytes without a NUL, copied to text (max + 1 bytes) and ended there. Anything else makes the cursor
 * bad and text empty. */
void p9_get_string(struct p9_in *in, char *text, uint32_t max);

/* A name in a directory: 1 to P9_NAME_MAX bytes, no slash, not "." and not "..". 0, -EINVAL (a bad message), -ENAMETOOLONG, or
 * -ENOENT for names that can not be; the cursor is behind the string in any case but the first. */
int p9_get_name(struct p9_in *in, char name[P9_NAME_MAX + 1]);

void p9_put8(struct p9_out *out, uint8_t value);
void p9_put16(struct p9_out *out, uint16_t value);
void p9_put32(struct p9_out *out, uint32_t value);
void p9_put64(struct p9_out *out, uint64_t value);
void p9_put_string(struct p9_out *out, const char *text, uint32_t len);
void p9_put_qid(struct p9_out *out, const struct p9_qid *qid);

#endif
