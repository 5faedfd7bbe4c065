/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's events to a jansson tree, with limits on depth and count, and the line of every value beside it. */
#include "cli/image/yaml.h"

#include "lib/buf.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct loader {
	yaml_parser_t parser;
	struct yaml *doc;
	struct buf pointer;
	unsigned int depth, nodes;
	struct err *err;
};

static int node(struct loader *l, const yaml_event_t *ev, json_t **out);

static int bad(struct loader *l, size_t line, const char *what)
{
	return err_set(l->err, EINVAL, "%s:%zu: %s", l->doc->name, line + 1, what);
}

static int next_event(struct loader *l, yaml_event_t *ev)
{
	if (yaml_parser_parse(&l->parser, ev))
		return 0;
	if (l->parser.error == YAML_MEMORY_ERROR)
		return err_set(l->err, ENOMEM, "out of memory");
	return bad(l,
		l->parser.problem_mark.line ? l->parser.problem_mark.line
					    : l->parser.context_mark.line,
		l->parser.problem ? l->parser.problem : "not YAML");
}

static json_t *plain_scalar(const char *s, size_t len)
{
	char *end;
	long long n;

	if (!len || !strcmp(s, "~") || !strcmp(s, "null"))
		return json_null();
	if (!strcmp(s, "true") || !strcmp(s, "false"))
		return json_boolean(*s == 't');
	if (s[strspn(s, "-")] && strspn(s, "-") <= 1 &&
		!s[strspn(s, "-") + strspn(s + strspn(s, "-"), "0123456789")]) {
		errno = 0;
		n = strtoll(s, &end, 10);
		if (!errno && !*end)
			return json_integer(n);
	}
	return json_stringn(s, len);
}

static int scalar(struct loader *l, const yaml_event_t *ev, json_t **out)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;

	if (ev->data.scalar.anchor || ev->data.scalar.tag)
		return bad(l, ev->start_mark.line, "anchors and tags are not taken");
	if (memchr(s, '\0', len))
		return bad(l, ev->start_mark.line, "a text holds a NUL character");
	*out = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(s, len)
								: json_stringn(s, len);
	return *out ? 0 : bad(l, ev->start_mark.line, "a text is not UTF-8");
}

/* Appends "/key" with ~ and / escaped as RFC 6901 says. */
static int push_key(struct buf *pointer, const char *key)
{
	int rc = buf_addstr(pointer, "/");

	for (; *key && !rc; key++)
		rc = *key == '~'      ? buf_addstr(pointer, "~0")
			: *key == '/' ? buf_addstr(pointer, "~1")
				      : buf_add(pointer, key, 1);
	return rc;
}

static void pop_key(struct buf *pointer, size_t len)
{
	pointer->len = len;
	pointer->data[len] = '\0';
}

static int child(struct loader *l, const yaml_event_t *ev, const char *key, json_t **out)
{
	size_t len = l->pointer.len;
	int rc = push_key(&l->pointer, key);

	if (!rc)
		rc = node(l, ev, out);
	pop_key(&l->pointer, len);
	return rc;
}

static int map_key(struct loader *l, const yaml_event_t *ev, const json_t *map, char **key)
{
	const char *s = (const char *)ev->data.scalar.value;

	if (ev->type != YAML_SCALAR_EVENT || ev->data.scalar.anchor || ev->data.scalar.tag ||
		memchr(s, '\0', ev->data.scalar.length))
		return bad(l, ev->start_mark.line, "a key is not a plain word");
	if (!strcmp(s, "<<"))
		return bad(l, ev->start_mark.line, "merge keys are not taken");
	if (json_object_get(map, s))
		return err_set(l->err, EINVAL, "%s:%zu: \"%.64s\" stands twice", l->doc->name,
			ev->start_mark.line + 1, s);
	*key = strdup(s);
	return *key ? 0 : -ENOMEM;
}

static int map_entry(struct loader *l, const yaml_event_t *key_event, json_t *map)
{
	char *key _cleanup_free_ = NULL;
	json_t *value = NULL;
	yaml_event_t ev;
	int rc = map_key(l, key_event, map, &key);

	if (!rc)
		rc = next_event(l, &ev);
	if (rc)
		return rc;
	rc = child(l, &ev, key, &value);
	yaml_event_delete(&ev);
	if (!rc && json_object_set_new(map, key, value))
		return bad(l, key_event->start_mark.line, "a key is not UTF-8");
	return rc;
}

static int list_entry(struct loader *l, const yaml_event_t *ev, json_t *list)
{
	char key[24];
	json_t *value = NULL;
	int rc;

	snprintf(key, sizeof(key), "%zu", json_array_size(list));
	rc = child(l, ev, key, &value);
	if (!rc && json_array_append_new(list, value))
		return -ENOMEM;
	return rc;
}

static int collection(struct loader *l, json_t *into, yaml_event_type_t end, json_t **out)
{
	json_t *c _cleanup_json_ = into;
	bool done = false;
	int rc = c ? 0 : -ENOMEM;

	while (!rc && !done) {
		yaml_event_t ev;

		rc = next_event(l, &ev);
		if (rc)
			break;
		done = ev.type == end;
		if (!done)
			rc = json_is_object(c) ? map_entry(l, &ev, c) : list_entry(l, &ev, c);
		yaml_event_delete(&ev);
	}
	if (!rc)
		*out = steal_ptr(&c);
	return rc;
}

