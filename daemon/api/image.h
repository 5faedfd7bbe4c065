/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of images share: image.c (upload, configuration, removal), image_name.c (names, what nobody uses). */
#ifndef DAEMON_API_IMAGE_H
#define DAEMON_API_IMAGE_H

#include "daemon/image/store.h"

#include <jansson.h>

struct core;
struct httpd_req;

/* Schema Image of api/openapi.yaml; a new reference. */
json_t *image_json(const struct images *images, const struct image *image);
/* The image of a reference (images_resolve()), borrowed; NULL: the answer has been given, with this status when there is none. */
struct image *image_referred(
	struct httpd_req *req, const char *reference, bool single, unsigned status);
/* A new image, or a new content of one: told to all who want to know. */
void image_stored(struct core *core, const struct image *image);
/* The answer to what could not be stored, and to what was. */
void image_answer_failed(struct httpd_req *req, const struct err *err);
void image_answer_stored(struct httpd_req *req, const struct image *image, bool replaced);

#endif
