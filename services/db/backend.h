/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a queue keeps its tasks: the interface between the rules (queue.c) and what stores (sqlite.c, postgres.c). A backend knows rows,
 * order and durability, and nothing of leases, back-off or guards: those are written once, above it.
 *
 * Writes happen between begin() and commit(), many requests to one transaction. A write that fails makes the whole transaction fail: commit()
 * then undoes it and says so. Reads outside a transaction see what is committed.
 *
 * All functions: 0 (or a number) or -errno. -EAGAIN: the database is away or in the way just now, the same request may do well a moment
 * later. -ENOSPC: full. -EIO: anything else; error() has the sentence.
 */
#ifndef SERVICES_DB_BACKEND_H
#define SERVICES_DB_BACKEND_H

#include "lib/err.h"
#include "services/db/task.h"

#include <stdbool.h>

struct backend_ops;

/* The first member of a backend's own structure. */
struct backend {
	const struct backend_ops *ops;
	bool must_last; /* set by a change (or a reading) that nobody may hear of before it is on the disk; the queue takes it back */
};

/* fn gets the descriptor to be watched for news(), and -1 before that is closed. fn may be NULL. */
struct backend_watch {
	void (*fn)(void *arg, int fd);
	void *arg;
};

struct backend_ops {
	const char *name;
	bool shared; /* others change the queue as well: what is not there may be a moment later */
	void (*close)(struct backend *b); /* rolls back what is open */
	const char *(*error)(const struct backend *b);

	int (*begin)(struct backend *b);
	/* Undone when it fails. What is committed survives the end of this process. lasting: it survives the end of the machine, once
	 * sync_fd() is synced, or when it returns 0 if there is none; else it does so with the next one that lasts. */
	int (*commit)(struct backend *b, bool lasting);
	/* The descriptor to be synced (fdatasync, any thread) for all commits so far to last. -errno: it cannot be. NULL: see commit. */
	int (*sync_fd)(struct backend *b);
	/* What sync_fd() named last is on the disk. NULL: the backend need not know. */
	void (*synced)(struct backend *b);

	/* Gives t its id; ids never repeat, the first is 0. -ENOSPC: max_waiting tasks are created, ready or delayed. -EEXIST: its key is
	 * there already. */
	int (*insert)(struct backend *b, struct task *t, int64_t max_waiting);
	/* -ENOENT. lock: inside a transaction, and nobody else changes it until the commit. */
	int (*load)(struct backend *b, int64_t id, bool lock, struct task *t);
	int (*find)(struct backend *b, const char *key, int64_t *id);
	/* Writes what changes in a life: state, due, since, attempts, token, worker, reason. from: the state it had. */
	int (*store)(struct backend *b, const struct task *t, enum task_state from);
	/* Takes the first ready task that nobody else is taking and makes it leased: due, since, token and worker are given, one attempt
	 * is added, the rest is filled in. -ENOENT. */
	int (*take)(struct backend *b, struct task *t);

	/* Ids of tasks in a state with due <= now, the earliest first, at most max; locked. */
	int (*due)(struct backend *b, enum task_state state, int64_t now, int64_t *ids, int max);
	/* The earliest due of all created, leased and delayed tasks; INT64_MAX: none. */
	int (*next_due)(struct backend *b, int64_t *at);
	/* Deletes tasks in a state with due <= until, the earliest first, at most max. How many. */
	int (*purge)(struct backend *b, enum task_state state, int64_t until, int64_t max);
	/* No lease is longer than this: after a restart the clock may be another. */
	int (*clip_leases)(struct backend *b, int64_t latest);

	/* Dead tasks with an id above after, in order, at most max. How many. */
	int (*list_dead)(struct backend *b, int64_t after, struct task *out, int max);
	/* Id -1: all. How many changed in *n. */
	int (*retry_dead)(struct backend *b, int64_t id, int64_t now, int64_t *n);
	int (*delete_dead)(struct backend *b, int64_t id, int64_t *n);

	/* Tasks by state, without a scan; what is not committed yet counts too. */
	int (*counts)(struct backend *b, int64_t counts[TASK_STATES]);
	/* Since when the ready task that has waited longest is ready; -ENOENT. */
	int (*oldest)(struct backend *b, int64_t *since_ms);
	/* Rows that statements stepped over for want of an index; stays 0. NULL: not known. */
	uint64_t (*scan_steps)(const struct backend *b);
	/* The watched descriptor is readable: whether somebody else made tasks ready. NULL: never. */
	bool (*news)(struct backend *b);
};

/* A file; made when it is not there. */
int sqlite_open(const char *path, struct backend **b, struct err *err);
/* A connection string of libpq: "postgresql://user@host/database" or "host=... dbname=...". Tables are made when they are not there. */
int postgres_open(
	const char *conninfo, struct backend_watch watch, struct backend **b, struct err *err);
/* "postgresql://...", "postgres://..." or "sqlite:PATH". -ENOTSUP: not built in. */
int backend_open(const char *url, struct backend_watch watch, struct backend **b, struct err *err);

#endif
