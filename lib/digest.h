/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) of what comes in pieces, as the names of contents have it: "sha256:" and 64 hexadecimal digits, in
 * lower case. Glue over OpenSSL's EVP, the one file that knows it.
 */
#ifndef LIB_DIGEST_H
#define LIB_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_PREFIX     "sha256:"
#define DIGEST_HEX_BYTES  64
#define DIGEST_TEXT_BYTES (sizeof(DIGEST_PREFIX) + DIGEST_HEX_BYTES) /* with its NUL */

struct digest;

/* NULL without memory. */
struct digest *digest_new(void);
void digest_free(struct digest *digest); /* NULL is fine */
static inline void digest_freep(struct digest **digest)
{
	digest_free(*digest);
}

void digest_add(struct digest *digest, const void *data, size_t len);
/* The result, once: nothing may be added after it. */
void digest_end(struct digest *digest, char text[DIGEST_TEXT_BYTES]);

/* True for the text of a whole digest. */
bool digest_is_valid(const char *text);
/* A file's, from its begin to its end; the offset of fd stays where it is. 0 or -errno. */
int digest_fd(int fd, char text[DIGEST_TEXT_BYTES]);

#endif
