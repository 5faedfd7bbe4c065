/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app/env.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char env_begin[] = "${env.", var_begin[] = "${var.";

/* What stands between ${env. and }. */
static int expand_one(const char *at, size_t len, struct buf *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t n = strspn(at, letters);
	char name[256];
	const char *value;

	if (!n || n > len || n >= sizeof(name) || (at[0] >= '0' && at[0] <= '9') ||
		(n < len && (len - n < 2 || memcmp(at + n, ":-", 2) != 0)))
		return -EINVAL;
	memcpy(name, at, n);
	name[n] = '\0';
	value = getenv(name);
	if (value && (*value || n == len))
		return buf_addstr(out, value);
	return n < len ? buf_add(out, at + n + 2, len - n - 2) : -ENOENT;
}

/* What stands between ${var. and }. */
static int expand_var(const json_t *vars, const char *at, size_t len, struct buf *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	char name[256];
	const char *value;

	if (!len || len >= sizeof(name) || strspn(at, letters) != len)
		return -EINVAL;
	memcpy(name, at, len);
	name[len] = '\0';
	value = json_string_value(json_object_get(vars, name));
	return value ? buf_addstr(out, value) : -ENOENT;
}

/* The first of both, or NULL. */
static const char *next_reference(const char *text, bool *var)
{
	const char *env = strstr(text, env_begin), *v = strstr(text, var_begin);

	*var = v && (!env || v < env);
	return *var ? v : env;
}

int env_expand(
	const char *text, const json_t *vars, struct buf *out, const char **name, size_t *len)
{
	int rc = 0;

	while (!rc && *text) {
		bool var;
		const char *at = next_reference(text, &var), *end;
		bool escaped = at && at > text && at[-1] == '$';

		*name = at;
		if (!at || escaped) {
			size_t n = at ? (size_t)(at - text) + 1 : strlen(text);

			rc = buf_add(out, text, n);
			text += n;
			continue;
		}
		end = strchr(at, '}');
		*name = at + sizeof(env_begin) - 1;
		*len = end ? (size_t)(end - *name) : strlen(*name);
		if (!end)
			return -EINVAL;
		rc = buf_add(out, text, (size_t)(at - text));
		rc = rc       ? rc
			: var ? expand_var(vars, *name, *len, out)
			      : expand_one(*name, *len, out);
		if (!rc)
			text = end + 1;
	}
	return rc;
}
