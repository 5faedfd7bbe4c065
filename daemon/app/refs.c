/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/refs.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define WHERE_BYTES 64

static bool is_word(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(at, word, len) == 0;
}

/* What stands between the braces. */
static int expand_one(
	const char *at, size_t len, refs_fn *fn, void *arg, struct buf *out, struct err *err)
{
	static const char before[] = "service.", behind[] = ".address";
	static const struct {
		const char *word;
		enum ref_kind kind;
	} own[] = {{"name", REF_NAME}, {"replica", REF_REPLICA}, {"app", REF_APP}};
	const size_t nbefore = sizeof(before) - 1, nbehind = sizeof(behind) - 1;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (is_word(at, len, own[i].word))
			return fn(arg, own[i].kind, NULL, 0, out, err);
	}
	if (len > nbefore + nbehind && memcmp(at, before, nbefore) == 0 &&
		memcmp(at + len - nbehind, behind, nbehind) == 0)
		return fn(arg, REF_ADDRESS, at + nbefore, len - nbefore - nbehind, out, err);
	return err_set(err, EINVAL,
		"${%.*s} is no reference (${service.NAME.address}, ${name}, ${replica}, ${app}; $$ "
		"is a $)",
		len > 80 ? 80 : (int)len, at);
}

int refs_expand(const char *text, refs_fn *fn, void *arg, struct buf *out, struct err *err)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t plain = strcspn(text, "$");
		const char *at = text + plain, *end;

		r = buf_add(out, text, plain);
		text = at;
		if (r < 0 || !*at)
			break;
		if (at[1] == '{') {
			end = strchr(at, '}');
			if (!end)
				return err_set(err, EINVAL, "a ${ has no }");
			r = expand_one(at + 2, (size_t)(end - at) - 2, fn, arg, out, err);
			text = end + 1;
			continue;
		}
		r = buf_add(out, "$", 1);
		text += at[1] == '$' ? 2 : 1;
	}
	return r;
}

static int expand_text(json_t *text, refs_fn *fn, void *arg, json_t **out, struct err *err)
{
	_cleanup_buf_ struct buf buf;
	int r;

	buf_init(&buf, 0);
	r = buf_addstr(&buf, "");
	r = r < 0 ? r : refs_expand(json_string_value(text), fn, arg, &buf, err);
	if (r < 0)
		return r;
	*out = json_stringn(buf.data, buf.len);
	return *out ? 0 : -ENOMEM;
}

static int expand_object(
	json_t *from, refs_fn *fn, void *arg, json_t *to, char where[WHERE_BYTES], struct err *err)
{
	const char *key;
	json_t *item;
	int r = 0;

	json_object_foreach(from, key, item)
	{
		json_t *expanded = NULL;

		snprintf(where, WHERE_BYTES, "%s", key);
		r = expand_text(item, fn, arg, &expanded, err);
		if (r == 0 && json_object_set_new(to, key, expanded) < 0)
			r = -ENOMEM;
		if (r < 0)
			break;
	}
	return r;
}

static int expand_list(
	json_t *from, refs_fn *fn, void *arg, json_t *to, char where[WHERE_BYTES], struct err *err)
{
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(from, i, item)
	{
		json_t *expanded = NULL;

		snprintf(where, WHERE_BYTES, "%zu", i);
		r = expand_text(item, fn, arg, &expanded, err);
		if (r == 0 && json_array_append_new(to, expanded) < 0)
			r = -ENOMEM;
		if (r < 0)
			break;
	}
	return r;
}

int refs_expand_json(json_t *value, refs_fn *fn, void *arg, json_t **out, char where[WHERE_BYTES],
	struct err *err)
{
	_cleanup_json_ json_t *to = json_is_object(value) ? json_object() : json_array();
	char place[WHERE_BYTES];
	int r;

	if (!where)
		where = place;
	where[0] = '\0';
	if (json_is_string(value))
		return expand_text(value, fn, arg, out, err);
	if (!to)
		return -ENOMEM;
	r = json_is_object(value) ? expand_object(value, fn, arg, to, where, err)
				  : expand_list(value, fn, arg, to, where, err);
	if (r == 0)
		*out = steal_ptr(&to);
	return r;
}
