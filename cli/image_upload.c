/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_upload.h"

#include "lib/digest.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

#define CONFIG_MAX_BYTES 8192

int image_upload(struct api *api, const struct image *image, json_t **answer, struct err *err)
{
	char *config _cleanup_free_ = json_dumps(image->config, JSON_COMPACT | JSON_ENSURE_ASCII);
	char *header _cleanup_free_ = NULL, digest[DIGEST_TEXT_BYTES];
	char digest_header[DIGEST_TEXT_BYTES + 20];
	struct buf path _cleanup_buf_ = {0};
	int rc = api_image_path(&path, image->name, err);

	if (rc)
		return rc;
	if (!config || digest_fd(image->fd, digest) ||
		asprintf(&header, "Uigniter-Config: %s", config) < 0)
		return err_set(err, ENOMEM, "out of memory");
	snprintf(digest_header, sizeof(digest_header), "Uigniter-Digest: %s", digest);
	if (strlen(config) > CONFIG_MAX_BYTES)
		return err_set(err, EINVAL,
			"args, env and the rest of the configuration are longer than %d bytes as "
			"JSON",
			CONFIG_MAX_BYTES);
	return api_call(api,
		&(struct api_request){.method = "PUT",
			.path = path.data,
			.body_fd = image->fd,
			.body_bytes = image->bytes,
			.header = {header, digest_header}},
		answer, err);
}
