/* SPDX-License-Identifier: Apache-2.0 */
/* source -> layout (a folder) -> manifest, configuration -> layers, checked and unpacked -> EROFS file. */
#include "cli/image/import.h"

#include "cli/image/layer.h"
#include "cli/image/manifest.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define INDEX_DEPTH_MAX 4

struct import {
	const struct import_options *o;
	struct root *root;
	struct root layout; /* of an archive: unpacked here; temp is the root's */
	int dir;            /* of the layout */
	struct oci_image image;
	struct err *err;
};

static void say(const struct import *im, const char *what)
{
	if (im->o->progress)
		im->o->progress(what);
}

/* --- files of the layout ---------------------------------------------------------------------------------------- */
/* Links of an archive (docker save made some) stay inside of it. */
static int open_file(const struct import *im, const char *path, int *fd)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long n = syscall(SYS_openat2, im->dir, path, &how, sizeof(how));
	struct stat st;

	if (n < 0)
		return err_sys(im->err, errno, "%s in the image", path);
	if (fstat((int)n, &st) || !S_ISREG(st.st_mode)) {
		close((int)n);
		return err_set(im->err, EINVAL, "%s is no file", path);
	}
	*fd = (int)n;
	return 0;
}

static int check_digest(const struct import *im, int fd, const char *path, const char *wanted)
{
	char digest[DIGEST_TEXT_BYTES];
	int rc = *wanted ? digest_fd(fd, digest) : 0;

	if (rc)
		return err_sys(im->err, -rc, "%s", path);
	return *wanted && strcmp(digest, wanted) != 0
		? err_set(im->err, EINVAL, "%s is damaged: its digest is %s", path, digest)
		: 0;
}

static int read_json(
	const struct import *im, const char *path, const char *digest, char **text, size_t *len)
{
	char *data _cleanup_free_ = malloc(OCI_JSON_MAX_BYTES + 1);
	int fd _cleanup_close_ = -1;
	int rc = open_file(im, path, &fd);
	size_t n = 0;
	ssize_t r = 1;

	if (!rc)
		rc = data ? check_digest(im, fd, path, digest)
			  : err_set(im->err, ENOMEM, "out of memory");
	while (!rc && r > 0 && n <= OCI_JSON_MAX_BYTES) {
		r = read(fd, data + n, OCI_JSON_MAX_BYTES + 1 - n);
		if (r < 0)
			rc = err_sys(im->err, errno, "%s", path);
		n += r > 0 ? (size_t)r : 0;
	}
	if (rc)
		return rc;
	*text = steal_ptr(&data);
	*len = n;
	return 0;
}

/* --- the source ------------------------------------------------------------------------------------------------- */
static int unpack_archive(struct import *im, int source)
{
	char digest[DIGEST_TEXT_BYTES];
	int tar _cleanup_close_ = temp_file(&im->root->temp);
	int rc;

	if (tar < 0)
		return err_sys(im->err, -tar, "cannot make a temporary file");
	say(im, "unpacking the archive");
	rc = layer_inflate(source, tar, ROOT_MAX_BYTES, digest, im->err);
	if (rc)
		return rc;
	im->layout =
		(struct root){.temp = im->root->temp, .fd = temp_folder(&im->root->temp, "layout")};
	if (im->layout.fd < 0)
		return err_sys(im->err, -im->layout.fd, "cannot make a temporary folder");
	rc = layer_apply(&im->layout, tar, im->err);
	im->dir = openat(im->layout.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && im->dir < 0)
		rc = err_sys(im->err, errno, "cannot open the unpacked archive");
	return rc;
}

