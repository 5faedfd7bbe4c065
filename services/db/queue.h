/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The durable queue of tasks, in SQLite. Ids never repeat and begin at 0.
 *
 *   create -> CREATED --ready--> READY --lease--> LEASED --finish--> FINISHED
 *               |                  ^                 |
 *         orphan: deleted          +--- DELAYED <----+ fail, or the lease ran out
 *                                  |       back-off  |
 *                                  +---- retry DEAD <+ attempts used up (purge: deleted)
 *
 * Every change happens inside a transaction that the caller opens and commits: many requests may share one (group
 * commit), and none is answered before. Times are ms since the epoch of a clock that the caller keeps from stepping back.
 * All functions: 0 or -errno; -EIO is the database's, with the sentence in queue_error().
 */
#ifndef SERVICES_DB_QUEUE_H
#define SERVICES_DB_QUEUE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

enum task_state {
	TASK_CREATED = -1, /* numbers of the wire up to here .. */
	TASK_READY = 0,
	TASK_LEASED = 1,
	TASK_FINISHED = 2, /* .. and here */
	TASK_DEAD = 3,
	TASK_DELAYED = 4, /* shown as ready */
};
#define TASK_STATES 6 /* index of counts: state + 1 */

#define TOKEN_BYTES  33 /* 128 random bits in hexadecimal */
#define WORKER_BYTES 64
#define REASON_BYTES 200
#define PARAMS_BYTES 201 /* what is to be done, for the worker; "": its default */

struct queue;

struct queue_config {
	const char *path;
	int64_t lease_ms, orphan_ms, backoff_ms, backoff_max_ms, keep_finished_ms;
	int64_t max_attempts;
	int64_t max_tasks; /* not finished, not dead */
	int64_t max_dead;  /* above it the oldest dead tasks are deleted */
};

struct lease {
	int64_t id, attempt, expires_ms;
	char token[TOKEN_BYTES];
	char params[PARAMS_BYTES];
};

struct task {
	int64_t id, attempts, due_ms;
	enum task_state state;
	char worker[WORKER_BYTES];
	char reason[REASON_BYTES];
	char params[PARAMS_BYTES];
};

/* What a new task is created with. */
struct task_spec {
	const char *params; /* NULL: "" */
};

int queue_open(
	const struct queue_config *config, int64_t now_ms, struct queue **queue, struct err *err);
void queue_close(struct queue *q); /* rolls back what is open; NULL is fine */
const char *queue_error(const struct queue *q);

int queue_begin(struct queue *q); /* nothing when one is open */
int queue_commit(struct queue *q);
bool queue_is_open(const struct queue *q); /* a transaction */

/* -ENOSPC: full. */
int queue_create(struct queue *q, const struct task_spec *spec, int64_t now_ms, int64_t *id);
/* -ENOENT, -ESTALE (not in a state for it). A repetition (READY or LEASED already) is no error: 0 without effect. */
int queue_ready(struct queue *q, int64_t id, int64_t now_ms);
/* The ready task with the lowest id; -ENOENT: none. */
int queue_lease(struct queue *q, const char *worker, int64_t now_ms, struct lease *lease);
/* token NULL: good while the lease is valid. -ENOENT, -ESTALE. A repetition with the right token is no error. */
int queue_finish(struct queue *q, int64_t id, const char *token, int64_t now_ms);
/* Prolongs a valid lease. */
int queue_renew(
	struct queue *q, int64_t id, const char *token, int64_t now_ms, struct lease *lease);
/* The worker gives the task back with a reason; final: no other attempt would do better, so it is dead at once. */
int queue_fail(struct queue *q, int64_t id, const char *token, const char *reason, bool final,
	int64_t now_ms);
int queue_get(struct queue *q, int64_t id, struct task *task);

/* Leases that ran out, delays that are over, orphans; at most a few hundred at a time. changed: whether anything was due. */
int queue_expire(struct queue *q, int64_t now_ms, bool *changed);
/* When queue_expire() has work next; INT64_MAX: never. */
int64_t queue_next_due(struct queue *q);

/* Dead tasks with an id above after, at most max. Number, or -errno. */
int queue_dead(struct queue *q, int64_t after, struct task *out, int max);
/* Id -1: all. changed: how many. -ENOENT for a single one that is not dead. */
int queue_dead_retry(struct queue *q, int64_t id, int64_t *changed);
int queue_dead_purge(struct queue *q, int64_t id, int64_t *changed);

/* Rows that statements stepped over for want of an index, opening left out: stays 0. */
uint64_t queue_scan_steps(const struct queue *q);
/* Tasks in a state, without a scan. */
int64_t queue_count(const struct queue *q, enum task_state state);

#endif
