/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of words, NULL behind the last, in records. */
#ifndef DAEMON_STATE_WORDS_H
#define DAEMON_STATE_WORDS_H

#include "lib/err.h"

#include <jansson.h>
#include <stddef.h>

#define RECORD_ENV_WORDS_MAX 1024

/* null when words is NULL. */
json_t *record_words(char *const *words);
/* Member `key` of root; *words, the caller's, stays NULL for null. 0 or -EINVAL with err, and what has been read so far. */
int record_load_words(
	const json_t *root, const char *key, size_t max, char ***words, struct err *err);

#endif
