/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 with '+', '/' and padding (RFC 4648, section 4). */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include "lib/buf.h"

/* Appends bytes as base64. 0 or -errno of buf. */
int base64_add(struct buf *out, const void *data, size_t len);

/*
 * Decodes text of len characters into data, which has room for size bytes. How many bytes; -EINVAL: not base64 (white space, a wrong
 * length, bits that are left over), -EMSGSIZE: too long.
 */
int base64_decode(const char *text, size_t len, void *data, size_t size);

#endif
