/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON glue over jansson: strict parsing of outside text with a sentence that names line and column, and typed fields
 * with a sentence that names the field. Getters leave *out untouched on failure; the optional ones (jsonx_opt_*)
 * also when the field is missing or null.
 */
#ifndef LIB_JSONX_H
#define LIB_JSONX_H

#include "lib/err.h"
#include "lib/util.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Parses one JSON value of at most depth levels ("{}" is 1; at most 64); duplicate keys are refused. 0, -EINVAL, -ENOMEM. */
int jsonx_parse(const char *text, size_t len, unsigned int depth, json_t **out, struct err *err);
/* As jsonx_parse(), but anything except an object is -EINVAL. */
int jsonx_parse_object(
	const char *text, size_t len, unsigned int depth, json_t **out, struct err *err);

/* Fields of an object; strings are borrowed from it. 0, -ENOENT (missing), -EINVAL (type or bounds). */
int jsonx_str(
	const json_t *obj, const char *key, size_t max_len, const char **out, struct err *err);
int jsonx_int(const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out,
	struct err *err);
int jsonx_bool(const json_t *obj, const char *key, bool *out, struct err *err);
int jsonx_opt_str(
	const json_t *obj, const char *key, size_t max_len, const char **out, struct err *err);
int jsonx_opt_int(const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out,
	struct err *err);
int jsonx_opt_bool(const json_t *obj, const char *key, bool *out, struct err *err);

static inline void cleanup_jsonp(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ _cleanup_(cleanup_jsonp)

#endif
