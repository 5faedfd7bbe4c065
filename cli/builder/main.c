/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniter-build MANIFEST [NAME [PROGRAM ARG...]]: builds an image for the manager, which runs it as a user that owns nothing but the folder it is started in. The
 * client that sent the context is hostile, so this process is all that reads it; it may be ended at any time, and its maker
 * removes the folder.
 *
 * NAME "" is the manifest's; what is run (PROGRAM ARG...) is said of OSv's manifests only.
 *
 *   3 in    the context, a tar archive (plain, gzip or zstd); with MANIFEST "-" a manifest, and no context
 *   4 out   the image
 *   stdout  a line of JSON for each step: {"step"}, at the end {"name", "bytes", "config"}, or {"error", "errno"}
 *
 * Files of the system that a manifest may name are those of programs: /etc is the host's own. Memory, processor time and the size of files
 * have limits; what runs longer its maker ends.
 */
#include "cli/image/build.h"
#include "cli/image/layer.h"
#include "cli/image/root.h"
#include "cli/image/source.h"

#include "lib/digest.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IN  3
#define OUT 4
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX_BYTES RLIM_INFINITY /* its shadow alone is terabytes */
#else
#define MEMORY_MAX_BYTES (4096 * MIB) /* of address space: files are mapped */
#endif
#define CPU_MAX_S          600
#define MANIFEST_MAX_BYTES (1 * MIB)

static int say(json_t *line)
{
	int rc = line && json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 ? 0
											 : -ENOMEM;

	putchar('\n');
	fflush(stdout);
	json_decref(line);
	return rc;
}

static void step(const char *what)
{
	say(json_pack("{s:s}", "step", what));
}

