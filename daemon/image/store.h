/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images: STATE_DIR/image/NAME.json is the record of a name (configuration, time, size, and the file of its content in
 * daemon/image/content.h). Several names may have one content. A new version is a new content and a renamed record, so the step from
 * one to the other is one rename(2); a content goes when no name and no VM has it any more. What no record and no
 * instance names is removed at the start.
 *
 * A reference to an image is a name ("web" is "web:latest"), or a digest: "sha256:" and at least 8 digits.
 */
#ifndef DAEMON_IMAGE_STORE_H
#define DAEMON_IMAGE_STORE_H

#include "daemon/image/config.h"
#include "daemon/image/content.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct images;

/* One version of a name, shared by the store and the VMs that were made from it. */
struct image {
	unsigned refs;
	char *name;
	struct content *content; /* NULL: a record without one */
	time_t created;
	json_t *config;
	struct image *next; /* in the store, by name */
};

int images_new(const char *state_dir, struct images **images, struct err *err);
/* The manager ends: from now on no file goes that a record or an instance of the database names. */
void images_keep(struct images *images);
void images_free(struct images *images);
/* Contents: those of uploads. */
struct contents *images_contents(struct images *images);

/* Borrowed; NULL. */
struct image *images_find(const struct images *images, const char *name);
/* By name or digest: 0 and *image (borrowed), -ENOENT, or -EEXIST when names of different configurations have that digest, with
 * single also when any two have. */
int images_resolve(
	const struct images *images, const char *reference, bool single, struct image **image);
struct image *images_first(const struct images *images); /* then ->next, ascending by name */
struct image *image_get(struct image *image);
void image_put(struct image *image); /* NULL is fine */
/* Absolute path of its file, or NULL; the bytes and the digest of it ("" when it has none). */
const char *image_path(const struct image *image);
uint64_t image_bytes(const struct image *image);
const char *image_digest(const struct image *image);
/* How many VMs were made from it and are still there. The store's own versions only. */
unsigned image_users(const struct image *image);
/* The version that a record of an earlier manager names, for an instance that runs on: the store's own when it still is that
 * one, else one that only the caller has. A reference for the caller; NULL when config is none. */
struct image *image_of_record(
	struct images *images, const char *name, const char *path, json_t *config);

/*
 * Makes content (taken; NULL: none) with config (taken) the image of that name. 0 and *image (borrowed), *replaced whether
 * there was one; or -errno with err.
 */
int images_add(struct images *images, const char *name, struct content *content, json_t *config,
	struct image **image, bool *replaced, struct err *err);
/* Stores another configuration; takes config, also on failure. VMs keep what they were started with. */
int image_set_config(struct images *images, struct image *image, json_t *config, struct err *err);
int image_delete(struct images *images, struct image *image, struct err *err);
/* Removes the files that no name and no VM has; starting: what uploads left too. Nothing while a record is unreadable. */
int images_collect(struct images *images, bool starting, struct collected *collected);

#endif
