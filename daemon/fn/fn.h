/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions: a program that answers HTTP, run only while somebody asks. A request to /fn/NAME/invoke/PATH waits until an instance is
 * ready, is passed on to it and answered; an instance that nobody needs is stopped.
 *
 *             fns_put()      a request and no instance       it is ready
 *   function ---------> IDLE ------------------> STARTING ---------------> READY
 *                        ^                        |    ^                     |
 *                        |          it can not be |    | the pause is over   |
 *                        |                started v    |                     |
 *                        |                      FAILING                      |
 *                        +---------------- the last instance has gone -------+
 *            any --fn_remove()--> REMOVING --the last request and instance are gone--> gone
 *
 *                member_start()     it is ready       nobody asks, or another version is wanted
 *   instance    ---------------> BOOTING --------> READY -----------------------> DRAINING
 *   (member.c)                      |                |          its last request is over |
 *                                   +-- it ends -----+--> gone <------ it ends ----- STOPPING
 *
 *                fn_call_begin()     member_free_slot()     its answer begins      answered
 *   request     ---------------> QUEUED -----------> RUNNING -----------> ANSWERING --------> OVER
 *   (call.c)      | 404 429 503    | 504 502  ^        | 502 504             | broken off
 *                                             +--------+ calls_lost(): its instance ended, and it may be asked of another
 *
 * Single flight: at most one instance of a function is on its way at a time, however many requests wait; another one is started when
 * that is ready and requests still wait. What is wanted is kept in the state database, and instances know whose they are by their mark
 * (instance.h): a manager that takes over goes on with both.
 */
#ifndef DAEMON_FN_FN_H
#define DAEMON_FN_FN_H

#include "daemon/fn/spec.h"

#include <stdbool.h>
#include <time.h>

#define FNS_MAX           256
#define FN_CALLS_MAX      768 /* requests of all functions: the API keeps the rest of its connections */
#define FN_BODY_MAX_BYTES (256 * MIB) /* of a request */

enum fn_state { FN_IDLE, FN_STARTING, FN_READY, FN_FAILING, FN_REMOVING };
extern const char *const fn_state_names[]; /* NULL behind the last */

struct core;
struct fn;
struct fns;
struct fn_call;
struct httpd_req;
struct image;
struct instance;

/* Totals since this manager has the function. */
struct fn_counters {
	uint64_t requests; /* that were taken */
	uint64_t cold;     /* of them: had to wait for an instance */
	uint64_t rejected; /* 429, 503 */
	uint64_t failed;   /* 502, 504, broken off */
	uint64_t gone;     /* the client went away */
	uint64_t retries;  /* connections to instances that were tried again */
	uint64_t starts, start_failures;
	uint64_t cold_ns; /* sum of waiting times of cold ones */
};

/* With those of the state database; takes over their instances. 0 or -errno with err. */
int fns_new(struct core *core, struct fns **fns, struct err *err);
/* No requests from now on; those that wait are answered. NULL is fine. */
void fns_stop(struct fns *fns);
void fns_free(struct fns *fns); /* after the API; NULL is fine; the instances stay */

struct fn *fns_first(const struct fns *fns);
struct fn *fn_next(const struct fn *fn);
struct fn *fns_find(const struct fns *fns, const char *name); /* NULL */
bool fns_use_image(const struct fns *fns, const struct image *image);

/* What is wanted of the function of that name from now on, a new one too (*made). 0 and *fn (borrowed); -EINVAL with check; -EBUSY it is
 * being removed, -EAGAIN there are too many, -ENOMEM, all with check->err. */
int fns_put(struct fns *fns, const char *name, json_t *root, struct fn **fn, bool *made,
	struct check *check);
/* Ends its instances, and then itself. */
void fn_remove(struct fn *fn);

const char *fn_name(const struct fn *fn);
const struct fn_spec *fn_spec(const struct fn *fn);
enum fn_state fn_state(const struct fn *fn);
void fn_times(const struct fn *fn, struct timespec *created, struct timespec *updated);
const struct fn_counters *fn_counters(const struct fn *fn);
unsigned fn_queued(const struct fn *fn);
unsigned fn_in_flight(const struct fn *fn);
const char *fn_reason(const struct fn *fn); /* of the last failure; NULL */
/* The next instance behind prev (NULL: the first), with the requests that it has; NULL: no more. */
const struct instance *fn_instance_next(
	const struct fn *fn, const struct instance *prev, unsigned *in_flight);

/* --- requests; from the routes of api/fn.c --- */
/* Takes it, or answers it. target: path and query for the instance, as they came (copied). */
void fn_call_begin(struct fn *fn, struct httpd_req *req, const char *target);
int fn_call_body(struct httpd_req *req, const void *data, size_t len); /* httpd_body_fn */
void fn_call_complete(struct httpd_req *req);                          /* its body is */

#endif
