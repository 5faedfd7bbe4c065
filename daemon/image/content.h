/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of images: STATE_DIR/image/data/HEX.erofs, named by their SHA-256, each stored once whatever names it has.
 * A content is shared by the names and the VMs that have it, by reference count: the file goes with the last. What is
 * being uploaded has a name of its own (UUID.part), and gets the other by one rename(2) when it is complete and on the disk.
 */
#ifndef DAEMON_IMAGE_CONTENT_H
#define DAEMON_IMAGE_CONTENT_H

#include "lib/digest.h"
#include "lib/err.h"

#include <stdint.h>

#define CONTENT_MAX_BYTES (4096 * MIB) /* the image window of the guest-physical map */

struct contents;
struct content_upload;

struct content {
	struct contents *owner;
	unsigned refs;
	char digest
		[DIGEST_TEXT_BYTES]; /* "": a file of an earlier manager, which has another name */
	char *path;                  /* absolute */
	uint64_t bytes;
	struct content *next;
};

/* dir: the folder, made when it is not there. 0 or -errno with err. */
int contents_new(const char *dir, struct contents **contents, struct err *err);
/* No file goes after this: the manager ends, and what the database and the records name is for the next one. */
void contents_keep(struct contents *contents);
void contents_free(struct contents *contents); /* NULL is fine; no content may be held any more */

/* The content with a name in the folder, a reference for the caller; NULL: there is no such file, or it is not so long. */
struct content *contents_open(struct contents *contents, const char *file, uint64_t bytes);
struct content *content_get(struct content *content);
void content_put(struct content *content); /* NULL is fine */
/* Its name in the folder. */
const char *content_file(const struct content *content);

struct collected {
	unsigned files;
	uint64_t bytes;
};

/* Removes the files that nobody holds; with uploads also what is half there (before the first upload only). */
int contents_collect(struct contents *contents, bool uploads, struct collected *collected);

int content_upload_new(struct contents *contents, struct content_upload **upload, struct err *err);
/* 0, -EMSGSIZE (over CONTENT_MAX_BYTES), -ENOSPC, another -errno. */
int content_upload_write(struct content_upload *upload, const void *data, size_t len);
/*
 * 0 and *content, a reference for the caller, its file on the disk; NULL for an upload without a byte. -EINVAL: not an EROFS
 * image, or another digest than the wanted one (NULL: any); or another -errno with err. The upload is freed in any case.
 */
int content_upload_end(struct content_upload *upload, const char *wanted, struct content **content,
	struct err *err);
void content_upload_abort(struct content_upload *upload); /* NULL is fine */

#endif
