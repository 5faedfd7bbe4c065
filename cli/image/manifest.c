/* SPDX-License-Identifier: Apache-2.0 */
/* The validator of manifests: one table of fields, one check per kind, sentences with the line. */
#include "cli/image/manifest.h"

#include "cli/image/source.h"
#include "lib/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define WARM_PATH_BYTES   256 /* as the manager has them */
#define WARM_REQUESTS_MAX 1000

#define POINTER_BYTES 512

struct check {
	struct yaml *doc;
	bool host_files;
	struct err *err;
};

typedef int check_fn(const struct check *c, const char *pointer, json_t *value);

struct field {
	const char *key;
	check_fn *fn;
	bool required;
};

static int _printf_(3, 4) bad(const struct check *c, const char *pointer, const char *fmt, ...)
{
	char what[ERR_MSG_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(c->err, EINVAL, "%s:%d: %s%s%s", c->doc->name, yaml_line(c->doc, pointer),
		*pointer ? pointer + 1 : "", *pointer ? " " : "", what);
}

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

/* --- kinds ----------------------------------------------------------------------------------------------------- */
static int check_text(const struct check *c, const char *pointer, json_t *v)
{
	if (!json_is_string(v))
		return bad(c, pointer, "is not a text (put it in quotes)");
	if (json_string_length(v) > 4095)
		return bad(c, pointer, "is longer than 4095 bytes");
	return is_clean(json_string_value(v)) ? 0 : bad(c, pointer, "holds a control character");
}

static int check_int(
	const struct check *c, const char *pointer, const json_t *v, json_int_t min, json_int_t max)
{
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
		return bad(c, pointer, "is not a whole number from %lld to %lld", (long long)min,
			(long long)max);
	return 0;
}

static int check_port(const struct check *c, const char *pointer, json_t *v)
{
	return check_int(c, pointer, v, 1, 65535);
}

static int check_memory(const struct check *c, const char *pointer, json_t *v)
{
	return check_int(c, pointer, v, 8, 65536);
}

static int check_list(
	const struct check *c, const char *pointer, json_t *list, size_t max, check_fn *each)
{
	char item[POINTER_BYTES];

	if (!json_is_array(list))
		return bad(c, pointer, "is not a list");
	if (json_array_size(list) > max)
		return bad(c, pointer, "has more than %zu entries", max);
	for (size_t i = 0; i < json_array_size(list); i++) {
		int rc;

		snprintf(item, sizeof(item), "%s/%zu", pointer, i);
		rc = each(c, item, json_array_get(list, i));
		if (rc)
			return rc;
	}
	return 0;
}

static int check_map(
	const struct check *c, const char *pointer, json_t *map, size_t max, check_fn *each)
{
	char item[POINTER_BYTES];
	const char *key;
	json_t *v;

	if (!json_is_object(map))
		return bad(c, pointer, "is not a map");
	if (json_object_size(map) > max)
		return bad(c, pointer, "has more than %zu entries", max);
	json_object_foreach(map, key, v)
	{
		int rc;

		snprintf(item, sizeof(item), "%s/%.200s", pointer, key);
		rc = each(c, item, v);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_fields(
	const struct check *c, const char *pointer, json_t *map, const struct field *fields)
{
	char item[POINTER_BYTES];
	const char *key;
	json_t *v;

	if (!json_is_object(map))
		return bad(c, pointer, "is not a map");
	json_object_foreach(map, key, v)
	{
		const struct field *f = fields;
		int rc;

		while (f->key && strcmp(f->key, key) != 0)
			f++;
		snprintf(item, sizeof(item), "%s/%.200s", pointer, key);
		rc = f->key ? f->fn(c, item, v) : bad(c, item, "is no field of a manifest");
		if (rc)
			return rc;
	}
	for (const struct field *f = fields; f->key; f++)
		if (f->required && !json_object_get(map, f->key))
			return bad(c, pointer, "has no %s", f->key);
	return 0;
}

/* --- names and paths ------------------------------------------------------------------------------------------- */
/* Length of a name part at s, or 0. */
static size_t name_part(const char *s)
{
	size_t n = 0;

	while (islower((unsigned char)s[n]) || isdigit((unsigned char)s[n]) ||
		(n && s[n] && strchr("._-", s[n])))
		n++;
	return n <= 63 ? n : 0;
}

bool manifest_is_image_name(const char *s)
{
	bool tag = false;

	if (strlen(s) > 255)
		return false;
	for (;;) {
		size_t n = name_part(s);

		s += n;
		if (!n || !*s)
			return n > 0;
		if (tag || (*s != '/' && *s != ':'))
			return false;
		tag = *s++ == ':';
	}
}

static int check_name(const struct check *c, const char *pointer, json_t *v)
{
	int rc = check_text(c, pointer, v);

	if (rc || manifest_is_image_name(json_string_value(v)))
		return rc;
	return bad(c, pointer,
		"\"%.64s\" is no image name (a-z 0-9 . _ - with / between parts, :tag)",
		json_string_value(v));
}

/* No empty parts, no "." and "..", no part longer than 255 bytes. */
static bool is_plain_path(const char *s)
{
	if (*s == '/')
		s++;
	for (;;) {
		size_t n = strcspn(s, "/");

		if (!n || n > 255 || (n == 1 && *s == '.') || (n == 2 && !memcmp(s, "..", 2)))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static int check_from(const struct check *c, const char *pointer, json_t *v)
{
	const char *s = json_string_value(v);
	int rc = check_text(c, pointer, v);

	if (rc)
		return rc;
	if (strcmp(s, ".") != 0 && !is_plain_path(s))
		return bad(c, pointer,
			"\"%.200s\" is not a plain path (no \"..\", no \".\", no \"//\")", s);
	if (*s == '/' && !c->host_files && !source_is_system_path(s))
		return bad(c, pointer,
			"\"%.200s\" is neither in the context nor the system's (allow it with "
			"--host-files)",
			s);
	return 0;
}

static bool is_under(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

static int check_to(const struct check *c, const char *pointer, json_t *v)
{
	static const char *const own[] = {"/proc", "/sys", "/dev", "/etc/uigniter"};
	const char *s = json_string_value(v);
	int rc = check_text(c, pointer, v);

	if (rc)
		return rc;
	if (!strcmp(s, "/"))
		return 0;
	if (*s != '/' || !is_plain_path(s) || strlen(s) > 1023)
		return bad(c, pointer,
			"\"%.200s\" is not a plain absolute path (no \"..\", no \".\", no \"//\")",
			s);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (is_under(s, own[i]))
			return bad(c, pointer, "\"%.200s\" is in %s, which is the system's", s,
				own[i]);
	return 0;
}

static int check_cwd(const struct check *c, const char *pointer, json_t *v)
{
	const char *s = json_string_value(v);
	int rc = check_text(c, pointer, v);

	if (rc || !strcmp(s, "/") || (*s == '/' && is_plain_path(s)))
		return rc;
	return bad(c, pointer, "\"%.200s\" is not a plain absolute path", s);
}

/* --- fields ---------------------------------------------------------------------------------------------------- */
static int check_file(const struct check *c, const char *pointer, json_t *v)
{
	static const struct field fields[] = {
		{"from", check_from, true}, {"to", check_to, true}, {0}};

	return check_fields(c, pointer, v, fields);
}

static int check_files(const struct check *c, const char *pointer, json_t *v)
{
	return check_list(c, pointer, v, 1024, check_file);
}

static int check_program_to(const struct check *c, const char *pointer, json_t *v)
{
	int rc = check_to(c, pointer, v);

	return rc || strcmp(json_string_value(v), "/") != 0
		? rc
		: bad(c, pointer, "is no place for a file");
}

static int check_target(const struct check *c, const char *pointer, json_t *v)
{
	int rc = check_text(c, pointer, v);

	return rc || json_string_length(v) ? rc : bad(c, pointer, "is empty");
}

static int check_link(const struct check *c, const char *pointer, json_t *v)
{
	static const struct field fields[] = {
		{"to", check_program_to, true}, {"target", check_target, true}, {0}};

	return check_fields(c, pointer, v, fields);
}

static int check_links(const struct check *c, const char *pointer, json_t *v)
{
	return check_list(c, pointer, v, 1024, check_link);
}

static int check_args(const struct check *c, const char *pointer, json_t *v)
{
	return check_list(c, pointer, v, 255, check_text);
}

static int check_ports(const struct check *c, const char *pointer, json_t *v)
{
	return check_list(c, pointer, v, 64, check_port);
}

static int check_readiness(const struct check *c, const char *pointer, json_t *v)
{
	static const struct field fields[] = {{"tcp", check_port, true}, {0}};

	return check_fields(c, pointer, v, fields);
}

static int check_warm_path(const struct check *c, const char *pointer, json_t *v)
{
	const char *path = json_string_value(v);

	if (!path || path[0] != '/' || path[strcspn(path, " \r\n\t")])
		return bad(c, pointer,
			"is not the path of a request, which begins with / and has no blanks");
	return strlen(path) < WARM_PATH_BYTES ? 0 : bad(c, pointer, "is too long");
}

static int check_requests(const struct check *c, const char *pointer, json_t *v)
{
	return check_int(c, pointer, v, 1, WARM_REQUESTS_MAX);
}

static int check_warm(const struct check *c, const char *pointer, json_t *v)
{
	static const struct field fields[] = {
		{"http", check_warm_path, true}, {"requests", check_requests, false}, {0}};

	return check_fields(c, pointer, v, fields);
}

static int check_labels(const struct check *c, const char *pointer, json_t *v)
{
	return check_map(c, pointer, v, 64, check_text);
}

static bool is_env_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static int check_env_value(const struct check *c, const char *pointer, json_t *v)
{
	if (!is_env_name(strrchr(pointer, '/') + 1))
		return bad(c, pointer, "is no name of an environment variable");
	return check_text(c, pointer, v);
}

static int check_env(const struct check *c, const char *pointer, json_t *v)
{
	if (json_is_object(v) && yaml_digits(v))
		return -ENOMEM;
	return check_map(c, pointer, v, 256, check_env_value);
}

int manifest_check(struct yaml *doc, bool host_files, struct err *err)
{
	static const struct field fields[] = {
		{"name", check_name, true},
		{"program", check_from, true},
		{"to", check_program_to, false},
		{"args", check_args, false},
		{"env", check_env, false},
		{"cwd", check_cwd, false},
		{"files", check_files, false},
		{"links", check_links, false},
		{"memory_mib", check_memory, false},
		{"ports", check_ports, false},
		{"readiness", check_readiness, false},
		{"warm", check_warm, false},
		{"labels", check_labels, false},
		{0},
	};
	const struct check c = {.doc = doc, .host_files = host_files, .err = err};

	if (!json_is_object(doc->root))
		return err_set(
			err, EINVAL, "%s:1: a manifest is a map with name and program", doc->name);
	return check_fields(&c, "", doc->root, fields);
}
