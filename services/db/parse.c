/* SPDX-License-Identifier: Apache-2.0 */
#include "services/db/parse.h"

#include <errno.h>
#include <string.h>

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_digits(const char *s, size_t len)
{
	return len >= 1 && len <= 18 && strspn(s, DIGITS) >= len;
}

bool parse_id(const char *text, int64_t *id)
{
	if (!is_digits(text, strlen(text)))
		return false;
	*id = strtoll(text, NULL, 10);
	return true;
}

int parse_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	int64_t n;

	if (!parse_id(text, &n) || n < min || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

int parse_ids(const char *text, int64_t *ids, int max)
{
	int n = 0;

	for (;;) {
		size_t len = strcspn(text, ",");

		if (n == max || !is_digits(text, len))
			return -EINVAL;
		ids[n++] = strtoll(text, NULL, 10);
		if (!text[len])
			return n;
		text += len + 1;
	}
}

int parse_wish(const char *priority, const char *delay, const char *key, const char *params,
	struct wish *wish, struct err *err)
{
	*wish = (struct wish){.key = key, .params = params};
	if (priority && parse_number(priority, 0, PRIORITY_MAX, &wish->priority) < 0)
		return err_set(err, EINVAL, "priority must be 0 to %d", PRIORITY_MAX);
	if (delay && parse_number(delay, 0, DELAY_MAX_MS, &wish->delay_ms) < 0)
		return err_set(err, EINVAL, "delay must be ms, at most a year");
	if (key &&
		(strlen(key) < 1 || strlen(key) >= KEY_BYTES ||
			strspn(key, LETTERS DIGITS "._:-") != strlen(key)))
		return err_set(err, EINVAL,
			"Idempotency-Key must be 1 to %d of A-Z a-z 0-9 . _ : -", KEY_BYTES - 1);
	/* They go back in a header as they came: letters, digits and a few marks. */
	if (params &&
		(strlen(params) >= PARAMS_BYTES ||
			strspn(params, LETTERS DIGITS "._-=&,") != strlen(params)))
		return err_set(err, EINVAL,
			"X-Task-Params must be plain: a=b&c=d, at most %d bytes", PARAMS_BYTES - 1);
	return 0;
}

void parse_text(const char *text, char *out, size_t size)
{
	snprintf(out, size, "%s", text ?: "");
	for (; *out; out++) {
		if (*out < ' ' || *out > '~')
			*out = '?';
	}
}

bool plain_name(const char *s)
{
	return *s && strspn(s, LETTERS DIGITS "._-") == strlen(s);
}
