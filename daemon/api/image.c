/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/image.h"

#include "daemon/api/api.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/name.h"
#include "daemon/image/store.h"
#include "daemon/template/template.h"
#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>

#define CONFIG_DEPTH_MAX 8

/* All names of the same content, the image's own too. */
static json_t *names_json(const struct images *images, const struct image *image)
{
	json_t *names = json_array();

	for (const struct image *i = images_first(images); i; i = i->next) {
		if (i == image || (i->content && i->content == image->content))
			json_array_append_new(names, json_string(i->name));
	}
	return names;
}

json_t *image_json(const struct images *images, const struct image *image)
{
	const char *digest = image_digest(image);
	struct timespec created = {.tv_sec = image->created};

	return json_pack("{s:s, s:s?, s:o, s:I, s:I, s:o, s:O}", "name", image->name, "digest",
		*digest ? digest : NULL, "names", names_json(images, image), "bytes",
		(json_int_t)image_bytes(image), "vms", (json_int_t)image_users(image), "created_at",
		time_json(&created), "config", image->config);
}

void image_list(struct httpd_req *req)
{
	const struct images *images = api_core(req)->images;
	json_t *items = json_array();

	for (const struct image *i = images_first(images); i; i = i->next)
		json_array_append_new(items, image_json(images, i));
	answer_items(req, items);
}

struct image *image_referred(
	struct httpd_req *req, const char *reference, bool single, unsigned status)
{
	struct image *image;
	int r = images_resolve(api_core(req)->images, reference, single, &image);

	if (r == 0)
		return image;
	if (r == -EEXIST)
		answer_problem(req, status == 404 ? 409 : status, "ambiguous_id",
			"several images have the digest \"%.80s\": use a name", reference);
	else
		answer_problem(req, status, "not_found",
			"there is no image \"%.240s\" (GET /image lists them)", reference);
	return NULL;
}

/* The image of the path; NULL: the answer has been given. */
static struct image *find(struct httpd_req *req, bool single)
{
	return image_referred(req, httpd_param(req, "name"), single, 404);
}

void image_get_one(struct httpd_req *req)
{
	const struct image *image = find(req, false);

	if (image)
		answer_json(req, 200, image_json(api_core(req)->images, image));
}

void image_answer_failed(struct httpd_req *req, const struct err *err)
{
	if (err->code == EINVAL)
		answer_problem(req, 400, "bad_request", "%s", err->msg);
	else
		answer_problem(req, err->code == ENOSPC ? 507 : 500,
			err->code == ENOSPC ? "disk_full" : "internal", "%s", err->msg);
}

/* --- upload -------------------------------------------------------------------------------------------------- */
struct upload {
	struct content_upload *file;
	json_t *config;
};

static void upload_free(void *data)
{
	struct upload *u = data;

	content_upload_abort(u->file);
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

static bool check_name(struct httpd_req *req)
{
	const char *name = httpd_param(req, "name");

	if (image_name_is_valid(name))
		return true;
	answer_problem(req, 400, "bad_request",
		"\"%.80s\" is no image name: parts of [a-z0-9._-] joined by /, then :tag", name);
	return false;
}

void image_put_begin(struct httpd_req *req)
{
	struct upload *u =
		api_upload_begin(req, "an image", CONTENT_MAX_BYTES, sizeof(*u), upload_free);
	struct err err = {0};

	if (!u || !check_name(req))
		return;
	u->config = header_config(req);
	if (u->config &&
		content_upload_new(images_contents(api_core(req)->images), &u->file, &err) < 0)
		image_answer_failed(req, &err);
}

int image_put_body(struct httpd_req *req, const void *data, size_t len)
{
	struct upload *u = httpd_data(req);

	return content_upload_write(u->file, data, len);
}

void image_stored(struct core *core, const struct image *image)
{
	log_info("image stored", "image=%s digest=%s bytes=%llu", image->name, image_digest(image),
		(unsigned long long)image_bytes(image));
	events_image(core->events, "stored", image->name);
	templates_images_changed(core->templates);
}

void image_answer_stored(struct httpd_req *req, const struct image *image, bool replaced)
{
	image_stored(api_core(req), image);
	answer_json(req, replaced ? 200 : 201, image_json(api_core(req)->images, image));
}

void image_put_done(struct httpd_req *req)
{
	struct images *images = api_core(req)->images;
	struct upload *u = httpd_data(req);
	struct content_upload *file = u->file;
	struct content *content;
	json_t *config = u->config;
	struct image *image = NULL;
	struct err err = {0};
	bool replaced = false;
	int r;

	u->file = NULL;
	r = content_upload_end(file, httpd_header(req, API_DIGEST_HEADER), &content, &err);
	if (r == 0) {
		u->config = NULL;
		r = images_add(
			images, httpd_param(req, "name"), content, config, &image, &replaced, &err);
	}
	if (r < 0 || !image)
		image_answer_failed(req, &err);
	else
		image_answer_stored(req, image, replaced);
}

/* --- change, remove ------------------------------------------------------------------------------------------- */
void image_patch(struct httpd_req *req)
{
	struct image *image = find(req, true);
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
		image_answer_failed(req, &err);
	else
		answer_json(req, 200, image_json(api_core(req)->images, image));
}

void image_delete_one(struct httpd_req *req)
{
	struct image *image = find(req, true);
	struct err err = {0};

	if (!image)
		return;
	image_get(image); /* its name, for the event */
	if (image_delete(api_core(req)->images, image, &err) < 0) {
		answer_problem(req, 500, "internal", "%s", err.msg);
	} else {
		events_image(api_core(req)->events, "deleted", image->name);
		templates_images_changed(api_core(req)->templates);
		httpd_reply(req, 204, NULL, NULL, 0);
	}
	image_put(image);
}
