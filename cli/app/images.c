/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app/images.h"

#include "cli/image/manifest.h"
#include "cli/image_upload.h"

#include <errno.h>
#include <string.h>

static int build_and_upload(struct api *api, const struct image_options *o, const char *name,
	char **out, struct err *err)
{
	struct image image _cleanup_(image_fini) = {.fd = -1};
	json_t *answer _cleanup_json_ = NULL;
	int rc = image_build(o, &image, err);

	if (!rc && name) {
		free(image.name);
		image.name = strdup(name);
	}
	rc = rc ? rc : !image.name ? -ENOMEM : image_upload(api, &image, &answer, err);
	if (!rc)
		*out = steal_ptr(&image.name);
	return rc;
}

/* What an image is called that has been built before. */
static int named_by_manifest(const char *manifest, char **out, struct err *err)
{
	struct yaml doc = {0};
	int rc = manifest_load(manifest, true, &doc, err);

	if (!rc) {
		*out = strdup(json_string_value(json_object_get(doc.root, "name")));
		rc = *out ? 0 : -ENOMEM;
	}
	yaml_fini(&doc);
	return rc;
}

static int make_image(const struct invocation *inv, struct api *api, struct app_file *file,
	const struct app_build *b, bool no_build, struct err *err)
{
	char *context _cleanup_free_ = app_file_context(file, b, args_text(inv->args, "context"));
	char *name _cleanup_free_ = NULL;
	const struct image_options o = {.manifest = b->manifest,
		.context = context,
		.host_files = args_has(inv->args, "host-files")};
	int rc;

	if (b->image && !manifest_is_image_name(b->image))
		return err_set(err, EINVAL, "\"%.64s\" is no image name", b->image);
	if (!no_build)
		rc = build_and_upload(api, &o, b->image, &name, err);
	else if (b->image)
		return 0;
	else
		rc = named_by_manifest(b->manifest, &name, err);
	return rc ? rc : app_file_set_image(file, b, name);
}

int app_make_images(
	const struct invocation *inv, struct api *api, struct app_file *file, bool no_build)
{
	for (size_t i = 0; i < file->nbuilds; i++) {
		struct err err = {0};
		int rc = make_image(inv, api, file, &file->builds[i], no_build, &err);

		if (rc)
			return complain(rc == -ECONNREFUSED ? exit_status_of(rc) : EXIT_FAILED,
				"cannot build the image of service %s: %s", file->builds[i].service,
				err.msg[0] ? err.msg : strerror(-rc));
	}
	return EXIT_OK;
}
