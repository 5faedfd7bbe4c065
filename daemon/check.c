/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define KEY_MAX_BYTES   128
#define VALUE_MAX_BYTES 8192

/* A reference token of RFC 6901, cut where it does not fit. */
static void add_token(char *out, size_t size, const char *token)
{
	for (; *token && size > 2; token++) {
		if (*token == '~' || *token == '/') {
			*out++ = '~';
			*out++ = *token == '~' ? '0' : '1';
			size -= 2;
		} else {
			*out++ = *token;
			size--;
		}
	}
	*out = '\0';
}

int check_fail(struct check *c, const char *field, const char *sub, const char *fmt, ...)
{
	size_t n;
	va_list ap;

	snprintf(c->pointer, sizeof(c->pointer), "%s%s%s", field ? "/" : "", field ? field : "",
		sub ? "/" : "");
	n = strlen(c->pointer);
	if (sub)
		add_token(c->pointer + n, sizeof(c->pointer) - n, sub);
	c->err.code = EINVAL;
	va_start(ap, fmt);
	vsnprintf(c->err.msg, sizeof(c->err.msg), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool absent(const json_t *value)
{
	return !value || json_is_null(value);
}

int check_uint(struct check *c, const char *field, const json_t *value, unsigned min, unsigned max,
	unsigned *out)
{
	json_int_t n = json_integer_value(value);

	if (absent(value))
		return 0;
	if (!json_is_integer(value) || n < (json_int_t)min || n > (json_int_t)max)
		return check_fail(
			c, field, NULL, "%s: an integer from %u to %u is wanted", field, min, max);
	*out = (unsigned)n;
	return 0;
}

int check_bool(struct check *c, const char *field, const json_t *value, bool *out)
{
	if (absent(value))
		return 0;
	if (!json_is_boolean(value))
		return check_fail(c, field, NULL, "%s: true or false is wanted", field);
	*out = json_is_true(value);
	return 0;
}

int check_string(
	struct check *c, const char *field, const json_t *value, size_t max, const char **out)
{
	if (absent(value))
		return 0;
	if (!json_is_string(value) || json_string_length(value) > max)
		return check_fail(
			c, field, NULL, "%s: a string of at most %zu bytes is wanted", field, max);
	*out = json_string_value(value);
	return 0;
}

int check_word(struct check *c, const char *field, const json_t *value, const char *const *words,
	unsigned *out)
{
	char list[200] = "";
	size_t n = 0;

	if (absent(value))
		return 0;
	for (unsigned i = 0; words[i]; i++) {
		if (json_is_string(value) && strcmp(words[i], json_string_value(value)) == 0) {
			*out = i;
			return 0;
		}
		if (n < sizeof(list))
			n += (size_t)snprintf(
				list + n, sizeof(list) - n, "%s%s", i ? ", " : "", words[i]);
	}
	return check_fail(c, field, NULL, "%s: one of %s is wanted", field, list);
}

int check_strings(struct check *c, const char *field, const json_t *value, size_t max)
{
	const json_t *item;
	size_t i;

	if (absent(value))
		return 0;
	if (!json_is_array(value) || json_array_size(value) > max)
		return check_fail(
			c, field, NULL, "%s: a list of at most %zu strings is wanted", field, max);
	json_array_foreach(value, i, item)
	{
		char sub[24];

		snprintf(sub, sizeof(sub), "%zu", i);
		if (!json_is_string(item) || json_string_length(item) > VALUE_MAX_BYTES)
			return check_fail(c, field, sub,
				"%s: a string of at most %d bytes is wanted", field,
				VALUE_MAX_BYTES);
	}
	return 0;
}

static bool is_env_name(const char *key)
{
	if (!isalpha((unsigned char)*key) && *key != '_')
		return false;
	for (; *key; key++) {
		if (!isalnum((unsigned char)*key) && *key != '_')
			return false;
	}
	return true;
}

int check_map(struct check *c, const char *field, const json_t *value, size_t max, bool env)
{
	json_t *map = (json_t *)(uintptr_t)value; /* jansson's iterators take no const */
	const char *key;
	json_t *item;

	if (absent(value))
		return 0;
	if (!json_is_object(value) || json_object_size(value) > max)
		return check_fail(c, field, NULL, "%s: an object of at most %zu strings is wanted",
			field, max);
	json_object_foreach(map, key, item)
	{
		if (!*key || strlen(key) > KEY_MAX_BYTES || (env && !is_env_name(key)))
			return check_fail(
				c, field, key, "%s: \"%.40s\" is no good name", field, key);
		if (!json_is_string(item) || json_string_length(item) > VALUE_MAX_BYTES)
			return check_fail(c, field, key,
				"%s: the value of %.40s must be a string of at most %d bytes",
				field, key, VALUE_MAX_BYTES);
	}
	return 0;
}
