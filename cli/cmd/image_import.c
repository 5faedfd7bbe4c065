/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image import, pull: make an image from a container image, of a file or folder, or of a registry by skopeo. */
#include "cli/cmd/image_deliver.h"
#include "cli/image/import.h"
#include "cli/image/skopeo.h"
#include "cli/progress.h"

#include <errno.h>
#include <string.h>

static int import_and_deliver(const struct invocation *inv, const struct import_options *o,
	struct api *api, const struct format *f)
{
	struct image image _cleanup_(image_fini) = {.fd = -1};
	struct err err = {0};
	int rc = image_import(o, &image, &err);

	progress_end();
	if (!rc && args_has(inv->args, "memory"))
		rc = json_object_set_new(image.config, "memory_mib",
			json_integer(args_memory_mib(inv->args, "memory", 0)));
	return rc ? complain(EXIT_FAILED, "cannot import an image: %s", err.msg)
		  : image_deliver(inv, api, &image, f);
}

int cmd_image_import(const struct invocation *inv)
{
	const char **words _cleanup_free_ = image_words(inv->args);
	const struct import_options o = {.source = args_operand(inv->args, 0),
		.name = args_text(inv->args, "tag"),
		.reference = args_text(inv->args, "ref"),
		.words = words,
		.progress = progress_step};
	struct api *api _cleanup_(api_closep) = NULL;
	struct format f;
	int status = image_deliver_prepare(inv, o.name, &api, &f);

	progress_init(inv->args);
	return status ? status : import_and_deliver(inv, &o, api, &f);
}

int cmd_image_pull(const struct invocation *inv)
{
	const char *reference = args_operand(inv->args, 0);
	const char **words _cleanup_free_ = image_words(inv->args);
	struct temp temp _cleanup_(temp_fini) = {.fd = -1, .pipe = -1};
	struct import_options o = {
		.name = args_text(inv->args, "tag"), .words = words, .progress = progress_step};
	struct api *api _cleanup_(api_closep) = NULL;
	char *folder _cleanup_free_ = NULL;
	struct err err = {0};
	struct format f;
	int status;

	/* "docker://" and what comes before the name of an image may be left out */
	reference += strncmp(reference, "docker://", 9) == 0 ? 9 : 0;
	o.name = o.name ? o.name : reference;
	status = image_deliver_prepare(inv, o.name, &api, &f);
	if (status)
		return status;
	progress_init(inv->args);
	progress_step("fetching the image");
	if (skopeo_pull(reference, &temp, &folder, &err)) {
		progress_end();
		return complain(EXIT_FAILED, "cannot pull \"%s\": %s", reference, err.msg);
	}
	o.source = folder;
	return import_and_deliver(inv, &o, api, &f);
}
