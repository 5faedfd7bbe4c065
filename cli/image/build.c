/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest -> checked JSON -> root folder -> EROFS file. */
#include "cli/image/build.h"

#include "cli/image/libs.h"
#include "cli/image/manifest.h"
#include "cli/image/root.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static int load_manifest(const struct image_options *o, struct yaml *doc, struct err *err)
{
	char *text _cleanup_free_ = malloc(YAML_MAX_BYTES + 1);
	FILE *f _cleanup_fclose_ = fopen(o->manifest, "re");
	size_t len;
	int rc;

	if (!text || !f)
		return err_sys(err, text ? errno : ENOMEM, "%s", o->manifest);
	len = fread(text, 1, YAML_MAX_BYTES + 1, f);
	if (ferror(f))
		return err_sys(err, errno, "%s", o->manifest);
	rc = yaml_load(o->manifest, text, len, doc, err);
	return rc ? rc : manifest_check(doc, o->host_files, err);
}

static int open_context(const struct image_options *o, int *fd, struct err *err)
{
	char *copy _cleanup_free_ = strdup(o->manifest);
	const char *folder = o->context ? o->context : copy ? dirname(copy) : ".";
	int n = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (n < 0)
		return err_sys(err, errno, "context %s", folder);
	*fd = n;
	return 0;
}

/* Where an open file is on the host. */
static int path_of(int fd, char path[PATH_MAX], struct err *err)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return err_sys(err, errno, "%s", link);
	path[n] = '\0';
	return 0;
}

static int at_line(const struct yaml *doc, const char *pointer, struct err *err)
{
	return err_prefix(err, "%s:%d", doc->name, yaml_line(doc, pointer));
}

static int add_program(struct root *root, int context, const struct yaml *doc,
	char host_path[PATH_MAX], struct err *err)
{
	char *to _cleanup_free_ = NULL;
	int fd _cleanup_close_ = -1;
	int rc = source_open(
		context, json_string_value(json_object_get(doc->root, "program")), &fd, err);

	if (!rc)
		rc = path_of(fd, host_path, err);
	if (!rc)
		rc = manifest_program_path(doc->root, &to);
	if (!rc) {
		rc = libs_add(root, fd, host_path, err);
		if (rc == -ENOEXEC)
			err_prefix(err, "%s", host_path);
	}
	if (!rc)
		rc = root_add_file(root, to, fd, true, err);
	return rc ? at_line(doc, "/program", err) : 0;
}

static int add_files(struct root *root, int context, const struct yaml *doc, struct err *err)
{
	const json_t *files = json_object_get(doc->root, "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		int fd _cleanup_close_ = -1;
		char pointer[40];
		int rc = source_open(
			context, json_string_value(json_object_get(file, "from")), &fd, err);

		if (!rc)
			rc = root_add_tree(
				root, json_string_value(json_object_get(file, "to")), fd, err);
		snprintf(pointer, sizeof(pointer), "/files/%zu", i);
		if (rc)
			return at_line(doc, pointer, err);
	}
	return 0;
}

static int assemble(struct root *root, int context, const struct yaml *doc,
	char host_path[PATH_MAX], struct err *err)
{
	char *line _cleanup_free_ = NULL;
	int rc = manifest_cmdline(doc->root, &line, err);

	if (rc)
		return at_line(doc, "/args", err);
	rc = add_program(root, context, doc, host_path, err);
	if (!rc)
		rc = add_files(root, context, doc, err);
	return rc ? rc : root_add_system(root, line, err);
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
	struct image *image, struct err *err)
{
	char host_path[PATH_MAX];
	int context _cleanup_close_ = -1;
	int rc = open_context(o, &context, err);

	if (!rc)
		rc = assemble(root, context, doc, host_path, err);
	if (!rc)
		rc = describe(doc, host_path, image, err);
	return rc ? rc : erofs_make(root->dir, &image->fd, &image->bytes, err);
}

static int build_held(
	const struct image_options *o, const struct yaml *doc, struct image *image, struct err *err)
{
	struct root root _cleanup_(root_fini) = {.fd = -1};
	int rc = root_new(&root, err);

	return rc ? rc : build_in(&root, o, doc, image, err);
}

int image_build(const struct image_options *options, struct image *image, struct err *err)
{
	struct image made = {.fd = -1};
	struct yaml doc _cleanup_(yaml_fini) = {0};
	sigset_t held, before;
	int rc = load_manifest(options, &doc, err);

	if (rc)
		return rc;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &before);
	rc = build_held(options, &doc, &made, err);
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
