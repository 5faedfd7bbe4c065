/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/api.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/name.h"
#include "daemon/image/store.h"
#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define CONFIG_DEPTH_MAX 8

static json_t *image_json(const struct image *image)
{
	struct timespec created = {.tv_sec = image->created};

	return json_pack("{s:s, s:I, s:o, s:O}", "name", image->name, "bytes",
		(json_int_t)image->bytes, "created_at", time_json(&created), "config",
		image->config);
}

void image_list(struct httpd_req *req)
{
	json_t *items = json_array();

	for (const struct image *i = images_first(api_core(req)->images); i; i = i->next)
		json_array_append_new(items, image_json(i));
	answer_json(req, 200, json_pack("{s:o, s:n}", "items", items, "next_cursor"));
}

/* The image of the path; NULL: the answer has been given. */
static struct image *find(struct httpd_req *req)
{
	const char *name = httpd_param(req, "name");
	struct image *image = images_find(api_core(req)->images, name);

	if (!image)
		answer_problem(req, 404, "not_found",
			"there is no image \"%.240s\" (GET /image lists them)", name);
	return image;
}

void image_get_one(struct httpd_req *req)
{
	const struct image *image = find(req);

	if (image)
		answer_json(req, 200, image_json(image));
}

/* --- upload -------------------------------------------------------------------------------------------------- */
struct upload {
	struct image_upload *file;
	json_t *config;
};

static void upload_free(void *data)
{
	struct upload *u = data;

	image_upload_abort(u->file);
	json_decref(u->config);
	free(u);
}

/* The configuration of the header; NULL: the answer has been given. */
static json_t *header_config(struct httpd_req *req)
{
	const char *text = httpd_header(req, API_CONFIG_HEADER);
	struct check c = {.pointer = ""};
	json_t *config = NULL;

	if (!text)
		return json_object();
	if (strlen(text) > API_CONFIG_MAX)
		check_fail(&c, NULL, NULL, API_CONFIG_HEADER " has more than %d bytes",
			API_CONFIG_MAX);
	else if (jsonx_parse_object(text, strlen(text), CONFIG_DEPTH_MAX, &config, &c.err) == 0 &&
		image_config_check(config, &c) == 0)
		return config;
	err_prefix(&c.err, API_CONFIG_HEADER);
	answer_check(req, &c);
	json_decref(config);
	return NULL;
}

static bool check_upload(struct httpd_req *req)
{
	const char *name = httpd_param(req, "name"), *type = httpd_header(req, "Content-Type");

	if (!image_name_is_valid(name)) {
		answer_problem(req, 400, "bad_request",
			"\"%.80s\" is no image name: parts of [a-z0-9._-] joined by /, then :tag",
			name);
		return false;
	}
	if (type && strcasecmp(type, "application/octet-stream") != 0) {
		answer_problem(req, 415, "unsupported_media_type",
			"an image is uploaded with the Content-Type application/octet-stream");
		return false;
	}
	if (httpd_content_length(req) > (int64_t)IMAGE_MAX_BYTES) {
		answer_problem(req, 413, "too_large", "an image has at most %llu MiB",
			IMAGE_MAX_BYTES / MIB);
		return false;
	}
	return true;
}

void image_put_begin(struct httpd_req *req)
{
	struct upload *u;
	struct err err = {0};

	api_guard(req);
	if (httpd_status(req) || !check_upload(req))
		return;
	u = calloc(1, sizeof(*u));
	if (!u) {
		answer_problem(req, 500, "internal", "there is no memory");
		return;
	}
	httpd_set_data(req, u, upload_free);
	u->config = header_config(req);
	if (u->config && image_upload_new(api_core(req)->images, &u->file, &err) < 0)
		answer_problem(req, err.code == ENOSPC ? 507 : 500,
			err.code == ENOSPC ? "disk_full" : "internal", "%s", err.msg);
}

int image_put_body(struct httpd_req *req, const void *data, size_t len)
{
	struct upload *u = httpd_data(req);

	return image_upload_write(u->file, data, len);
}

void image_put_done(struct httpd_req *req)
{
	struct upload *u = httpd_data(req);
	struct image_upload *file = u->file;
	json_t *config = u->config;
	struct image *image;
	struct err err = {0};
	bool replaced;
	int r;

	u->file = NULL;
	u->config = NULL;
	r = image_upload_commit(file, httpd_param(req, "name"), config, &image, &replaced, &err);
	if (r == -EINVAL)
		answer_problem(req, 400, "bad_request", "%s", err.msg);
	else if (r < 0)
		answer_problem(req, r == -ENOSPC ? 507 : 500,
			r == -ENOSPC ? "disk_full" : "internal", "%s", err.msg);
	if (r < 0)
		return;
	log_info("image stored", "image=%s bytes=%llu", image->name,
		(unsigned long long)image->bytes);
	events_image(api_core(req)->events, "stored", image->name);
	answer_json(req, replaced ? 200 : 201, image_json(image));
}

/* --- change, remove ------------------------------------------------------------------------------------------- */
void image_patch(struct httpd_req *req)
{
	struct image *image = find(req);
	struct check c = {.pointer = ""};
	_cleanup_json_ json_t *patch = NULL;
	json_t *config = NULL;
	struct err err = {0};
	const char *body;
	size_t len;

	if (!image || !api_is_json(req))
		return;
	body = httpd_body(req, &len);
	if (jsonx_parse_object(body, len, CONFIG_DEPTH_MAX, &patch, &c.err) == 0)
		config = image_config_patch(image->config, patch, &c);
	if (!config)
		answer_check(req, &c);
	else if (image_set_config(api_core(req)->images, image, config, &err) < 0)
		answer_problem(req, err.code == ENOSPC ? 507 : 500,
			err.code == ENOSPC ? "disk_full" : "internal", "%s", err.msg);
	else
		answer_json(req, 200, image_json(image));
}

void image_delete_one(struct httpd_req *req)
{
	struct image *image = find(req);
	struct err err = {0};

	if (!image)
		return;
	image_get(image); /* its name, for the event */
	if (image_delete(api_core(req)->images, image, &err) < 0) {
		answer_problem(req, 500, "internal", "%s", err.msg);
	} else {
		events_image(api_core(req)->events, "deleted", image->name);
		httpd_reply(req, 204, NULL, NULL, 0);
	}
	image_put(image);
}
