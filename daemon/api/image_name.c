/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: another one for a content that is there, and the end of what nobody uses. */
#include "daemon/api/api.h"
#include "daemon/api/image.h"
#include "daemon/api/query.h"
#include "daemon/app/app.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/fn/fn.h"
#include "daemon/image/name.h"
#include "daemon/template/template.h"
#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>

#define BODY_DEPTH_MAX 8

/* The body's fields, borrowed from root. false: the answer has been given. */
static bool parse(struct httpd_req *req, json_t *root, const char **source, const char **name)
{
	struct check c = {.pointer = ""};
	json_t *value;
	const char *key;
	int r = 0;

	json_object_foreach(root, key, value)
	{
		if (r < 0)
			break;
		if (strcmp(key, "source") == 0)
			r = check_string(&c, key, value, IMAGE_NAME_MAX_BYTES, source);
		else if (strcmp(key, "name") == 0)
			r = check_string(&c, key, value, IMAGE_NAME_MAX_BYTES, name);
		else if (strcmp(key, "config") != 0)
			r = check_fail(&c, key, NULL, "there is no field \"%.40s\"", key);
	}
	if (r == 0 && (!*source || !**source))
		r = check_fail(
			&c, "source", NULL, "source: the name or digest of an image is wanted");
	if (r == 0 && (!*name || !image_name_is_valid(*name)))
		r = check_fail(
			&c, "name", NULL, "name: \"%.80s\" is no image name", *name ? *name : "");
	if (r < 0)
		answer_check(req, &c);
	return r == 0;
}

/* The configuration that the new name gets: the given one, else that of the source. NULL: the answer has been given. */
static json_t *config_for(struct httpd_req *req, const json_t *root, const struct image *source)
{
	struct check c = {.pointer = "/config"};
	json_t *config = json_object_get(root, "config");

	if (!config)
		return json_incref(source->config);
	if (image_config_check(config, &c) == 0)
		return json_incref(config);
	answer_check(req, &c);
	return NULL;
}

void image_post(struct httpd_req *req)
{
	struct images *images = api_core(req)->images;
	_cleanup_json_ json_t *root = NULL;
	const char *from = NULL, *name = NULL;
	struct check c = {.pointer = ""};
	struct image *source, *image;
	struct err err = {0};
	json_t *config;
	const char *body;
	bool replaced;
	size_t len;

	if (!api_is_json(req))
		return;
	body = httpd_body(req, &len);
	if (jsonx_parse_object(body, len, BODY_DEPTH_MAX, &root, &c.err) < 0) {
		answer_check(req, &c);
		return;
	}
	if (!parse(req, root, &from, &name))
		return;
	source = image_referred(req, from, false, 404);
	config = source ? config_for(req, root, source) : NULL;
	if (!config)
		return;
	if (images_add(images, name, source->content ? content_get(source->content) : NULL, config,
		    &image, &replaced, &err) < 0)
		image_answer_failed(req, &err);
	else
		image_answer_stored(req, image, replaced);
}

/* --- prune ------------------------------------------------------------------------------------------------------ */
/* Removes the image; its content is counted when that was its last name. */
static int prune_one(struct core *core, struct image *image, json_t *names,
	struct collected *collected, struct err *err)
{
	_cleanup_free_ char *name = strdup(image->name);
	bool last = image->content && image->content->refs == 1;
	uint64_t bytes = image_bytes(image);
	int r = name ? image_delete(core->images, image, err) : err_sys(err, ENOMEM, "images");

	if (r < 0)
		return r;
	collected->files += last;
	collected->bytes += last ? bytes : 0;
	json_array_append_new(names, json_string(name));
	events_image(core->events, "deleted", name);
	templates_images_changed(core->templates);
	return 0;
}

static int prune_unused(
	struct core *core, json_t *names, struct collected *collected, struct err *err)
{
	struct image *next;
	int r = 0;

	for (struct image *i = images_first(core->images); i && r == 0; i = next) {
		next = i->next;
		if (image_users(i) == 0 && !apps_use_image(core->apps, i) &&
			!fns_use_image(core->fns, i))
			r = prune_one(core, i, names, collected, err);
	}
	return r;
}

void image_prune(struct httpd_req *req)
{
	struct core *core = api_core(req);
	struct collected collected = {0};
	struct err err = {0};
	bool all = false;
	json_t *names;
	int r;

	if (!query_bool(req, "all", &all))
		return;
	names = json_array();
	r = all ? prune_unused(core, names, &collected, &err) : 0;
	r = r < 0 ? r : images_collect(core->images, false, &collected);
	if (r < 0 && !err.code)
		err_sys(&err, -r, "cannot look for files that nobody uses");
	if (r < 0) {
		json_decref(names);
		image_answer_failed(req, &err);
		return;
	}
	log_info("images pruned", "names=%zu files=%u bytes=%llu", json_array_size(names),
		collected.files, (unsigned long long)collected.bytes);
	answer_json(req, 200,
		json_pack("{s:o, s:i, s:I}", "removed", names, "files", (int)collected.files,
			"bytes", (json_int_t)collected.bytes));
}
