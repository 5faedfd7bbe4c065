/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/yaml_json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define YAML_DEPTH_MAX 32

struct reader {
	yaml_parser_t parser;
	struct err *err;
};

static int fail(struct reader *rd, const yaml_event_t *ev, const char *what)
{
	yaml_mark_t at = ev ? ev->start_mark : rd->parser.problem_mark;

	return err_set(
		rd->err, EINVAL, "line %zu, column %zu: %s", at.line + 1, at.column + 1, what);
}

static int next(struct reader *rd, yaml_event_t *ev)
{
	if (yaml_parser_parse(&rd->parser, ev))
		return 0;
	return fail(rd, NULL, rd->parser.problem ? rd->parser.problem : "not readable");
}

static json_t *number(const char *text)
{
	size_t digits = strspn(text + (*text == '-'), "0123456789");
	const char *first = text + (*text == '-');
	char *end;

	if (digits && !first[digits] && (digits == 1 || *first != '0')) {
		long long value;

		errno = 0;
		value = strtoll(text, &end, 10);
		return errno ? NULL : json_integer(value);
	}
	if (digits && first[digits] == '.' &&
		strspn(first + digits + 1, "0123456789eE+-") == strlen(first + digits + 1)) {
		double value = strtod(text, &end);

		return *end || !isfinite(value) ? NULL : json_real(value);
	}
	return NULL;
}

static json_t *scalar(const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	json_t *value;

	if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_stringn(text, ev->data.scalar.length);
	if (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
		return json_null();
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(*text == 't');
	value = number(text);
	return value ? value : json_stringn(text, ev->data.scalar.length);
}

static int read_value(struct reader *rd, yaml_event_t *ev, unsigned depth, json_t **out);

static int read_sequence(struct reader *rd, unsigned depth, json_t *array)
{
	for (;;) {
		yaml_event_t ev;
		json_t *item;
		int r = next(rd, &ev);

		if (r < 0)
			return r;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		r = read_value(rd, &ev, depth + 1, &item);
		yaml_event_delete(&ev);
		if (r < 0)
			return r;
		if (json_array_append_new(array, item) < 0)
			return err_sys(rd->err, ENOMEM, "YAML");
	}
}

/* One key and its value; 1 at the end of the mapping. */
static int read_pair(struct reader *rd, unsigned depth, json_t *object)
{
	yaml_event_t key, ev;
	json_t *value;
	int r = next(rd, &key);

	if (r < 0)
		return r;
	if (key.type == YAML_MAPPING_END_EVENT)
		r = 1;
	else if (key.type != YAML_SCALAR_EVENT)
		r = fail(rd, &key, "a key must be a word");
	else if (json_object_get(object, (const char *)key.data.scalar.value))
		r = fail(rd, &key, "this key is there already");
	else
		r = next(rd, &ev);
	if (r == 0) {
		r = read_value(rd, &ev, depth + 1, &value);
		yaml_event_delete(&ev);
		if (r == 0 &&
			json_object_set_new(object, (const char *)key.data.scalar.value, value) < 0)
			r = fail(rd, &key, "not UTF-8, or no memory");
	}
	yaml_event_delete(&key);
	return r;
}

static int read_mapping(struct reader *rd, unsigned depth, json_t *object)
{
	int r;

	do
		r = read_pair(rd, depth, object);
	while (r == 0);
	return r < 0 ? r : 0;
}

static int read_value(struct reader *rd, yaml_event_t *ev, unsigned depth, json_t **out)
{
	json_t *value;
	int r = 0;

	if (depth > YAML_DEPTH_MAX)
		return fail(rd, ev, "nested too deeply");
	switch ((int)ev->type) {
	case YAML_SCALAR_EVENT:
		if (ev->data.scalar.anchor || ev->data.scalar.tag)
			return fail(rd, ev, "anchors and tags are not taken");
		value = scalar(ev);
		break;
	case YAML_SEQUENCE_START_EVENT:
		value = json_array();
		r = ev->data.sequence_start.anchor ? fail(rd, ev, "anchors are not taken")
						   : read_sequence(rd, depth, value);
		break;
	case YAML_MAPPING_START_EVENT:
		value = json_object();
		r = ev->data.mapping_start.anchor ? fail(rd, ev, "anchors are not taken")
						  : read_mapping(rd, depth, value);
		break;
	default:
		return fail(rd, ev, "a value is wanted here");
	}
	if (!value)
		return fail(rd, ev, "not UTF-8, or no memory");
	if (r < 0) {
		json_decref(value);
		return r;
	}
	*out = value;
	return 0;
}

/* Takes the events that stand around the one document. */
static int read_document(struct reader *rd, json_t **out)
{
	json_t *value = NULL;
	bool done = false;
	int r = 0;

	while (!done && r == 0) {
		yaml_event_t ev;

		r = next(rd, &ev);
		if (r < 0)
			break;
		if (ev.type == YAML_STREAM_END_EVENT)
			done = true;
		else if (ev.type == YAML_DOCUMENT_START_EVENT && value)
			r = fail(rd, &ev, "only one document is taken");
		else if (ev.type != YAML_STREAM_START_EVENT &&
			ev.type != YAML_DOCUMENT_START_EVENT && ev.type != YAML_DOCUMENT_END_EVENT)
			r = read_value(rd, &ev, 0, &value);
		yaml_event_delete(&ev);
	}
	if (r < 0) {
		json_decref(value);
		return r;
	}
	*out = value ? value : json_null();
	return 0;
}

int yaml_load(const char *text, size_t len, json_t **root, struct err *err)
{
	struct reader rd = {.err = err};
	int r;

	if (!yaml_parser_initialize(&rd.parser))
		return err_sys(err, ENOMEM, "YAML");
	yaml_parser_set_input_string(&rd.parser, (const unsigned char *)text, len);
	r = read_document(&rd, root);
	yaml_parser_delete(&rd.parser);
	return r;
}

int yaml_load_file(const char *path, size_t max, json_t **root, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = malloc(max + 1);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	if (!text)
		return err_sys(err, ENOMEM, "%s", path);
	n = read(fd, text, max + 1);
	if (n < 0)
		return err_sys(err, errno, "cannot read %s", path);
	if ((size_t)n > max)
		return err_set(err, EFBIG, "%s has more than %zu bytes", path, max);
	return yaml_load(text, (size_t)n, root, err);
}
