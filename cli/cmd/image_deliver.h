/* SPDX-License-Identifier: Apache-2.0 */
/* What image build, import and pull do with a finished image: give it to the manager, or write it to a file (--output). */
#ifndef CLI_CMD_IMAGE_DELIVER_H
#define CLI_CMD_IMAGE_DELIVER_H

#include "cli/image/build.h"
#include "cli/verb.h"

/* The words behind --, NULL-terminated, borrowed; NULL: there are none, or no memory. */
const char **image_words(const struct args *args);

/* Before the work: --format, the name (may be NULL), the API unless there is an --output. An exit status. */
int image_deliver_prepare(
	const struct invocation *inv, const char *name, struct api **api, struct format *format);
/* An exit status. */
int image_deliver(const struct invocation *inv, struct api *api, const struct image *image,
	const struct format *format);

#endif
