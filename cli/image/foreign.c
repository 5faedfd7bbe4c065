/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind a manifest is, its files, and the runtimes of this machine. */
#include "cli/image/foreign.h"

#include "lib/jsonx.h"
#include "lib/util.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define TOP_MAX 900

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

enum foreign_kind foreign_kind(const char *path)
{
	struct stat st;

	if ((!stat(path, &st) && S_ISDIR(st.st_mode)) || ends_with(path, "meta/run.yaml") ||
		ends_with(path, "meta/package.yaml"))
		return FOREIGN_CAPSTAN;
	return ends_with(path, ".manifest") ? FOREIGN_OSV : FOREIGN_NONE;
}

static int read_text(const char *path, char **text, size_t *len, struct err *err)
{
	char *data _cleanup_free_ = malloc(YAML_MAX_BYTES + 1);
	FILE *f _cleanup_fclose_ = fopen(path, "re");

	if (!data || !f)
		return err_sys(err, data ? errno : ENOMEM, "%s", path);
	*len = fread(data, 1, YAML_MAX_BYTES + 1, f);
	if (ferror(f))
		return err_sys(err, errno, "%s", path);
	*text = steal_ptr(&data);
	return 0;
}

static int load_yaml(const char *path, const char *name, struct yaml *doc, struct err *err)
{
	char *text _cleanup_free_ = NULL;
	size_t len;
	int rc = read_text(path, &text, &len, err);

	return rc ? rc : yaml_load(name, text, len, doc, err);
}

/* --- runtimes --------------------------------------------------------------------------------------------------- */
static int resolve(const char *path, char out[1024])
{
	char *real _cleanup_free_ = realpath(path, NULL);

	if (!real)
		return -errno;
	return snprintf(out, 1024, "%s", real) < 1024 ? 0 : -ENAMETOOLONG;
}

/* The standard library of a Python is named as the program is. */
static void python_folders(struct foreign_runtime *r)
{
	const char *base = strrchr(r->program, '/') + 1;

	snprintf(r->folder[0], sizeof(r->folder[0]), "/usr/lib/%.200s", base);
}

/* ".../bin/java": lib beside it, and Debian's settings, to which links in conf lead. */
static void java_folders(struct foreign_runtime *r)
{
	size_t n = strlen(r->program) - strlen("/bin/java");
	const char *version = strstr(r->program, "/java-");

	snprintf(r->folder[0], sizeof(r->folder[0]), "%.*s", (int)n, r->program);
	if (version)
		snprintf(r->folder[1], sizeof(r->folder[1]), "/etc/java-%.*s-openjdk",
			(int)strspn(version + 6, "0123456789"), version + 6);
}

int foreign_runtime(const char *name, struct foreign_runtime *runtime, struct err *err)
{
	static const struct {
		const char *name, *path;
		void (*folders)(struct foreign_runtime *r);
	} known[] = {{"node", "/usr/bin/node", NULL},
		{"python", "/usr/bin/python3", python_folders},
		{"java", "/usr/bin/java", java_folders}};

	*runtime = (struct foreign_runtime){0};
	for (size_t i = 0; name && i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (resolve(known[i].path, runtime->program))
			return err_set(err, ENOENT, "the runtime %s is not installed (%s)", name,
				known[i].path);
		if (known[i].folders)
			known[i].folders(runtime);
	}
	return 0;
}

/* --- packages --------------------------------------------------------------------------------------------------- */
static int list_top(const char *folder, json_t **out, struct err *err)
{
	json_t *top _cleanup_json_ = json_array();
	struct dirent **list;
	int n = scandir(folder, &list, NULL, alphasort), rc = 0;

	if (n < 0)
		return err_sys(err, errno, "%s", folder);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		bool own = !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "meta") ||
			!strcmp(name, "mpm-pkg") || !strcmp(name, ".capstanignore");

		if (!own && !rc && json_array_append_new(top, json_string(name)))
			rc = err_set(err, EINVAL, "%s: a name is not UTF-8", folder);
		free(list[i]);
	}
	free(list);
	if (!rc && json_array_size(top) > TOP_MAX)
		rc = err_set(err, EINVAL, "%s holds more than %d files", folder, TOP_MAX);
	if (!rc)
		*out = steal_ptr(&top);
	return rc;
}

static int load_capstan(
	const char *folder, const struct foreign *o, struct yaml *doc, struct err *err)
{
	struct yaml package _cleanup_(yaml_fini) = {0}, run _cleanup_(yaml_fini) = {0};
	json_t *top _cleanup_json_ = NULL;
	struct foreign_runtime runtime;
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%.4000s/meta/package.yaml", folder);
	rc = load_yaml(path, "meta/package.yaml", &package, err);
	snprintf(path, sizeof(path), "%.4000s/meta/run.yaml", folder);
	if (!rc)
		rc = load_yaml(path, "meta/run.yaml", &run, err);
	if (!rc)
		rc = list_top(folder, &top, err);
	if (!rc)
		rc = foreign_runtime(
			json_string_value(json_object_get(run.root, "runtime")), &runtime, err);
	return rc ? rc : foreign_capstan(&package, &run, top, &runtime, o, doc, err);
}

int foreign_load(const char *path, const struct foreign *options, struct yaml *doc, char **context,
	struct err *err)
{
	char *text _cleanup_free_ = NULL, *folder _cleanup_free_ = strdup(path);
	struct stat st;
	size_t len;
	int rc;

	if (!folder)
		return err_set(err, ENOMEM, "out of memory");
	if (foreign_kind(path) == FOREIGN_CAPSTAN) {
		bool is_folder = !stat(path, &st) && S_ISDIR(st.st_mode);
		char *of = is_folder ? folder : dirname(dirname(folder));

		rc = load_capstan(of, options, doc, err);
		*context = rc ? NULL : strdup(of);
	} else {
		rc = read_text(path, &text, &len, err);
		if (!rc)
			rc = foreign_osv(path, text, len, options, doc, err);
		*context = rc ? NULL : strdup(dirname(folder));
	}
	return rc ? rc : *context ? 0 : err_set(err, ENOMEM, "out of memory");
}
