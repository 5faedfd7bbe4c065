/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of container images: the first byte says which document it is. What is taken has plain paths and whole digests. */
#include "cli/image/oci.h"

#include "lib/util.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	assert(*path && *path != '/' && strlen(path) < OCI_PATH_BYTES);
	assert(!strstr(path, "..") || strncmp(path, "..", 2) != 0);
	assert(!strstr(path, "/../") && !strstr(path, "//"));
}

static void check_layers(const struct oci_image *image)
{
	assert(image->nlayers > 0 && image->nlayers <= OCI_LAYERS_MAX);
	check_path(image->config_path);
	for (unsigned int i = 0; i < image->nlayers; i++) {
		check_path(image->layer[i].path);
		assert(!*image->layer[i].digest || digest_is_valid(image->layer[i].digest));
	}
}

static void fuzz_index(const char *text, size_t len, const char *reference)
{
	struct oci_target target = {0};
	struct err err = {0};

	if (oci_index(text, len, reference, &target, &err))
		return;
	check_path(target.path);
	assert(digest_is_valid(target.digest));
	free(target.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct oci_image image = {.nlayers = 1};
	struct err err = {0};

	if (!size)
		return 0;
	switch (*data % 5) {
	case 0:
		fuzz_index(text, size - 1, NULL);
		break;
	case 1:
		fuzz_index(text, size - 1, "box");
		break;
	case 2:
		image.nlayers = 0;
		if (!oci_manifest(text, size - 1, &image, &err))
			check_layers(&image);
		break;
	case 3:
		image.nlayers = 0;
		if (!oci_docker_manifest(text, size - 1, NULL, &image, &err))
			check_layers(&image);
		break;
	case 4:
		if (!oci_config(text, size - 1, &image, &err))
			assert(digest_is_valid(image.layer[0].diff_id) &&
				json_is_object(image.config));
		break;
	}
	oci_image_fini(&image);
	return 0;
}
