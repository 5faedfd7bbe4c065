/* SPDX-License-Identifier: Apache-2.0 */
/* From a manifest to an EROFS file and its configuration. */
#ifndef CLI_IMAGE_BUILD_H
#define CLI_IMAGE_BUILD_H

#include "cli/image/foreign.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What is being done now: a few words for people. */
typedef void build_progress_fn(const char *what);

struct image_options {
	const char *manifest;
	const char *context; /* NULL: the manifest's folder */
	bool host_files;
	struct foreign foreign;      /* what a manifest of others leaves open */
	build_progress_fn *progress; /* or NULL */
};

struct image {
	char *name;     /* owned */
	json_t *config; /* owned; ImageConfig of the API */
	int fd;         /* owned; the EROFS file, already unlinked */
	uint64_t bytes;
};

/*
 * The same files give the same bytes. Everything temporary is gone when it returns; SIGINT and SIGTERM wait until then.
 * 0; -EINVAL for a bad manifest, -errno with a sentence else.
 */
int image_build(const struct image_options *options, struct image *image, struct err *err);
void image_fini(struct image *image);

/* mkfs.erofs over the folder dir/root into dir/image.erofs; fd of the file. */
int erofs_make(const char *dir, int *fd, uint64_t *bytes, struct err *err);

#endif