static int nested(struct loader *l, const yaml_event_t *ev, json_t **out)
{
	bool is_map = ev->type == YAML_MAPPING_START_EVENT;
	const void *extra = is_map ? (const void *)ev->data.mapping_start.anchor
				   : ev->data.sequence_start.anchor;
	const void *tag =
		is_map ? (const void *)ev->data.mapping_start.tag : ev->data.sequence_start.tag;
	int rc;

	if (extra || tag)
		return bad(l, ev->start_mark.line, "anchors and tags are not taken");
	if (l->depth == YAML_MAX_DEPTH)
		return bad(l, ev->start_mark.line, "nested too deeply");
	l->depth++;
	rc = is_map ? collection(l, json_object(), YAML_MAPPING_END_EVENT, out)
		    : collection(l, json_array(), YAML_SEQUENCE_END_EVENT, out);
	l->depth--;
	return rc;
}

static int node(struct loader *l, const yaml_event_t *ev, json_t **out)
{
	if (++l->nodes > YAML_MAX_NODES)
		return bad(l, ev->start_mark.line, "too many values");
	if (json_object_set_new(l->doc->lines, l->pointer.data,
		    json_integer((json_int_t)ev->start_mark.line + 1)))
		return bad(l, ev->start_mark.line, "a key is not UTF-8");
	if (ev->type == YAML_SCALAR_EVENT)
		return scalar(l, ev, out);
	if (ev->type == YAML_MAPPING_START_EVENT || ev->type == YAML_SEQUENCE_START_EVENT)
		return nested(l, ev, out);
	return bad(l, ev->start_mark.line, "aliases are not taken");
}

/* Stream start, document start, the root, document end, stream end: nothing else. */
static int document(struct loader *l)
{
	static const yaml_event_type_t frame[] = {YAML_STREAM_START_EVENT,
		YAML_DOCUMENT_START_EVENT, YAML_NO_EVENT, YAML_DOCUMENT_END_EVENT,
		YAML_STREAM_END_EVENT};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(frame) && !rc; i++) {
		yaml_event_t ev;

		rc = next_event(l, &ev);
		if (rc)
			break;
		if (frame[i] == YAML_NO_EVENT)
			rc = node(l, &ev, &l->doc->root);
		else if (ev.type != frame[i])
			rc = bad(l, ev.start_mark.line,
				frame[i] == YAML_DOCUMENT_START_EVENT
					? "the file is empty"
					: "there is more than one document");
		yaml_event_delete(&ev);
	}
	return rc;
}

int yaml_load(const char *name, const char *text, size_t len, struct yaml *doc, struct err *err)
{
	struct yaml d = {.lines = json_object(), .name = name};
	struct loader l = {.doc = &d, .err = err};
	int rc;

	if (len > YAML_MAX_BYTES) {
		yaml_fini(&d);
		return err_set(
			err, EMSGSIZE, "%s is larger than %d KiB", name, YAML_MAX_BYTES / 1024);
	}
	rc = d.lines && yaml_parser_initialize(&l.parser) ? buf_addstr(&l.pointer, "") : -ENOMEM;
	if (!rc) {
		yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, len);
		rc = document(&l);
		yaml_parser_delete(&l.parser);
	}
	buf_fini(&l.pointer);
	if (rc) {
		yaml_fini(&d);
		return err && !err->code ? err_sys(err, -rc, "%s", name) : rc;
	}
	*doc = d;
	return 0;
}

int yaml_load_file(const char *path, struct yaml *doc, struct err *err)
{
	char *text _cleanup_free_ = malloc(YAML_MAX_BYTES + 1);
	FILE *f _cleanup_fclose_ = fopen(path, "re");
	size_t len;

	if (!text || !f)
		return err_sys(err, text ? errno : ENOMEM, "%s", path);
	len = fread(text, 1, YAML_MAX_BYTES + 1, f);
	if (ferror(f))
		return err_sys(err, errno, "%s", path);
	return yaml_load(path, text, len, doc, err);
}

void yaml_fini(struct yaml *doc)
{
	json_decref(doc->root);
	json_decref(doc->lines);
	doc->root = doc->lines = NULL;
}

int yaml_line(const struct yaml *doc, const char *pointer)
{
	size_t len = strlen(pointer);

	for (;;) {
		const json_t *line = json_object_getn(doc->lines, pointer, len);

		if (line)
			return (int)json_integer_value(line);
		while (len && pointer[--len] != '/')
			;
		if (!len)
			return (int)json_integer_value(json_object_get(doc->lines, ""));
	}
}

int yaml_digits(json_t *map)
{
	const char *key;
	json_t *v;

	json_object_foreach(map, key, v)
	{
		char digits[24];

		if (!json_is_integer(v))
			continue;
		snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(v));
		if (json_object_set_new_nocheck(map, key, json_string(digits)))
			return -ENOMEM;
	}
	return 0;
}
