/* SPDX-License-Identifier: Apache-2.0 */
/* The depth is counted before jansson sees the text: its own limit (2,048, recursive) is too generous for small stacks. */
#include "lib/jsonx.h"

#include <errno.h>

#define DEPTH_MAX 64

static bool too_deep(const char *text, size_t len, unsigned int limit)
{
	unsigned int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > limit)
			return true;
		else if (!quoted && (c == '}' || c == ']') && depth)
			depth--;
	}
	return false;
}

int jsonx_parse(const char *text, size_t len, unsigned int depth, json_t **out, struct err *err)
{
	json_error_t je;
	json_t *json;

	if (too_deep(text, len, depth < DEPTH_MAX ? depth : DEPTH_MAX))
		return err_set(err, EINVAL, "JSON is nested too deeply");
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (!json && json_error_code(&je) == json_error_out_of_memory)
		return err_set(err, ENOMEM, "out of memory");
	if (!json)
		return err_set(
			err, EINVAL, "JSON, line %d column %d: %s", je.line, je.column, je.text);
	*out = json;
	return 0;
}

int jsonx_parse_object(
	const char *text, size_t len, unsigned int depth, json_t **out, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	int r = jsonx_parse(text, len, depth, &json, err);

	if (r < 0)
		return r;
	if (!json_is_object(json))
		return err_set(err, EINVAL, "JSON: an object is expected");
	*out = steal_ptr(&json);
	return 0;
}

static int missing(const char *key, struct err *err)
{
	return err_set(err, ENOENT, "\"%s\" is missing", key);
}

int jsonx_str(const json_t *obj, const char *key, size_t max_len, const char **out, struct err *err)
{
	json_t *v = json_object_get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_string(v))
		return err_set(err, EINVAL, "\"%s\" must be a string", key);
	if (json_string_length(v) > max_len)
		return err_set(err, EINVAL, "\"%s\" is longer than %zu bytes", key, max_len);
	*out = json_string_value(v);
	return 0;
}

int jsonx_int(
	const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	json_t *v = json_object_get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_integer(v))
		return err_set(err, EINVAL, "\"%s\" must be an integer", key);
	if (json_integer_value(v) < min || json_integer_value(v) > max)
		return err_set(err, EINVAL, "\"%s\" must be between %lld and %lld", key,
			(long long)min, (long long)max);
	*out = json_integer_value(v);
	return 0;
}

int jsonx_bool(const json_t *obj, const char *key, bool *out, struct err *err)
{
	json_t *v = json_object_get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_boolean(v))
		return err_set(err, EINVAL, "\"%s\" must be true or false", key);
	*out = json_is_true(v);
	return 0;
}

static bool absent(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	return !v || json_is_null(v);
}

int jsonx_opt_str(
	const json_t *obj, const char *key, size_t max_len, const char **out, struct err *err)
{
	return absent(obj, key) ? 0 : jsonx_str(obj, key, max_len, out, err);
}

int jsonx_opt_int(
	const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	return absent(obj, key) ? 0 : jsonx_int(obj, key, min, max, out, err);
}

int jsonx_opt_bool(const json_t *obj, const char *key, bool *out, struct err *err)
{
	return absent(obj, key) ? 0 : jsonx_bool(obj, key, out, err);
}
