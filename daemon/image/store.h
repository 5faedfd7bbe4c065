/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images: STATE_DIR/image/NAME.json is the record (config, time, size and the name of the data file),
 * STATE_DIR/image/data/UUID.erofs the file. A new version is a new data file and a renamed record, so the step from one to the
 * other is one rename(2); the old file goes when the last VM that was made from it is gone. Files that no record
 * names are removed at the start.
 */
#ifndef DAEMON_IMAGE_STORE_H
#define DAEMON_IMAGE_STORE_H

#include "daemon/image/config.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define IMAGE_MAX_BYTES (4096 * MIB) /* the image window of the guest-physical map */

struct images;
struct image_upload;

/* One version of an image, shared by the store and the VMs that were made from it. */
struct image {
	unsigned refs;
	char *name;
	char *path; /* of the EROFS file, absolute; NULL: a record without one */
	uint64_t bytes;
	time_t created;
	json_t *config;
	bool stale;         /* replaced or deleted: the last put removes the file */
	struct image *next; /* in the store, by name */
};

int images_new(const char *state_dir, struct images **images, struct err *err);
void images_free(struct images *images);

/* Borrowed; NULL. */
struct image *images_find(const struct images *images, const char *name);
struct image *images_first(const struct images *images); /* then ->next, ascending by name */
struct image *image_get(struct image *image);
void image_put(struct image *image); /* NULL is fine */
/* The version that a record of an earlier manager names, for an instance that runs on: the store's own when it still is that
 * one, else one that only the caller has, without a file. A reference for the caller; NULL when config is none. */
struct image *image_of_record(
	const struct images *images, const char *name, const char *path, json_t *config);

/* A version in the making. 0 or -errno with err. */
int image_upload_new(struct images *images, struct image_upload **upload, struct err *err);
/* 0, -EMSGSIZE (over IMAGE_MAX_BYTES), -ENOSPC, another -errno. */
int image_upload_write(struct image_upload *upload, const void *data, size_t len);
/* Makes it the image of that name; takes config. 0 and *image (borrowed), *replaced whether there was one; -EINVAL: not an EROFS
 * image; or another -errno with err. The upload is freed in any case. */
int image_upload_commit(struct image_upload *upload, const char *name, json_t *config,
	struct image **image, bool *replaced, struct err *err);
void image_upload_abort(struct image_upload *upload); /* NULL is fine */

/* Stores another configuration; takes config, also on failure. VMs keep what they were started with. */
int image_set_config(struct images *images, struct image *image, json_t *config, struct err *err);
int image_delete(struct images *images, struct image *image, struct err *err);

#endif
