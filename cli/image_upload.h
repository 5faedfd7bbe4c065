/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_IMAGE_UPLOAD_H
#define CLI_IMAGE_UPLOAD_H

#include "cli/api.h"
#include "cli/image/build.h"

/* Gives an image that was built to the manager. *answer: the image as the manager has it. As api_call(). */
int image_upload(struct api *api, const struct image *image, json_t **answer, struct err *err);

#endif
