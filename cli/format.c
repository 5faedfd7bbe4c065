/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, JSON and ids on stdout. */
#include "cli/format.h"

#include "cli/format_impl.h"
#include "cli/parse.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define ID_CHARS    12
#define COLUMNS_MAX 16

int format_init(struct format *f, const struct args *args, bool has_quiet, struct err *err)
{
	const char *v = args_text(args, "format");

	f->mode = FORMAT_TABLE;
	if (has_quiet && args_has(args, "quiet")) {
		if (v)
			return err_set(err, EINVAL, "--quiet and --format exclude each other");
		f->mode = FORMAT_IDS;
	}
	if (!v || !strcmp(v, "table"))
		return 0;
	if (!strcmp(v, "json")) {
		f->mode = FORMAT_JSON;
	} else if (!strcmp(v, "json-lines")) {
		f->mode = FORMAT_JSON_LINES;
	} else if (strchr(v, '{')) {
		f->mode = FORMAT_TEMPLATE;
		f->template = v;
	} else {
		return err_set(err, EINVAL,
			"--format \"%s\" is none of table, json, json-lines, and no template such "
			"as '{name}'",
			v);
	}
	return 0;
}

const json_t *format_field(const json_t *object, const char *path, size_t len)
{
	while (object && len) {
		size_t n = 0;

		while (n < len && path[n] != '.')
			n++;
		object = json_object_getn(object, path, n);
		path += n;
		len -= n;
		if (len) {
			path++;
			len--;
		}
	}
	return object;
}

static int add_printable(struct buf *out, const char *s, size_t len)
{
	int rc = 0;

	for (size_t i = 0; i < len && !rc; i++) {
		bool control = (unsigned char)s[i] < ' ' || s[i] == 0x7f;

		rc = buf_add(out, control ? "?" : &s[i], 1);
	}
	return rc;
}

/* An id or a digest, as much of it as tells one from another. */
static int add_short(struct buf *out, const char *s)
{
	static const char prefix[] = "sha256:";

	if (!s)
		return buf_addstr(out, "-");
	if (!strncmp(s, prefix, strlen(prefix)))
		s += strlen(prefix);
	return add_printable(out, s, strnlen(s, ID_CHARS));
}

int format_value(struct buf *out, const json_t *value)
{
	char *text _cleanup_free_ = NULL;

	if (!value || json_is_null(value))
		return buf_addstr(out, "-");
	if (json_is_string(value))
		return json_string_length(value)
			? add_printable(out, json_string_value(value), json_string_length(value))
			: buf_addstr(out, "-");
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	return text ? buf_addstr(out, text) : -ENOMEM;
}

static int add_age(struct buf *out, const json_t *value)
{
	struct tm tm = {0};
	const char *end = json_is_string(value)
		? strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%S", &tm)
		: NULL;
	long long s = end ? (long long)(time(NULL) - timegm(&tm)) : 0;

	if (!end)
		return buf_addstr(out, "-");
	if (s < 0)
		s = 0;
	if (s < 120)
		return buf_printf(out, "%llds", s);
	if (s < 2ll * 3600)
		return buf_printf(out, "%lldm", s / 60);
	if (s < 48ll * 3600)
		return buf_printf(out, "%lldh", s / 3600);
	return buf_printf(out, "%lldd", s / 86400);
}

static int add_bytes(struct buf *out, const json_t *value)
{
	double n = json_number_value(value);
	const char *unit = "B";

	for (const char *const *u = (const char *const[]){"KiB", "MiB", "GiB", NULL};
		*u && n >= 1024; u++) {
		n /= 1024;
		unit = *u;
	}
	return buf_printf(out, *unit == 'B' ? "%.0f %s" : "%.1f %s", n, unit);
}

static int add_port(struct buf *out, const json_t *port, bool first)
{
	const char *address = json_string_value(json_object_get(port, "address"));
	const char *protocol = json_string_value(json_object_get(port, "protocol"));
	bool udp = protocol && strcmp(protocol, "udp") == 0;
	bool lost = json_is_true(json_object_get(port, "lost"));

	return buf_printf(out, "%s%s:%lld->%lld%s%s", first ? "" : ",",
		address ? address : "127.0.0.1",
		(long long)json_integer_value(json_object_get(port, "host")),
		(long long)json_integer_value(json_object_get(port, "guest")), udp ? "/udp" : "",
		lost ? "(lost)" : "");
}

static int add_list(struct buf *out, const json_t *list, enum column_kind kind)
{
	size_t i;
	json_t *v;
	int rc = 0;

	if (!json_array_size(list))
		return buf_addstr(out, "-");
	for (i = 0; i < json_array_size(list) && !rc; i++) {
		v = json_array_get(list, i);
		if (kind == COLUMN_PORTS)
			rc = add_port(out, v, i == 0);
		else
			rc = buf_printf(
				out, "%s%lld", i ? "," : "", (long long)json_integer_value(v));
	}
	return rc;
}

