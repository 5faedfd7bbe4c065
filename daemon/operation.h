/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: what a call has begun that goes on behind its answer (202, Location: /operation/ID). Who does the work holds a struct
 * operation, says how far it is, and ends it once; who asked follows it, by long poll or as events (api/operation.c).
 *
 *   operation_begin()           operation_done()
 *   -----------------> RUNNING ------------------> DONE      \
 *                         |  operation_fail(), operations_stop()  > kept, the last OPERATIONS_KEPT of them
 *                         +------------------------> FAILED  /
 *
 * Beginning and end are rows of the state database: an operation that a manager left behind when it ended is failed for
 * the next one (code manager_ended). Steps in between are not written.
 */
#ifndef DAEMON_OPERATION_H
#define DAEMON_OPERATION_H

#include "daemon/id.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define OPERATIONS_KEPT        256 /* that have ended */
#define OPERATIONS_RUNNING_MAX 64

enum operation_state { OPERATION_RUNNING, OPERATION_DONE, OPERATION_FAILED };
extern const char *const operation_state_names[]; /* NULL behind the last */

struct core;
struct operation;
struct operation_follower;
struct operations;

/* With what earlier managers left. 0 or -errno with err. */
int operations_new(struct core *core, struct operations **operations, struct err *err);
/* The manager ends: what runs has failed. Who does the work may still say how it went; it is not heard. NULL is fine. */
void operations_stop(struct operations *operations);
void operations_free(struct operations *operations); /* NULL is fine */

/* --- for who does the work --- */
struct operation_spec {
	const char *kind;    /* "image.warm": the object and the verb */
	const char *subject; /* the name of what it is done to, or "" */
	/* Somebody wants it to end: the work does so soon, with operation_fail(). NULL: it can not be ended. */
	void (*cancel)(void *arg);
	void *arg;
};
/* *op is the caller's until it ends it. 0; -EAGAIN with err: too many run; -ENOMEM with err. */
int operation_begin(struct operations *operations, const struct operation_spec *spec,
	struct operation **op, struct err *err);
/* What is being done now, for people; what was counted before begins anew. */
void operation_step(struct operation *op, const char *fmt, ...) _printf_(2, 3);
/* How far this step is: done of total (0: nobody knows) units, such as "bytes". */
void operation_progress(struct operation *op, const char *unit, uint64_t done, uint64_t total);
/* The ends; op is not the caller's any more. location (may be NULL): the path of what was made; result (taken, may be NULL): what a GET
 * of it answers. */
void operation_done(struct operation *op, const char *location, json_t *result);
/* status, code and sentence: those of the problem that the call would have answered. */
void operation_fail(struct operation *op, unsigned status, const char *code, const char *fmt, ...)
	_printf_(4, 5);

/* --- for who looks --- */
/* By id, or 4 characters or more that only this one's begins with: 0, -ENOENT, -EEXIST (several do). */
int operations_find(const struct operations *operations, const char *key, struct operation **op);
/* The newest first. */
struct operation *operations_first(const struct operations *operations);
struct operation *operation_next(const struct operation *op);
/* Changes with each change of what the JSON says. */
uint64_t operation_version(const struct operation *op);
const char *operation_id(const struct operation *op);
const char *operation_kind(const struct operation *op);
enum operation_state operation_state(const struct operation *op);
/* Schema Operation of api/openapi.yaml; a new reference, NULL without memory. */
json_t *operation_json(const struct operation *op);
/* Wants a running one to end. 0 or -ENOTSUP. */
int operation_cancel(struct operation *op);
/* Forgets one that has ended: -EBUSY when it runs. */
int operation_forget(struct operation *op);

/* fn is called from the loop after changes (not after each one: it sees the newest), and with NULL when the operation is forgotten, after
 * which the follower is gone. NULL without memory. fn may unfollow. */
typedef void operation_fn(void *arg, const struct operation *op);
struct operation_follower *operation_follow(struct operation *op, operation_fn *fn, void *arg);
void operation_unfollow(struct operation_follower *follower);

#endif
