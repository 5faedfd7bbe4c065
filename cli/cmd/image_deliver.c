/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/image_deliver.h"

#include "cli/image/manifest.h"
#include "cli/image_upload.h"
#include "cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

/* Writes beside the file and renames, so that nobody sees half an image. */
static int write_file(const struct image *image, const char *path, struct err *err)
{
	char *temp _cleanup_free_ = NULL;
	int fd _cleanup_close_ = -1;
	off_t at = 0;
	ssize_t n;

	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return err_set(err, ENOMEM, "out of memory");
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	while ((n = sendfile(fd, image->fd, &at, 1 << 30)) > 0)
		;
	if (n < 0 || fchmod(fd, 0644) || fsync(fd) || rename(temp, path)) {
		n = err_sys(err, errno, "%s", path);
		unlink(temp);
		return (int)n;
	}
	return 0;
}

/* The words behind --, NULL-terminated; NULL: there are none, or no memory. */
const char **image_words(const struct args *args)
{
	size_t n = args_program_words(args);
	const char **words = n ? calloc(n + 1, sizeof(*words)) : NULL;

	for (size_t i = 0; words && i < n; i++)
		words[i] = args_program_word(args, i);
	return words;
}

static int deliver(const struct invocation *inv, struct api *api, const struct image *image,
	json_t **shown, struct err *err)
{
	progress_step(api ? "storing the image" : "writing the image");
	if (api)
		return image_upload(api, image, shown, err);
	*shown = json_pack("{s:s, s:I, s:O}", "name", image->name, "bytes",
		(json_int_t)image->bytes, "config", image->config);
	return *shown ? write_file(image, args_text(inv->args, "output"), err)
		      : err_set(err, ENOMEM, "out of memory");
}

int image_deliver_prepare(
	const struct invocation *inv, const char *name, struct api **api, struct format *format)
{
	struct format f = {.id_key = "name"};
	struct err err = {0};

	if (format_init(&f, inv->args, true, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	if (name && !manifest_is_image_name(name))
		return complain(EXIT_USAGE,
			"\"%s\" is no image name (a-z 0-9 . _ - with / between parts, :tag)", name);
	if (f.mode == FORMAT_TABLE)
		f.mode = FORMAT_IDS;
	*format = f;
	return !args_has(inv->args, "output") && verb_open(inv, api) ? EXIT_USAGE : EXIT_OK;
}

int image_deliver(const struct invocation *inv, struct api *api, const struct image *image,
	const struct format *format)
{
	json_t *shown _cleanup_json_ = NULL;
	struct err err = {0};
	int rc = deliver(inv, api, image, &shown, &err);

	progress_end();
	if (rc)
		return complain(api ? exit_status_of(rc) : EXIT_FAILED,
			"cannot store image \"%s\": %s", image->name, err.msg);
	return verb_print_object(format, shown);
}
