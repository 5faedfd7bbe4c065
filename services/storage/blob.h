/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures in a folder: for each id an input ("7.in") and a result ("7.out"), each a file of the picture's bytes and a trailer
 * that says how many those are and their checksum. A new one that fits into memory is gathered there, then its file is made
 * and written in one go; another one is written to a temporary file that gets its name. It is there for certain when it was synced.
 * What has changed since, or was not whole when the machine died, is noticed when it is read.
 * Ids are [0-9]{1,18} and nothing else ever becomes part of a file name. One process owns the folder (flock).
 *
 *   blob_begin -> blob_write ... -> blob_seal -+- the name is free: blob_name_free ---------> blob_sync --> blob_end, answer
 *                                              \- taken: blob_sync (the file) -> blob_name -------/
 *
 * A name that is free is given before the sync: then file and name go to the disk in one go (one commit of the file system's journal, not two).
 * If machine or process die in between there may be a part of a picture under a name that nobody was told of; whoever sends it again
 * replaces it. A picture that is there already is only replaced by one that is on the disk.
 *
 * blob_sync() may be called on any thread, for several writers at a time; all else belongs to one thread. All functions: 0 or -errno.
 */
#ifndef SERVICES_STORAGE_BLOB_H
#define SERVICES_STORAGE_BLOB_H

#include "lib/err.h"
#include "lib/util.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum blob_kind { BLOB_INPUT, BLOB_RESULT };
enum blob_type { BLOB_UNKNOWN, BLOB_PNG, BLOB_JPEG };

#define BLOB_TRAILER_BYTES 24
#define BLOB_WRITE_BYTES                                                                           \
	(512 * KIB) /* of a file: gathered, and written in one go; a larger one in pieces of so much */
#define BLOB_READ_BYTES   (4 * MIB) /* of a file: read in one go */
#define BLOB_MEMORY_BYTES (16 * MIB)
#define BLOB_ID_BYTES     19 /* with the NUL behind it */

struct blob_dir;
struct blob_writer;

/* A picture that was read and is whole. */
struct blob_info {
	uint64_t bytes; /* of the picture, which begins the file */
	enum blob_type type;
	unsigned char *data; /* all of it, when it is small; NULL: it is in fd */
	size_t held;         /* of the folder's memory */
	int fd;              /* -1: none */
	struct stat st;      /* of the file */
};

/* Opens (and makes) the folder, removes what a crash left, counts the bytes held. quota_bytes: over all pictures, those that are being
 * written too. -EBUSY: another process has it. */
int blob_open(const char *path, uint64_t quota_bytes, struct blob_dir **dir, struct err *err);
/* How much memory small pictures may take, at most this at a time, on their way in and out (at first BLOB_MEMORY_BYTES). When it is used up,
 * files are read and written in pieces. */
void blob_set_memory(struct blob_dir *dir, size_t bytes);
void blob_close(struct blob_dir *dir); /* NULL is fine */

/* Removes all pictures. For a temporary folder at its end. */
void blob_clear(struct blob_dir *dir);

bool blob_id_good(const char *id);
/* Reads and checks the whole picture: one of at most BLOB_READ_BYTES by one read into memory (what was checked is what is sent), unless
 * there is no memory for it; another one is left open. 0, -ENOENT, -EBADMSG (damaged) or another -errno. */
int blob_read(struct blob_dir *dir, const char *id, enum blob_kind kind, struct blob_info *info);
/* After a blob_read() that returned 0: frees and closes. */
void blob_read_end(struct blob_dir *dir, struct blob_info *info);
/* Removes input and result; -ENOENT when there was neither. */
int blob_remove(struct blob_dir *dir, const char *id);

/* expect_bytes: about so many will come; 0: who knows. They are gathered, so that there are few writes. */
int blob_begin(
	struct blob_dir *dir, uint64_t max_bytes, uint64_t expect_bytes, struct blob_writer **w);
/* -EMSGSIZE: over max_bytes, -ENOSPC: disk or quota, -EBADMSG: what came is not the beginning of a PNG or JPEG. */
int blob_write(struct blob_writer *w, const void *data, size_t len);
/* The picture has ended: writes what is left, unless all of it is in memory. -EBADMSG: too short to be one, -ENOSPC. */
int blob_seal(struct blob_writer *w);
/* Gives it its name if nothing has it, and writes it if it is in memory. -EEXIST: something has. -ENOSPC. */
int blob_name_free(struct blob_writer *w, const char *id, enum blob_kind kind);
/* Gives it its name, and replaces what has it; at the second time nothing happens. */
int blob_name(struct blob_writer *w, const char *id, enum blob_kind kind);
bool blob_named(const struct blob_writer *w);
/* The file is on the disk when it returns 0, and so is its name if it has one. Any thread. */
int blob_sync(struct blob_writer *w);
/* It could not be synced: the name it got is taken back, unless another one has it by now. */
void blob_unname(struct blob_writer *w, const char *id, enum blob_kind kind);
/* Frees w; without a name it goes. NULL is fine. */
void blob_end(struct blob_writer *w);
/* What was removed is gone from the disk when it returns 0. */
int blob_sync_folder(struct blob_dir *dir);

uint64_t blob_bytes(const struct blob_dir *dir);
uint64_t blob_count(const struct blob_dir *dir);

/* What the first bytes of a picture say; BLOB_UNKNOWN also while they are too few to say it. */
enum blob_type blob_type_of(const void *head, size_t len);

/* --- for tests ----------------------------------------------------------------------------------------------------- */
bool blob_exists(struct blob_dir *dir, const char *id, enum blob_kind kind);
/* Of the memory for small pictures, now. */
size_t blob_held(const struct blob_dir *dir);
void blob_trailer_make(uint64_t bytes, uint32_t sum, unsigned char out[BLOB_TRAILER_BYTES]);
/* 0, or -EBADMSG: it is none, or of another length than file_bytes says. */
int blob_trailer_parse(const unsigned char in[BLOB_TRAILER_BYTES], uint64_t file_bytes,
	uint64_t *bytes, uint32_t *sum);

#endif
