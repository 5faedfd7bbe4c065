/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest -> checked JSON -> root folder -> EROFS file. */
#include "cli/image/build.h"

#include "cli/image/libs.h"
#include "cli/image/manifest.h"
#include "cli/image/root.h"
#include "cli/image/source.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

int manifest_load(const char *path, bool host_files, struct yaml *doc, struct err *err)
{
	int rc = yaml_load_file(path, doc, err);

	return rc ? rc : manifest_check(doc, host_files, err);
}

static int open_context(const struct image_options *o, const char *own, int *fd, struct err *err)
{
	char *copy _cleanup_free_ = strdup(o->manifest);
	const char *folder = o->context ? o->context : own ? own : copy ? dirname(copy) : ".";
	int n = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (n < 0)
		return err_sys(err, errno, "context %s", folder);
	*fd = n;
	return 0;
}

static int at_line(const struct yaml *doc, const char *pointer, struct err *err)
{
	return err_prefix(err, "%s:%d", doc->name, yaml_line(doc, pointer));
}

/* What is going on: the folder being filled, and where its files come from. */
struct assembly {
	struct root *root;
	const struct yaml *doc;
	int context;
	bool host_files;
	struct libs *libs;        /* owned */
	char *program;            /* its path in the image, owned */
	char host_path[PATH_MAX]; /* of the program */
};

static int open_source(const struct assembly *a, const char *path, int *fd, struct err *err)
{
	return source_open(a->context, path, a->host_files, fd, err);
}

static int add_program(struct assembly *a, struct err *err)
{
	char *to _cleanup_free_ = NULL;
	int fd _cleanup_close_ = -1;
	int rc = open_source(
		a, json_string_value(json_object_get(a->doc->root, "program")), &fd, err);

	if (!rc)
		rc = source_path(fd, a->host_path, err);
	if (!rc)
		rc = manifest_program_path(a->doc->root, &to);
	if (!rc) {
		rc = libs_new(a->root, fd, a->host_path, &a->libs, err);
		if (rc == -ENOEXEC)
			err_prefix(err, "%s", a->host_path);
	}
	if (!rc)
		rc = root_add_file(a->root, to, fd, true, err);
	a->program = steal_ptr(&to);
	a->root->there = a->program;
	return rc ? at_line(a->doc, "/program", err) : 0;
}

static int visit_file(void *arg, int fd, struct err *err)
{
	struct assembly *a = arg;

	return libs_note(a->libs, fd, err);
}

static int visit_system_file(void *arg, int fd, struct err *err)
{
	return source_check_public(fd, err) ?: visit_file(arg, fd, err);
}

static int add_files(struct assembly *a, struct err *err)
{
	const json_t *files = json_object_get(a->doc->root, "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		const char *from = json_string_value(json_object_get(file, "from"));
		bool public = *from == '/' && !a->host_files;
		int fd _cleanup_close_ = -1;
		char pointer[40];
		int rc = open_source(a, from, &fd, err);

		if (!rc)
			rc = root_add_tree(a->root, json_string_value(json_object_get(file, "to")),
				fd, public ? visit_system_file : visit_file, a, err);
		snprintf(pointer, sizeof(pointer), "/files/%zu", i);
		if (rc)
			return at_line(a->doc, pointer, err);
	}
	return 0;
}

static int add_links(struct assembly *a, struct err *err)
{
	const json_t *links = json_object_get(a->doc->root, "links");
	int rc = 0;

	for (size_t i = 0; i < json_array_size(links) && !rc; i++) {
		const json_t *link = json_array_get(links, i);
		char pointer[40];

		snprintf(pointer, sizeof(pointer), "/links/%zu", i);
		rc = root_add_link(a->root, json_string_value(json_object_get(link, "to")),
			json_string_value(json_object_get(link, "target")), err);
		if (rc)
			at_line(a->doc, pointer, err);
	}
	return rc;
}

/* Libraries come last: what the manifest itself puts somewhere stays. */
static int assemble(struct assembly *a, struct err *err)
{
	char *line _cleanup_free_ = NULL;
	int rc = manifest_cmdline(a->doc->root, &line, err);

	if (rc)
		return at_line(a->doc, "/args", err);
	rc = add_program(a, err);
	if (!rc)
		rc = add_files(a, err);
	if (!rc)
		rc = add_links(a, err);
	if (!rc) {
		rc = libs_add(a->libs, err);
		if (rc)
			at_line(a->doc, "/program", err);
	}
	return rc ? rc : root_add_system(a->root, line, err);
}

/* The program's path goes into the configuration, so that host mode can run the same image. */
static int describe(
	const struct yaml *doc, const char *host_path, struct image *image, struct err *err)
{
	image->config = manifest_config(doc->root, host_path);
	image->name = strdup(json_string_value(json_object_get(doc->root, "name")));
	return image->config && image->name
		? 0
		: err_set(err, ENOMEM, "cannot write the configuration");
}

static int build_in(struct root *root, const struct image_options *o, const struct yaml *doc,
	const char *own, struct image *image, struct err *err)
{
	struct assembly a = {.root = root, .doc = doc, .host_files = o->host_files};
	int context _cleanup_close_ = -1;
	int rc = open_context(o, own, &context, err);

	a.context = context;
	if (!rc && o->progress)
		o->progress("collecting files");
	if (!rc)
		rc = assemble(&a, err);
	if (!rc)
		rc = describe(doc, a.host_path, image, err);
	libs_free(a.libs);
	root->there = NULL;
	free(a.program);
	if (!rc)
		rc = root_fix_times(root, err);
	if (!rc && o->progress)
		o->progress("making the image");
	return rc ? rc : erofs_make(root->temp.path, &image->fd, &image->bytes, err);
}

static int build_held(const struct image_options *o, const struct yaml *doc, const char *own,
	struct image *image, struct err *err)
{
	struct root root _cleanup_(root_fini) = {.fd = -1};
	int rc = root_new(&root, err);

	return rc ? rc : build_in(&root, o, doc, own, image, err);
}

/* own: the folder of a package, or NULL; the caller's. */
static int load(const struct image_options *o, struct yaml *doc, char **own, struct err *err)
{
	int rc;

	if (foreign_kind(o->manifest) == FOREIGN_NONE)
		return manifest_load(o->manifest, o->host_files, doc, err);
	rc = foreign_load(o->manifest, &o->foreign, doc, own, err);
	return rc ? rc : manifest_check(doc, o->host_files, err);
}

int image_build(const struct image_options *options, struct image *image, struct err *err)
{
	struct image made = {.fd = -1};
	struct yaml doc _cleanup_(yaml_fini) = {0};
	char *own _cleanup_free_ = NULL;
	sigset_t held, before;
	int rc = load(options, &doc, &own, err);

	if (rc)
		return rc;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &before);
	rc = build_held(options, &doc, own, &made, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		image_fini(&made);
		return rc;
	}
	*image = made;
	return 0;
}

void image_fini(struct image *image)
{
	free(image->name);
	json_decref(image->config);
	if (image->fd >= 0)
		close(image->fd);
	*image = (struct image){.fd = -1};
}
