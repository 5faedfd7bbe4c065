/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file part "image" of an uploaded form, collected in memory, and what is to be done with it: fields of the form, or arguments of the
 * query, as picture_params.h has them. What all uploads of a service hold together is
 * bounded by a budget. It is the data of its request (httpd_set_data()).
 */
#ifndef SERVICES_COMMON_IMAGE_FORM_H
#define SERVICES_COMMON_IMAGE_FORM_H

#include "lib/buf.h"
#include "lib/httpd.h"
#include "services/common/picture_params.h"

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_FORM_OVERHEAD (64 * KIB) /* of the form around the picture */

struct image_budget {
	uint64_t held_bytes, max_bytes;
	uint64_t max_image_bytes;
};

struct image_form {
	struct image_budget *budget;
	struct buf image;
	uint64_t counted;
	bool seen;                    /* there is a file part */
	bool in_image;                /* the part being read is it */
	char filename[128], type[64]; /* "": none; no quotes or control characters */
	struct picture_params params;
	char params_text[PICTURE_PARAMS_BYTES]; /* for the queue; "": the default */
	struct err params_err;                  /* code 0: good so far */
	char field[12], value[24];              /* being read; field "": none */
	void *more;                             /* of the owner, */
	void (*more_free)(void *more);          /* freed with the form */
};

/* Whether a part is the picture: named "image", with a file name or a type that is not text. */
bool image_form_is_file(const struct httpd_part *part);
/* For the route's begin(): sets the request's data, or refuses. */
void image_form_begin(struct httpd_req *req, struct image_budget *budget);
/* For the route's part(). */
int image_form_part(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len);
/* The form of a request, for its handler. NULL: 400 (no picture in it, bad parameters) or 415 (neither PNG nor JPEG) has been
 * answered. */
struct image_form *image_form_take(struct httpd_req *req);
/* For service_spec.error: what the glue refuses, worded as the others are. */
void image_form_error(struct httpd_req *req, unsigned int status, const char *sentence);

#endif
