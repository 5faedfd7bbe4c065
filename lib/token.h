/* SPDX-License-Identifier: Apache-2.0 */
/* A bearer token (RFC 6750) in a file: what both sides of the manager's API read. */
#ifndef LIB_TOKEN_H
#define LIB_TOKEN_H

#include "lib/err.h"

#include <stdbool.h>

#define TOKEN_MIN_BYTES 16
#define TOKEN_MAX_BYTES 256

/*
 * The one line of a file that others may not read: 16 to 256 of the letters of RFC 6750 (b64token). token: the caller's. 0, -EACCES
 * (others may read it), -EINVAL, -errno.
 */
int token_read(const char *path, char **token, struct err *err);

/* Whether an Authorization header (may be NULL) has this token; takes as long whatever is wrong with it. */
bool token_matches(const char *token, const char *authorization);

#endif
