/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the queue, over any backend. Ids never repeat and begin at 0.
 *
 *   create -> CREATED --ready--> READY --lease--> LEASED --finish--> FINISHED
 *               |   \              ^                 |
 *               |    +-- delay --> DELAYED <---------+ fail, or the lease ran out
 *         orphan: deleted          |       back-off  |
 *                                  +---- retry DEAD <+ attempts used up, or final (purge: deleted)
 *
 * Every change happens inside a transaction that the caller opens and commits: many requests may share one (group
 * commit), and none may be answered before. What clients rely on for good (a task is ready, finished, dead) must also be on the disk
 * by then, see queue_must_last(); a lease need not: if the machine dies with it, the task is ready again, and its token is good for
 * nothing. Times are ms since the epoch of a clock that the caller keeps from stepping back.
 * All functions: 0 or -errno as in backend.h, the sentence in queue_error().
 */
#ifndef SERVICES_DB_QUEUE_H
#define SERVICES_DB_QUEUE_H

#include "lib/err.h"
#include "services/db/backend.h"

#include <stdbool.h>
#include <stdint.h>

struct queue;

struct queue_config {
	int64_t lease_ms, orphan_ms, backoff_ms, backoff_max_ms, keep_finished_ms;
	int64_t max_attempts;
	int64_t max_tasks; /* not leased, not finished, not dead */
	int64_t max_dead;  /* above it the oldest dead tasks are deleted */
};

struct queue_stats {
	uint64_t created, leased, finished, failed, expired, died, commits, rollbacks;
};

struct lease {
	int64_t id, attempt, expires_ms;
	char token[TOKEN_BYTES], params[PARAMS_BYTES];
};

/* What a new task is to be. Strings: printable ASCII within their *_BYTES, NULL or "" for none. */
struct wish {
	int64_t priority; /* 0 to PRIORITY_MAX; higher goes first */
	int64_t delay_ms; /* not ready sooner, counted from the creation */
	const char *key;  /* a second task of the same key is the first one */
	const char *params;
};

/* Takes b, also when it fails. */
int queue_open(const struct queue_config *config, struct backend *b, int64_t now_ms,
	struct queue **queue, struct err *err);
void queue_close(struct queue *q); /* rolls back what is open; NULL is fine */
const char *queue_error(const struct queue *q);
const char *queue_backend(const struct queue *q);
bool queue_shared(const struct queue *q);

int queue_begin(struct queue *q); /* nothing when one is open */
int queue_commit(struct queue *q);
/* Whether what was done or read since the last question may be told to nobody before queue_sync_fd() is synced, once it is committed. */
bool queue_must_last(struct queue *q);
/* Whether a commit since the last question holds something like that. */
bool queue_unsynced(struct queue *q);
/* What to sync (fdatasync, any thread) for all that was committed to last. -errno: it cannot be; -ENODATA: the commit has seen to it. */
int queue_sync_fd(struct queue *q);
/* That was done, and succeeded. */
void queue_synced(struct queue *q);
bool queue_is_open(const struct queue *q); /* a transaction */

/* wish NULL: nothing special. state: TASK_CREATED, or what the task of that key is by now. -ENOSPC: full. */
int queue_create(struct queue *q, const struct wish *wish, int64_t now_ms, int64_t *id,
	enum task_state *state);
/* -ENOENT, -ESTALE (not in a state for it). A repetition (READY or LEASED already) is no error: 0 without effect. */
int queue_ready(struct queue *q, int64_t id, int64_t now_ms);
/* The ready task with the highest priority, of those the one with the lowest id; -ENOENT: none. */
int queue_lease(struct queue *q, const char *worker, int64_t now_ms, struct lease *lease);
/* Whether a lease is worth a try: no ready task is known to be there when false. */
bool queue_may_lease(struct queue *q);
/* token NULL: good while the lease is valid. -ENOENT, -ESTALE. A repetition with the right token is no error. */
int queue_finish(struct queue *q, int64_t id, const char *token, int64_t now_ms);
/* Prolongs a valid lease. */
int queue_renew(
	struct queue *q, int64_t id, const char *token, int64_t now_ms, struct lease *lease);
/* The worker gives the task back with a reason. final: another try would be no better, it is dead. */
int queue_fail(struct queue *q, int64_t id, const char *token, const char *reason, bool final,
	int64_t now_ms);
int queue_get(struct queue *q, int64_t id, struct task *task);

/* Leases that ran out, delays that are over, orphans; at most a few hundred at a time. */
int queue_expire(struct queue *q, int64_t now_ms);
/* No later than when queue_expire() has work next; INT64_MAX: never. */
int64_t queue_next_due(struct queue *q);
/* The backend's descriptor is readable: whether it is worth serving those who wait. */
bool queue_news(struct queue *q);

/* Dead tasks with an id above after, at most max. Number, or -errno. */
int queue_dead(struct queue *q, int64_t after, struct task *out, int max);
/* Id -1: all. changed: how many. -ENOENT for a single one that is not dead. */
int queue_dead_retry(struct queue *q, int64_t id, int64_t now_ms, int64_t *changed);
int queue_dead_purge(struct queue *q, int64_t id, int64_t *changed);

uint64_t queue_scan_steps(const struct queue *q);
/* Tasks in a state, without a scan; -1 when the backend does not say. */
int64_t queue_count(struct queue *q, enum task_state state);
int queue_counts(struct queue *q, int64_t counts[TASK_STATES]);
/* How long the ready task that has waited longest has done so; 0: none is ready. */
int64_t queue_oldest_ms(struct queue *q, int64_t now_ms);
struct queue_stats queue_stats(const struct queue *q);

#endif