static int limit(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = {{RLIMIT_AS, MEMORY_MAX_BYTES}, {RLIMIT_CPU, CPU_MAX_S},
		{RLIMIT_FSIZE, ROOT_MAX_BYTES}, {RLIMIT_CORE, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (setrlimit(
			    limits[i].resource, &(struct rlimit){limits[i].value, limits[i].value}))
			return -errno;
	return 0;
}

/* --- the context ------------------------------------------------------------------------------------------------ */
static int unpack(struct root *context, struct err *err)
{
	char digest[DIGEST_TEXT_BYTES];
	int tar _cleanup_close_ = temp_file(&context->temp);

	if (tar < 0)
		return err_sys(err, -tar, "cannot write a temporary file");
	return layer_inflate(IN, tar, ROOT_MAX_BYTES, digest, err)
		?: context_unpack(context, tar, err);
}

/* Only a manifest came: the context is a folder with nothing else. */
static int place_manifest(struct root *context, struct err *err)
{
	int fd _cleanup_close_ =
		openat(context->fd, "image.yaml", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	off_t at = 0;
	struct stat st;

	if (fd < 0 || fstat(IN, &st))
		return err_sys(err, errno, "cannot write a temporary file");
	if (st.st_size > (off_t)MANIFEST_MAX_BYTES)
		return err_set(
			err, EINVAL, "a manifest has at most %llu MiB", MANIFEST_MAX_BYTES / MIB);
	return sendfile(fd, IN, &at, (size_t)st.st_size) == st.st_size
		? 0
		: err_sys(err, errno, "cannot write a temporary file");
}

/* A link could make the host's file the manifest, which errors would tell of. */
static int check_beneath(const struct root *context, const char *path, mode_t type, struct err *err)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int fd _cleanup_close_ = (int)syscall(SYS_openat2, context->fd, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_sys(err, errno, "%s in the context", path);
	return (st.st_mode & S_IFMT) == type
		? 0
		: err_set(err, EINVAL, "%s in the context is no plain file", path);
}

static int check_manifest(
	const struct root *context, const char *path, const char *whole, struct err *err)
{
	char part[4200];
	int rc;

	if (foreign_kind(whole) != FOREIGN_CAPSTAN)
		return check_beneath(context, path, S_IFREG, err);
	rc = check_beneath(context, path, S_IFDIR, err);
	for (size_t i = 0; i < 2 && !rc; i++) {
		snprintf(part, sizeof(part), "%s/meta/%s", path, i ? "package.yaml" : "run.yaml");
		rc = check_beneath(context, part, S_IFREG, err);
	}
	return rc;
}

/* --- the image -------------------------------------------------------------------------------------------------- */
static int copy_out(const struct image *image, struct err *err)
{
	off_t at = 0;
	ssize_t n = 1;

	while (n > 0 && at < (off_t)image->bytes)
		n = sendfile(OUT, image->fd, &at, 1 << 24);
	return n > 0 && at == (off_t)image->bytes
		? 0
		: err_sys(err, errno ? errno : EIO, "cannot write the image");
}

/* Host mode runs the host's program: one of the context is gone with it. */
static void forget_program(json_t *config, const char *folder)
{
	const char *program =
		json_string_value(json_object_get(json_object_get(config, "process"), "program"));

	if (program && strncmp(program, folder, strlen(folder)) == 0)
		json_object_del(config, "process");
}

static int build(
	struct root *context, const char *manifest, const struct foreign *foreign, struct err *err)
{
	char *path _cleanup_free_ = NULL, *folder _cleanup_free_ = NULL;
	struct image image _cleanup_(image_fini) = {.fd = -1};
	int rc;

	if (asprintf(&folder, "%s/root", context->temp.path) < 0 ||
		asprintf(&path, "%s/%s", folder, manifest) < 0)
		return err_set(err, ENOMEM, "out of memory");
	rc = check_manifest(context, manifest, path, err);
	if (!rc && foreign->words && foreign_kind(path) != FOREIGN_OSV)
		rc = err_set(err, EINVAL,
			"cmdline says what OSv's manifests run (*.manifest); this one says it "
			"itself");
	if (!rc)
		rc = image_build(
			&(struct image_options){.manifest = path,
				.context = foreign_kind(path) == FOREIGN_CAPSTAN ? NULL : folder,
				.foreign = *foreign,
				.progress = step},
			&image, err);
	if (rc)
		return rc;
	step("storing the image");
	forget_program(image.config, folder);
	rc = copy_out(&image, err);
	if (!rc &&
		say(json_pack("{s:s, s:I, s:O}", "name", foreign->name ? foreign->name : image.name,
			"bytes", (json_int_t)image.bytes, "config", image.config)))
		rc = err_set(err, ENOMEM, "out of memory");
	return rc;
}

/* The sentence, without the folder that only the manager knows, and of ASCII: names of files are any bytes. */
static void tell_failure(struct err *err, const char *folder)
{
	size_t n = strlen(folder);
	char *at;

	while (n && (at = strstr(err->msg, folder)))
		memmove(at, at + n, strlen(at + n) + 1);
	for (at = err->msg; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	say(json_pack("{s:s, s:i}", "error", err->msg, "errno", err->code));
}

int main(int argc, char **argv)
{
	struct root context _cleanup_(root_fini) = {.fd = -1};
	struct err err = {0};
	char cwd[4096], folder[4200] = "";
	struct foreign foreign = {0};
	int rc;

	if (argc < 2) {
		fprintf(stderr,
			"usage: uigniter-build MANIFEST|- [NAME [PROGRAM ARG...]]  (the "
			"manager's)\n");
		return 2;
	}
	foreign.name = argc > 2 && *argv[2] ? argv[2] : NULL;
	foreign.words = argc > 3 ? (const char *const *)argv + 3 : NULL;
	umask(077);
	rc = limit();
	if (rc < 0 || !getcwd(cwd, sizeof(cwd)) || setenv("TMPDIR", cwd, 1))
		rc = err_sys(&err, rc < 0 ? -rc : errno, "cannot begin");
	source_programs_only();
	if (!rc)
		rc = root_new(&context, &err);
	if (!rc) {
		snprintf(folder, sizeof(folder), "%s/root/", context.temp.path);
		step("unpacking the context");
		rc = strcmp(argv[1], "-") == 0 ? place_manifest(&context, &err)
					       : unpack(&context, &err);
	}
	if (!rc)
		rc = build(&context, strcmp(argv[1], "-") == 0 ? "image.yaml" : argv[1], &foreign,
			&err);
	if (rc)
		tell_failure(&err, folder);
	return rc ? 1 : 0;
}
