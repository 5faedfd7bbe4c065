/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image build: make an image from a manifest, then give it to the manager or write it to a file. */
#include "cli/cmd/image_deliver.h"
#include "cli/progress.h"

#include <errno.h>
#include <string.h>

static int rename_image(const struct invocation *inv, struct image *image)
{
	const char *name = args_text(inv->args, "name");
	char *copy = name ? strdup(name) : NULL;

	if (!copy)
		return name ? -ENOMEM : 0;
	free(image->name);
	image->name = copy;
	return 0;
}

static int build_and_deliver(const struct invocation *inv, struct api *api, const struct format *f)
{
	const char *manifest = args_operand(inv->args, 0);
	struct image_options o = {.manifest = manifest,
		.context = args_text(inv->args, "context"),
		.host_files = args_has(inv->args, "host-files"),
		.foreign = {.name = args_text(inv->args, "name"),
			.config = args_text(inv->args, "config")},
		.progress = progress_step};
	const char **words _cleanup_free_ = image_words(inv->args);
	struct image image _cleanup_(image_fini) = {.fd = -1};
	struct err err = {0};
	int rc;

	if (words && foreign_kind(o.manifest) != FOREIGN_OSV)
		return complain(EXIT_USAGE,
			"only OSv's manifests need -- PROGRAM; others say it themselves");
	o.foreign.words = words;
	o.foreign.define = args_list(inv->args, "define", &o.foreign.ndefine);
	progress_init(inv->args);
	rc = image_build(&o, &image, &err);
	progress_end();
	if (rc)
		return complain(EXIT_FAILED, "cannot build an image: %s", err.msg);
	if (rename_image(inv, &image))
		return complain(EXIT_FAILED, "out of memory");
	return image_deliver(inv, api, &image, f);
}

int cmd_image_build(const struct invocation *inv)
{
	const char *name = args_text(inv->args, "name");
	struct api *api _cleanup_(api_closep) = NULL;
	struct format f;
	int status = image_deliver_prepare(inv, name, &api, &f);

	return status ? status : build_and_deliver(inv, api, &f);
}
