/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app/file.h"

#include "cli/app/env.h"
#include "cli/run_request.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <string.h>

#define POINTER_BYTES  512
#define NAME_MAX_BYTES 31

struct reading {
	struct app_file *file;
	const char *service;
	struct err *err;
};

static int _printf_(3, 4) bad(const struct reading *r, const char *at, const char *fmt, ...)
{
	char what[ERR_MSG_BYTES], pointer[POINTER_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(pointer, sizeof(pointer), "%s%.100s%s%.200s", r->service ? "/services/" : "",
		r->service ? r->service : "", *at ? "/" : "", at);
	return err_set(r->err, EINVAL, "%s:%d: %s%s%s", r->file->doc.name,
		yaml_line(&r->file->doc, pointer), *pointer ? pointer + 1 : "", *pointer ? " " : "",
		what);
}

/* A path relative to a folder, or an absolute one. */
static char *path_in(const char *folder, const char *path)
{
	char *joined;

	if (*path == '/')
		return strdup(path);
	return asprintf(&joined, "%s/%s", folder, path) < 0 ? NULL : joined;
}

/* --- conveniences ------------------------------------------------------------------------------------------------ */
static int read_ports(const struct reading *r, json_t *ports)
{
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i), *taken;
		char text[24], at[40];

		if (json_is_object(port))
			continue;
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(port));
		snprintf(at, sizeof(at), "ports/%zu", i);
		taken = parse_port(json_is_integer(port) ? text : json_string_value(port) ?: "");
		if (!taken)
			return bad(r, at, "is not [[ADDR:]HOST:]GUEST, such as \"8080:80\"");
		if (json_array_set_new(ports, i, taken))
			return -ENOMEM;
	}
	return 0;
}

static int read_volume(const struct reading *r, json_t *volumes, size_t i)
{
	const char *text = json_string_value(json_array_get(volumes, i));
	char *whole _cleanup_free_ = text ? path_in(r->file->folder, text) : NULL;
	json_t *taken = whole ? parse_volume(whole) : NULL;
	char at[40];

	snprintf(at, sizeof(at), "volumes/%zu", i);
	if (!taken && whole && errno)
		return bad(r, at, "\"%.200s\": %s", text, strerror(errno));
	if (!taken)
		return bad(r, at, "is not SRC:TARGET[:ro], such as \"data:/data\"");
	return json_array_set_new(volumes, i, taken) ? -ENOMEM : 0;
}

static int read_volumes(const struct reading *r, json_t *volumes)
{
	int rc = 0;

	for (size_t i = 0; i < json_array_size(volumes) && !rc; i++) {
		if (!json_is_object(json_array_get(volumes, i)))
			rc = read_volume(r, volumes, i);
	}
	return rc;
}

/* --- the environment --------------------------------------------------------------------------------------------- */
static int expand_text(struct app_file *file, const json_t *vars, const char *pointer, json_t *text,
	struct err *err)
{
	struct buf out _cleanup_buf_ = {0};
	const char *name = NULL;
	size_t len = 0;
	int rc = buf_addstr(&out, "");

	rc = rc ? rc : env_expand(json_string_value(text), vars, &out, &name, &len);
	if (rc == -EINVAL)
		return err_set(err, EINVAL,
			"%s:%d: ${env.NAME}, ${env.NAME:-DEFAULT} or ${var.NAME} is wanted",
			file->doc.name, yaml_line(&file->doc, pointer));
	if (rc == -ENOENT && strncmp(name - 4, "var.", 4) == 0)
		return err_set(err, EINVAL, "%s:%d: there is no %.*s among the vars of the file",
			file->doc.name, yaml_line(&file->doc, pointer), (int)len, name);
	if (rc == -ENOENT)
		return err_set(err, EINVAL,
			"%s:%d: there is no environment variable %.*s, and no default (${env.%.*s:-"
			"DEFAULT})",
			file->doc.name, yaml_line(&file->doc, pointer), (int)len, name, (int)len,
			name);
	return rc ? rc : json_string_set(text, out.data) ? -EINVAL : 0;
}

/* All texts of the document; its depth is bounded (YAML_MAX_DEPTH). */
static int expand_all(struct app_file *file, const json_t *vars, const char *pointer, json_t *value,
	struct err *err)
{
	char item[POINTER_BYTES];
	const char *key;
	json_t *v;
	int rc = 0;

	if (json_is_string(value))
		return expand_text(file, vars, pointer, value, err);
	json_object_foreach(value, key, v)
	{
		snprintf(item, sizeof(item), "%.300s/%.200s", pointer, key);
		rc = rc ? rc : expand_all(file, vars, item, v, err);
	}
	for (size_t i = 0; i < json_array_size(value) && !rc; i++) {
		snprintf(item, sizeof(item), "%.300s/%zu", pointer, i);
		rc = expand_all(file, vars, item, json_array_get(value, i), err);
	}
	return rc;
}

/* The variables of the file, which may name the environment, but not each other; then all else with both. vars is taken out of the document. */
static int expand(struct app_file *file, struct err *err)
{
	json_t *none _cleanup_json_ = json_object(), *vars _cleanup_json_ = NULL, *v;
	const struct reading r = {.file = file, .err = err};
	const char *key;
	int rc;

	vars = json_incref(json_object_get(file->doc.root, "vars"));
	if (vars && !json_is_object(vars))
		return bad(&r, "", "vars is a map of texts");
	rc = yaml_digits(vars);
	rc = rc ? rc : expand_all(file, none, "/vars", vars, err);
	json_object_foreach(vars, key, v)
	{
		if (!rc && !json_is_string(v))
			rc = bad(&r, "", "vars: %.60s is not a text", key);
	}
	if (rc)
		return rc;
	json_object_del(file->doc.root, "vars");
	return expand_all(file, vars ? vars : none, "", file->doc.root, err);
}

