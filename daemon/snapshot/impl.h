/* SPDX-License-Identifier: Apache-2.0 */
/* Between snapshot.c (the table), create.c (how one is made) and store.c (files). */
#ifndef DAEMON_SNAPSHOT_IMPL_H
#define DAEMON_SNAPSHOT_IMPL_H

#include "daemon/host_id.h"
#include "daemon/snapshot/snapshot.h"

struct loop_child;
struct loop_timer;

struct snapshot {
	struct snapshots *all;
	char name[NAME_MAX_BYTES + 1];
	char id[ID_TEXT_BYTES];
	enum snapshot_state state;
	char reason[256];
	char digest[DIGEST_TEXT_BYTES]; /* "": not yet */
	char vm_id[ID_TEXT_BYTES], vm_name[NAME_MAX_BYTES + 1];
	struct host_id host;
	struct image *image; /* owned reference; NULL: its record can not be read */
	char **argv, **env;  /* owned; NULL: none */
	char *command;       /* owned */
	unsigned memory_mib;
	uint64_t bytes;
	int64_t paused_us;
	struct timespec created;
	bool verified; /* its memory's digest was looked at by this manager */
	char *state_path, *memory_path, *workset_path; /* owned */
	/* while COPYING or SEALING */
	struct instance *inst; /* COPYING: stands still */
	bool was_paused;
	struct loop_child *sealer;
	int sealer_pid;
	struct snapshot_waiter *waiters;
	struct snapshot *next; /* by name */
};

struct snapshots {
	struct core *core;
	char *dir;
	struct snapshot *first;
	struct snapshot_waiter *told; /* about to be called */
	unsigned count;
};

/* --- snapshot.c */
/* In the table, with paths; *snapshot has name and nothing else. 0 or -ENOMEM. */
int snapshot_new(struct snapshots *ss, const char *name, struct snapshot **snapshot);
void snapshot_free(struct snapshot *s); /* out of the table; files stay */
/* Those who wait are told of err (NULL: it is READY). */
void snapshot_tell(struct snapshot *s, const struct err *err);

/* --- create.c */
void create_abort(struct snapshot *s); /* what is under way ends; nobody is told */

/* --- store.c */
#define STORE_NEW ".new-"
/* Path of NAME's folder, or of .new-NAME, or of a file in it; the caller's; NULL without memory. */
char *store_path(
	const struct snapshots *ss, const char *prefix, const char *name, const char *file);
/* Makes .new-NAME with empty files state and memory, opened. 0, or -errno with err and nothing left. */
int store_begin(const struct snapshot *s, int fd[2], struct err *err);
/* .new-NAME gets its record and its name; fills digest, bytes and created. 0, or -errno with err: then the caller removes it. */
int store_end(struct snapshot *s, struct err *err);
void store_remove(const struct snapshot *s, bool half);
/* Reads the record of NAME: 0, or -errno with err. */
int store_load(struct snapshot *s, struct err *err);
/* The digest of the state file against that of the record. 0 or -errno with err. */
int store_check(const struct snapshot *s, struct err *err);
/* Calls fn for each name that may be one of a snapshot, or (half) of one that was being made, with the id of its instance or "". */
typedef void store_fn(struct snapshots *ss, const char *name, bool half, const char *vm_id);
void store_each(struct snapshots *ss, store_fn *fn);

/* --- record.c: all of the record but its image. 0 or -errno with err. */
int snapshot_record_load(struct snapshot *s, json_t *root, struct err *err);

#endif
