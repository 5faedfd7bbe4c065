/* SPDX-License-Identifier: Apache-2.0 */
/* What db reads from requests: numbers, lists of ids, names, and what a task is to be. Pure functions; a client may send anything. */
#ifndef SERVICES_DB_PARSE_H
#define SERVICES_DB_PARSE_H

#include "services/db/queue.h"

#include <stdbool.h>
#include <stddef.h>

#define DELAY_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

/* [0-9]{1,18} and nothing else; false otherwise. */
bool parse_id(const char *text, int64_t *id);
/* Decimal digits within min and max. 0 or -EINVAL. */
int parse_number(const char *text, int64_t min, int64_t max, int64_t *out);
/* "1,2,3", at most max. How many, or -EINVAL. */
int parse_ids(const char *text, int64_t *ids, int max);
/* From ?priority=, ?delay= (ms), Idempotency-Key, X-Task-Params; NULL: not given. The strings are borrowed. 0, or -EINVAL with a sentence. */
int parse_wish(const char *priority, const char *delay, const char *key, const char *params,
	struct wish *wish, struct err *err);
/* A copy that is printable ASCII: every other byte becomes '?'. Cut to size. NULL is "". */
void parse_text(const char *text, char *out, size_t size);
/* Letters, digits, '.', '_', '-' and at least one: goes back in a header as it came. */
bool plain_name(const char *s);

#endif