/* --- builds ------------------------------------------------------------------------------------------------------ */
static int build_fields(
	const struct reading *r, json_t *build, const char **manifest, const char **context)
{
	const char *key;
	json_t *v;

	json_object_foreach(build, key, v)
	{
		char at[80];

		snprintf(at, sizeof(at), "build/%.60s", key);
		if (strcmp(key, "manifest") != 0 && strcmp(key, "context") != 0)
			return bad(r, at, "is no field of a build (manifest, context)");
		if (!json_is_string(v) || !json_string_length(v))
			return bad(r, at, "is not a path");
	}
	*manifest = json_is_object(build) ? json_string_value(json_object_get(build, "manifest"))
					  : json_string_value(build);
	*context = json_string_value(json_object_get(build, "context"));
	return 0;
}

static int read_build(const struct reading *r, const json_t *service, json_t *build)
{
	struct app_file *file = r->file;
	const char *manifest = NULL, *context = NULL;
	struct app_build *b;
	int rc = build_fields(r, build, &manifest, &context);

	if (rc)
		return rc;
	if (!manifest || !*manifest)
		return bad(r, "build", "names no manifest");
	if (file->nbuilds == APP_FILE_BUILDS_MAX)
		return bad(r, "build", "is one too many (%d)", APP_FILE_BUILDS_MAX);
	b = &file->builds[file->nbuilds++];
	b->service = r->service;
	b->image = json_string_value(json_object_get(service, "image"));
	b->manifest = path_in(file->folder, manifest);
	b->context = context ? strdup(context) : NULL;
	return b->manifest && (!context || b->context) ? 0 : -ENOMEM;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static int read_service(struct app_file *file, const char *name, json_t *given, struct err *err)
{
	const struct reading r = {.file = file, .service = name, .err = err};
	json_t *service _cleanup_json_ = json_deep_copy(given);
	json_t *build = json_object_get(given, "build");
	int rc;

	if (!json_is_object(given))
		return bad(&r, "", "is not a map");
	if (!service)
		return -ENOMEM;
	rc = yaml_digits(json_object_get(service, "env"));
	rc = rc ? rc : read_ports(&r, json_object_get(service, "ports"));
	rc = rc ? rc : read_volumes(&r, json_object_get(service, "volumes"));
	if (!rc && build) {
		rc = read_build(&r, given, build);
		json_object_del(service, "build");
	}
	if (rc)
		return rc;
	return json_object_set(json_object_get(file->body, "services"), name, service) ? -ENOMEM
										       : 0;
}

static bool is_app_name(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len && len <= NAME_MAX_BYTES && !s[len] && *s != '-';
}

static int read_root(struct app_file *file, struct err *err)
{
	const struct reading r = {.file = file, .err = err};
	json_t *root = file->doc.root, *services = json_object_get(root, "services"), *v;
	const char *key;
	int rc = 0;

	if (!json_is_object(root))
		return bad(&r, "", "an application is a map with name and services");
	json_object_foreach(root, key, v)
	{
		if (strcmp(key, "name") != 0 && strcmp(key, "services") != 0)
			return bad(&r, "", "%.100s is no field of an application", key);
	}
	file->name = json_string_value(json_object_get(root, "name"));
	if (!file->name || !is_app_name(file->name))
		return bad(&r, "",
			"an application needs a name ([a-z0-9][a-z0-9-]*, at most %d characters)",
			NAME_MAX_BYTES);
	if (!json_is_object(services))
		return bad(&r, "", "an application needs services, a map");
	file->body = json_pack("{s:{}}", "services");
	file->builds = calloc(APP_FILE_BUILDS_MAX, sizeof(*file->builds));
	if (!file->body || !file->builds)
		return -ENOMEM;
	json_object_foreach(services, key, v)
	{
		rc = read_service(file, key, v, err);
		if (rc)
			break;
	}
	return rc;
}

static int finish(
	const char *path, int rc, struct app_file *f, struct app_file *out, struct err *err)
{
	char *copy _cleanup_free_ = strdup(path);

	f->folder = copy ? strdup(dirname(copy)) : NULL;
	if (!rc && !f->folder)
		rc = -ENOMEM;
	rc = rc ? rc : expand(f, err);
	rc = rc ? rc : read_root(f, err);
	if (!rc) {
		*out = *f;
		return 0;
	}
	app_file_fini(f);
	return err->code ? rc : err_sys(err, -rc, "%s", path);
}

int app_file_load(const char *path, struct app_file *file, struct err *err)
{
	struct app_file f = {0};
	int rc = yaml_load_file(path, &f.doc, err);

	return finish(path, rc, &f, file, err);
}

int app_file_parse(
	const char *path, const char *text, size_t len, struct app_file *file, struct err *err)
{
	struct app_file f = {0};
	int rc = yaml_load(path, text, len, &f.doc, err);

	return finish(path, rc, &f, file, err);
}

void app_file_fini(struct app_file *file)
{
	for (size_t i = 0; i < file->nbuilds; i++) {
		free(file->builds[i].manifest);
		free(file->builds[i].context);
	}
	free(file->builds);
	free(file->folder);
	json_decref(file->body);
	yaml_fini(&file->doc);
	*file = (struct app_file){0};
}

int app_file_set_image(struct app_file *file, const struct app_build *build, const char *image)
{
	json_t *services = json_object_get(file->body, "services");

	return json_object_set_new(
		       json_object_get(services, build->service), "image", json_string(image))
		? -ENOMEM
		: 0;
}

char *app_file_context(const struct app_file *file, const struct app_build *build, const char *root)
{
	if (build->context)
		return path_in(root ? root : file->folder, build->context);
	return root ? strdup(root) : NULL;
}
