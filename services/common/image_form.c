/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/image_form.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define HTML "text/html; charset=utf-8"

static const unsigned char png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const unsigned char jpeg_signature[3] = {0xff, 0xd8, 0xff};

static void form_free(void *data)
{
	struct image_form *form = data;

	if (form->more_free)
		form->more_free(form->more);
	form->budget->held_bytes -= form->counted;
	buf_fini(&form->image);
	free(form);
}

static void reply(struct httpd_req *req, unsigned int status, const char *text)
{
	httpd_reply(req, status, HTML, text, strlen(text));
}

bool image_form_is_file(const struct httpd_part *part)
{
	return part->multipart && strcmp(part->name, "image") == 0 &&
		(part->filename || (part->type && strncasecmp(part->type, "text/", 5) != 0));
}

void image_form_begin(struct httpd_req *req, struct image_budget *budget)
{
	struct image_form *form;

	if (httpd_content_length(req) > (int64_t)(budget->max_image_bytes + IMAGE_FORM_OVERHEAD)) {
		reply(req, 413, "Image is too large");
		return;
	}
	form = calloc(1, sizeof(*form));
	if (!form) {
		httpd_reply_error(req, 500, "out of memory");
		return;
	}
	form->budget = budget;
	buf_init(&form->image, budget->max_image_bytes);
	httpd_set_data(req, form, form_free);
}

/* A name goes on in a header: what could end it there does not. */
static void copy_plain(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; in && *in && n + 1 < size; in++) {
		if ((unsigned char)*in >= 0x20 && *in != 0x7f && *in != '"' && *in != '\\')
			out[n++] = *in;
	}
	out[n] = '\0';
}

static int add(struct httpd_req *req, struct image_form *form, const void *data, size_t len)
{
	struct image_budget *budget = form->budget;
	int r;

	if (budget->held_bytes + len > budget->max_bytes) {
		httpd_add_header(req, "Retry-After", "1");
		reply(req, 503, "Too many uploads at a time");
		return -EAGAIN;
	}
	r = buf_add(&form->image, data, len);
	if (r == -EMSGSIZE)
		reply(req, 413, "Image is too large");
	if (r < 0)
		return r;
	budget->held_bytes += len;
	form->counted += len;
	return 0;
}

/* --- parameters ------------------------------------------------------------------------------------------------------- */
static void end_field(struct image_form *form)
{
	if (form->field[0] && !form->params_err.code)
		picture_params_set(&form->params, form->field, form->value, &form->params_err);
	form->field[0] = '\0';
}

static void begin_field(struct image_form *form, const char *name)
{
	if (!picture_params_knows(name))
		return; /* others' fields are not looked at */
	snprintf(form->field, sizeof(form->field), "%s", name);
	form->value[0] = '\0';
}

static void add_value(struct image_form *form, const char *data, size_t len)
{
	size_t at = strlen(form->value);

	if (len >= sizeof(form->value) - at || memchr(data, '\0', len)) {
		len = 0;
		if (!form->params_err.code)
			err_set(&form->params_err, EINVAL, "%s is not a sensible value",
				form->field);
	}
	memcpy(form->value + at, data, len);
	form->value[at + len] = '\0';
}

/* Arguments of the query count as fields; then all are checked together. */
static int take_params(struct httpd_req *req, struct image_form *form)
{
	static const char *const names[] = {
		"op", "format", "width", "height", "radius", "size", "quality"};
	struct err *err = &form->params_err;

	end_field(form);
	for (size_t i = 0; i < ARRAY_SIZE(names) && !err->code; i++) {
		const char *value = httpd_query(req, names[i]);

		if (value)
			picture_params_set(&form->params, names[i], value, err);
	}
	if (!err->code && picture_params_check(&form->params, err) == 0)
		picture_params_format(&form->params, form->params_text);
	return -err->code;
}

int image_form_part(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len)
{
	struct image_form *form = httpd_data(req);

	if (part->offset == 0) {
		end_field(form);
		if (!part->filename)
			begin_field(form, part->name);
		form->in_image = !form->seen && image_form_is_file(part);
		/* A browser sends an empty, nameless file when none was chosen. */
		if (form->in_image && len == 0 && part->filename && !*part->filename)
			form->in_image = false;
		if (form->in_image) {
			form->seen = true;
			copy_plain(part->filename, form->filename, sizeof(form->filename));
			copy_plain(part->type, form->type, sizeof(form->type));
		}
	}
	if (form->field[0])
		add_value(form, data, len);
	return form->in_image ? add(req, form, data, len) : 0;
}

static bool starts(const struct image_form *form, const unsigned char *with, size_t len)
{
	return form->image.len >= len && memcmp(form->image.data, with, len) == 0;
}

struct image_form *image_form_take(struct httpd_req *req)
{
	struct image_form *form = httpd_data(req);

	if (!form->seen) {
		reply(req, 400, "Image not found");
		return NULL;
	}
	if (!starts(form, png_signature, sizeof(png_signature)) &&
		!starts(form, jpeg_signature, sizeof(jpeg_signature))) {
		reply(req, 415, "Image is not a PNG or JPEG");
		return NULL;
	}
	if (take_params(req, form) < 0) {
		httpd_replyf(req, 400, HTML, "Bad parameters: %s", form->params_err.msg);
		return NULL;
	}
	return form;
}

void image_form_error(struct httpd_req *req, unsigned int status, const char *sentence)
{
	const struct httpd_route *route = httpd_route(req);

	(void)sentence;
	if (!route || !route->part)
		return;
	if (status == 400)
		reply(req, 400, "Image not found");
	else if (status == 413)
		reply(req, 413, "Image is too large");
}
