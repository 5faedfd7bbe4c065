/* SPDX-License-Identifier: Apache-2.0 */
/* What blob.c and blob_read.c share. */
#ifndef SERVICES_STORAGE_BLOB_IMPL_H
#define SERVICES_STORAGE_BLOB_IMPL_H

#include "services/storage/blob.h"

#define BLOB_NAME_BYTES 48
#define BLOB_KEPT       16

/* A file that was just written, open for who will read it soon. */
struct blob_kept {
	char name[BLOB_NAME_BYTES];
	int fd; /* -1: none */
};

struct blob_dir {
	int fd;
	uint64_t quota, bytes, count, serial;
	uint64_t writing; /* bytes of pictures that have no name yet */
	size_t memory;    /* for small pictures on their way in and out */
	size_t held;      /* of it */
	bool plain;       /* the file system does not know RENAME_NOREPLACE */
	struct blob_kept kept[BLOB_KEPT];
	unsigned int kept_next; /* to be replaced */
};

/* The file's name; out has BLOB_NAME_BYTES. */
void blob_name_of(const char *id, enum blob_kind kind, char *out);
/* Of the memory for small pictures. NULL: there is none; it goes without. */
void *blob_hold(struct blob_dir *dir, size_t bytes);
void blob_release(
	struct blob_dir *dir, void *data, size_t bytes); /* of as many bytes; NULL is fine */

/* blob_kept.c: what is open under which name. Whoever gives a name to another file, or takes it away, calls blob_forget() first. */
void blob_kept_init(struct blob_dir *dir);
void blob_kept_fini(struct blob_dir *dir);                      /* closes all */
void blob_keep(struct blob_dir *dir, const char *name, int fd); /* a copy of fd, readable */
void blob_forget(struct blob_dir *dir, const char *name);
int blob_kept(const struct blob_dir *dir, const char *name); /* borrowed; -1: none */

#endif
