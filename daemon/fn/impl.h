/* SPDX-License-Identifier: Apache-2.0 */
/* Between fn.c (the table), member.c (its instances) and call.c (its requests). */
#ifndef DAEMON_FN_IMPL_H
#define DAEMON_FN_IMPL_H

#include "daemon/fn/fn.h"
#include "daemon/id.h"

enum member_state { MEMBER_BOOTING, MEMBER_READY, MEMBER_DRAINING, MEMBER_STOPPING };

/* An instance of a function, from its start to its end. */
struct fn_member {
	struct fn *fn;
	struct instance *inst; /* borrowed; waiter sees its end */
	struct instance_waiter *waiter;
	enum member_state state;
	bool adopted; /* an earlier manager started it */
	unsigned in_flight;
	int64_t ready_ns;
	struct loop_timer *idle;
	struct fn_member *next;
};

struct fn {
	struct fns *fns;
	char name[FN_NAME_MAX_BYTES + 1];
	struct fn_spec spec;
	uint64_t hash; /* what instances are made from now */
	bool removing, again, looking;
	enum fn_state said; /* the last that was an event */
	struct timespec created, updated;
	struct fn_member *members;          /* oldest first */
	struct fn_call *queue, **queue_end; /* that wait, oldest first */
	struct fn_call *running;            /* that have an instance */
	unsigned queued, in_flight;
	unsigned failures; /* of starts, one after the other */
	int64_t not_before_ns;
	char reason[320];
	char last_failed[ID_TEXT_BYTES]; /* kept for its console; "": none */
	struct loop_timer *timer;        /* the next look */
	struct fn_counters counters;
	struct fn *next;
};

struct fns {
	struct core *core;
	struct httpc *httpc; /* of requests: an instance may have as many connections as requests */
	struct fn *first;    /* by time of creation */
	unsigned count, calls;
	bool stopping;
};

#define FN_FAILING_AFTER 3 /* starts, one after the other */

/* fn.c: what is to be done now is done: requests get instances, instances are started and stopped. May free a function that is being
 * removed. */
void fn_look(struct fn *fn);

/* member.c */
bool fn_is_failing(const struct fn *fn); /* too many failures, and no time for another try yet */
/* A ready one that may have one more request: the one with the fewest; NULL. */
struct fn_member *member_free_slot(const struct fn *fn);
unsigned members_in(const struct fn *fn, enum member_state state);
/* Those that are made from something else than what is wanted now, or are more than wanted, are taken out of use as soon as their requests
 * are over; all, when the function is removed. */
void members_drain(struct fn *fn);
/* Starts one. What fails is noted. */
void member_start(struct fn *fn);
/* Its last request is over, or it has none yet. */
void member_rest(struct fn_member *m);
/* Those of earlier managers. */
void members_adopt(struct fn *fn);
void members_free(struct fn *fn); /* the instances go on */

/* call.c */
void call_run(struct fn_call *call, struct fn_member *m); /* the first of the queue */
/* All that wait: code and sentence of a problem. */
void calls_refuse(struct fn *fn, unsigned status, const char *code, const char *sentence);
/* The instance is gone: its requests wait for another one, or have failed. fn_look() is the caller's. */
void calls_lost(struct fn_member *m, const char *why);

#endif
