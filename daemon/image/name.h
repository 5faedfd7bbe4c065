/* SPDX-License-Identifier: Apache-2.0 */
/* Names that come from outside: never a path. Patterns: api/openapi.yaml, schemas Name and ImageName. */
#ifndef DAEMON_IMAGE_NAME_H
#define DAEMON_IMAGE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_BYTES       63
#define IMAGE_NAME_MAX_BYTES 240 /* with a suffix still a file name */

/* [a-z0-9][a-z0-9._-]{0,62} */
bool name_is_valid(const char *name);
/* Such parts joined by '/', and ":tag" behind the last. */
bool image_name_is_valid(const char *name);
/* The length of a name without ":latest", which is what a name without a tag means. */
size_t image_name_length(const char *name);
/* "web" and "web:latest" are one. */
bool image_name_equal(const char *a, const char *b);
/* "sha256:" and 8 to 64 hexadecimal digits: a content, or the begin of its digest. */
bool image_is_digest(const char *reference);
/* The file name of a valid image name ('/' becomes '+', which no name has). out: IMAGE_NAME_MAX_BYTES + 1. */
void image_name_encode(const char *name, char *out);
/* Back. false when the result is no valid name. */
bool image_name_decode(const char *file, size_t len, char *out);

#endif
