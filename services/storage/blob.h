/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures in a folder: for each id an input ("7.in.png") and a result ("7.out.png"). A new one is written to a temporary file,
 * checked, synced and renamed: what is there is complete, whatever happens in between. Ids are [0-9]{1,18} and
 * nothing else ever becomes part of a file name. All functions: 0 or -errno.
 */
#ifndef SERVICES_STORAGE_BLOB_H
#define SERVICES_STORAGE_BLOB_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

enum blob_kind { BLOB_INPUT, BLOB_RESULT };

struct blob_dir;
struct blob_writer;

/* Opens (and makes) the folder, removes what a crash left, counts the bytes held. quota_bytes: over all pictures. */
int blob_open(const char *path, uint64_t quota_bytes, struct blob_dir **dir, struct err *err);
void blob_close(struct blob_dir *dir); /* NULL is fine */

/* Removes all pictures. For a temporary folder at its end. */
void blob_clear(struct blob_dir *dir);

bool blob_id_good(const char *id);
bool blob_exists(struct blob_dir *dir, const char *id, enum blob_kind kind);
/* Opens for reading. The descriptor, or -ENOENT or another -errno. */
int blob_read(struct blob_dir *dir, const char *id, enum blob_kind kind);
/* Removes input and result; -ENOENT when there was neither. */
int blob_remove(struct blob_dir *dir, const char *id);

int blob_begin(struct blob_dir *dir, uint64_t max_bytes, struct blob_writer **w);
/* -EMSGSIZE: over max_bytes, -ENOSPC: disk or quota, -EBADMSG: what came is not the beginning of a PNG. */
int blob_write(struct blob_writer *w, const void *data, size_t len);
/* Makes it durable under its name; takes w. -EBADMSG: too short to be a PNG. */
int blob_commit(struct blob_writer *w, const char *id, enum blob_kind kind);
void blob_abort(struct blob_writer *w); /* NULL is fine */

uint64_t blob_bytes(const struct blob_dir *dir);
uint64_t blob_count(const struct blob_dir *dir);

#endif
