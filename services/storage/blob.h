/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures in a folder: for each id an input ("7.in") and a result ("7.out"), each a file of the picture's bytes and a trailer
 * that says how many those are and their checksum. A new one is written to a temporary file, synced and renamed, and is there for certain when
 * blob_sync() has returned: what is there is complete, whatever happens in between, and what has changed since is noticed when it is read.
 * Ids are [0-9]{1,18} and nothing else ever becomes part of a file name. One process owns the folder (flock).
 *
 *   blob_begin -> blob_write ... -> blob_commit (under its name, in memory's view) -> blob_sync (on the disk) -> answer
 *
 * All functions: 0 or -errno.
 */
#ifndef SERVICES_STORAGE_BLOB_H
#define SERVICES_STORAGE_BLOB_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

enum blob_kind { BLOB_INPUT, BLOB_RESULT };
enum blob_type { BLOB_UNKNOWN, BLOB_PNG, BLOB_JPEG };

#define BLOB_TRAILER_BYTES 24

struct blob_dir;
struct blob_writer;

struct blob_info {
	uint64_t bytes; /* of the picture, which begins the file */
	enum blob_type type;
};

/* Opens (and makes) the folder, removes what a crash left, counts the bytes held. quota_bytes: over all pictures, those that are being
 * written too. -EBUSY: another process has it. */
int blob_open(const char *path, uint64_t quota_bytes, struct blob_dir **dir, struct err *err);
void blob_close(struct blob_dir *dir); /* NULL is fine */

/* Removes all pictures. For a temporary folder at its end. */
void blob_clear(struct blob_dir *dir);

bool blob_id_good(const char *id);
bool blob_exists(struct blob_dir *dir, const char *id, enum blob_kind kind);
/* Opens for reading, after the whole picture was checked. The descriptor, or -ENOENT, -EBADMSG (damaged) or another -errno. */
int blob_read(struct blob_dir *dir, const char *id, enum blob_kind kind, struct blob_info *info);
/* Removes input and result; -ENOENT when there was neither. */
int blob_remove(struct blob_dir *dir, const char *id);

int blob_begin(struct blob_dir *dir, uint64_t max_bytes, struct blob_writer **w);
/* -EMSGSIZE: over max_bytes, -ENOSPC: disk or quota, -EBADMSG: what came is not the beginning of a PNG or JPEG. */
int blob_write(struct blob_writer *w, const void *data, size_t len);
/* Gives it its name; takes w. -EBADMSG: too short to be a picture. */
int blob_commit(struct blob_writer *w, const char *id, enum blob_kind kind);
void blob_abort(struct blob_writer *w); /* NULL is fine */
/* The names given since the last time are on the disk when it returns 0. */
int blob_sync(struct blob_dir *dir);

uint64_t blob_bytes(const struct blob_dir *dir);
uint64_t blob_count(const struct blob_dir *dir);

/* What the first bytes of a picture say; BLOB_UNKNOWN also while they are too few to say it. */
enum blob_type blob_type_of(const void *head, size_t len);

/* --- the trailer, for tests ---------------------------------------------------------------------------------------- */
void blob_trailer_make(uint64_t bytes, uint32_t sum, unsigned char out[BLOB_TRAILER_BYTES]);
/* 0, or -EBADMSG: it is none, or of another length than file_bytes says. */
int blob_trailer_parse(const unsigned char in[BLOB_TRAILER_BYTES], uint64_t file_bytes,
	uint64_t *bytes, uint32_t *sum);

#endif