static int open_source(struct import *im)
{
	int fd _cleanup_close_ = open(im->o->source, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return err_sys(im->err, errno, "%s", im->o->source);
	if (S_ISDIR(st.st_mode)) {
		im->dir = steal_fd(&fd);
		return 0;
	}
	rc = S_ISREG(st.st_mode) ? unpack_archive(im, fd)
				 : err_set(im->err, EINVAL, "neither a file nor a folder");
	return rc ? err_prefix(im->err, "%s", im->o->source) : 0;
}

/* --- which image ------------------------------------------------------------------------------------------------ */
static int read_index(struct import *im, struct oci_target *t, char **text, size_t *len)
{
	const char *reference = im->o->reference;
	int rc = read_json(im, "index.json", "", text, len);

	for (int depth = 0; !rc && depth < INDEX_DEPTH_MAX; depth++) {
		struct oci_target next = {0};

		rc = oci_index(*text, *len, reference, &next, im->err);
		free(steal_ptr(text));
		if (rc)
			break;
		if (!t->name)
			t->name = steal_ptr(&next.name);
		free(next.name);
		next.name = NULL;
		reference = NULL;
		rc = read_json(im, next.path, next.digest, text, len);
		if (!rc)
			rc = oci_is_index(*text, *len, im->err);
		if (rc <= 0)
			return rc;
		rc = 0;
	}
	return rc ? rc : err_set(im->err, EINVAL, "indexes are nested too deeply");
}

static int find_image(struct import *im)
{
	char *text _cleanup_free_ = NULL;
	struct oci_target t = {0};
	size_t len = 0;
	bool docker = faccessat(im->dir, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	int rc;

	if (docker && faccessat(im->dir, "manifest.json", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return err_set(im->err, EINVAL,
			"%s: neither an OCI image layout (index.json) nor docker save's archive "
			"(manifest.json)",
			im->o->source);
	rc = docker ? read_json(im, "manifest.json", "", &text, &len)
		    : read_index(im, &t, &text, &len);
	if (!rc)
		rc = docker ? oci_docker_manifest(text, len, im->o->reference, &im->image, im->err)
			    : oci_manifest(text, len, &im->image, im->err);
	if (!im->image.name)
		im->image.name = steal_ptr(&t.name);
	free(t.name);
	free(steal_ptr(&text));
	if (!rc)
		rc = read_json(im, im->image.config_path, im->image.config_digest, &text, &len);
	return rc ? rc : oci_config(text, len, &im->image, im->err);
}

static int name_image(const struct import *im, struct image *image)
{
	const char *name = im->o->name ? im->o->name : im->image.name;

	if (!name || !manifest_is_image_name(name))
		return err_set(im->err, EINVAL,
			"the image is called \"%.80s\" there, which is no name here: give it one "
			"by --tag",
			name ? name : "");
	image->name = strdup(name);
	return image->name ? 0 : err_set(im->err, ENOMEM, "out of memory");
}

/* --- layers ----------------------------------------------------------------------------------------------------- */
static int unpack_layer(struct import *im, const struct oci_layer *layer)
{
	char digest[DIGEST_TEXT_BYTES];
	int fd _cleanup_close_ = -1, tar _cleanup_close_ = -1;
	int rc = open_file(im, layer->path, &fd);

	if (!rc)
		rc = check_digest(im, fd, layer->path, layer->digest);
	if (rc)
		return rc;
	tar = temp_file(&im->root->temp);
	if (tar < 0)
		return err_sys(im->err, -tar, "cannot make a temporary file");
	rc = layer_inflate(fd, tar, ROOT_MAX_BYTES, digest, im->err);
	if (!rc && strcmp(digest, layer->diff_id) != 0)
		rc = err_set(im->err, EINVAL, "unpacked, its digest is not the configuration's");
	if (!rc)
		rc = layer_apply(im->root, tar, im->err);
	return rc ? err_prefix(im->err, "layer %s", layer->path) : 0;
}

static int unpack_layers(struct import *im)
{
	for (unsigned int i = 0; i < im->image.nlayers; i++) {
		char what[64];
		int rc;

		snprintf(what, sizeof(what), "layer %u of %u", i + 1, im->image.nlayers);
		say(im, what);
		rc = unpack_layer(im, &im->image.layer[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------------------------- */
static int import_in(struct import *im, struct image *image)
{
	char *line _cleanup_free_ = NULL;
	int rc = open_source(im);

	if (!rc)
		rc = find_image(im);
	if (!rc)
		rc = name_image(im, image);
	if (!rc)
		rc = unpack_layers(im);
	if (!rc)
		rc = import_configure(
			im->root, im->image.config, im->o->words, &line, &image->config, im->err);
	if (!rc)
		rc = root_add_system(im->root, line, im->err);
	if (!rc)
		rc = root_fix_times(im->root, im->err);
	if (rc)
		return rc;
	say(im, "making the image");
	return erofs_make(im->root->temp.path, &image->fd, &image->bytes, im->err);
}

int image_import(const struct import_options *options, struct image *image, struct err *err)
{
	struct root root _cleanup_(root_fini) = {.fd = -1};
	struct err own = {0};
	struct import im = {.o = options,
		.root = &root,
		.layout = {.fd = -1},
		.dir = -1,
		.err = err ? err : &own};
	struct image made = {.fd = -1};
	sigset_t held, before;
	int rc;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &before);
	rc = root_new(&root, im.err);
	if (!rc)
		rc = import_in(&im, &made);
	if (im.dir >= 0)
		close(im.dir);
	if (im.layout.fd >= 0)
		close(im.layout.fd);
	oci_image_fini(&im.image);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		image_fini(&made);
		return rc;
	}
	*image = made;
	return 0;
}
