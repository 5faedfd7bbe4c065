/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation of JSON from outside: the first thing that is wrong, with the JSON pointer (RFC 6901) of its place, for
 * the errors list of a problem answer. All functions return 0 or -EINVAL with the check filled; a missing field
 * (value NULL) and null are fine and leave *out as it is.
 */
#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>

struct check {
	char pointer[160];
	struct err err;
};

/* Sets pointer "/field" (field may be a path), or "/field/sub" (sub, one key, is escaped), and the sentence; returns -EINVAL. */
int check_fail(struct check *c, const char *field, const char *sub, const char *fmt, ...)
	_printf_(4, 5);

int check_uint(struct check *c, const char *field, const json_t *value, unsigned min, unsigned max,
	unsigned *out);
int check_bool(struct check *c, const char *field, const json_t *value, bool *out);
/* *out is borrowed from value. */
int check_string(struct check *c, const char *field, const json_t *value, size_t max_bytes,
	const char **out);
/* One of the words, NULL behind the last; *out its index. */
int check_word(struct check *c, const char *field, const json_t *value, const char *const *words,
	unsigned *out);
/* An array of at most max strings. */
int check_strings(struct check *c, const char *field, const json_t *value, size_t max);
/* An object of at most max strings, whose keys have at most 128 bytes. env: keys are names of environment variables. */
int check_map(struct check *c, const char *field, const json_t *value, size_t max, bool env);

#endif