static int add_cell(struct buf *out, const struct column *c, const json_t *object)
{
	const json_t *v = format_field(object, c->key, strlen(c->key));

	switch (c->kind) {
	case COLUMN_ID:
	case COLUMN_DIGEST:
		return add_short(out, json_string_value(v));
	case COLUMN_MS:
		return json_is_number(v) ? buf_printf(out, "%.2f", json_number_value(v))
					 : buf_addstr(out, "-");
	case COLUMN_AGE:
		return add_age(out, v);
	case COLUMN_BYTES:
		return json_is_number(v) ? add_bytes(out, v) : buf_addstr(out, "-");
	case COLUMN_MIB:
		return json_is_number(v) ? buf_printf(out, "%.0f MiB", json_number_value(v))
					 : buf_addstr(out, "-");
	case COLUMN_PORTS:
	case COLUMN_NUMBERS:
		return add_list(out, v, c->kind);
	case COLUMN_TEXT:
		break;
	}
	return format_value(out, v);
}

/* A table row: cells separated by at least two blanks, none behind the last. */
static void print_row(char *const *cell, const size_t *width, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		printf("%-*s  ", (int)width[i], cell[i]);
	puts(cell[n - 1]);
}

static void free_cells(char **cell, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(cell[i]);
	free(cell);
}

static int fill_row(const struct format *f, const json_t *object, char **cell, size_t *width)
{
	for (size_t i = 0; i < f->ncolumns; i++) {
		struct buf text _cleanup_buf_ = {0};
		int rc = object ? add_cell(&text, &f->columns[i], object)
				: buf_addstr(&text, f->columns[i].header);

		if (rc)
			return rc;
		if (text.len > width[i])
			width[i] = text.len;
		cell[i] = steal_ptr(&text.data);
	}
	return 0;
}

static int print_table(const struct format *f, const json_t *items)
{
	size_t rows = json_array_size(items) + 1, n = f->ncolumns, width[COLUMNS_MAX] = {0};
	char **cell = calloc(rows * n, sizeof(*cell));
	int rc = cell ? 0 : -ENOMEM;

	for (size_t r = 0; r < rows && !rc; r++)
		rc = fill_row(f, r ? json_array_get(items, r - 1) : NULL, cell + r * n, width);
	for (size_t r = 0; r < rows && !rc; r++)
		print_row(cell + r * n, width, n);
	if (cell)
		free_cells(cell, rows * n);
	return rc;
}

static int print_json(const json_t *value, size_t flags)
{
	int rc = json_dumpf(value, stdout, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

	putchar('\n');
	return rc ? -EIO : 0;
}

static int print_text(struct buf *text)
{
	fwrite(text->data ? text->data : "", 1, text->len, stdout);
	return 0;
}

static int print_one(const struct format *f, const json_t *object, struct err *err)
{
	struct buf text _cleanup_buf_ = {0};
	int rc;

	if (f->mode == FORMAT_JSON_LINES)
		return print_json(object, JSON_COMPACT);
	if (f->mode == FORMAT_TEMPLATE) {
		rc = template_print(f, object, &text, err);
	} else {
		rc = format_value(&text, format_field(object, f->id_key, strlen(f->id_key)));
		if (!rc)
			rc = buf_addstr(&text, "\n");
	}
	return rc ? rc : print_text(&text);
}

int format_flush(struct err *err)
{
	if (fflush(stdout) || ferror(stdout))
		return err_set(err, EIO, "cannot write to stdout");
	return 0;
}

int format_items(const struct format *f, const json_t *items, struct err *err)
{
	int rc = 0;

	if (f->mode == FORMAT_TABLE)
		rc = print_table(f, items);
	else if (f->mode == FORMAT_JSON)
		rc = print_json(items, JSON_INDENT(2));
	else
		for (size_t i = 0; i < json_array_size(items) && !rc; i++)
			rc = print_one(f, json_array_get(items, i), err);
	if (rc && err && !err->code)
		err_sys(err, -rc, "cannot print");
	return rc ? rc : format_flush(err);
}

static int print_fields(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		struct buf text _cleanup_buf_ = {0};

		if (format_value(&text, value))
			return -ENOMEM;
		printf("%-16s  %s\n", key, text.data);
	}
	return 0;
}

int format_object(const struct format *f, const json_t *object, struct err *err)
{
	int rc;

	if (f->mode == FORMAT_TABLE)
		rc = print_fields(object);
	else if (f->mode == FORMAT_JSON)
		rc = print_json(object, JSON_INDENT(2));
	else
		rc = print_one(f, object, err);
	return rc ? rc : format_flush(err);
}
