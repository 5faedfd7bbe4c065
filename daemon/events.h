/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens, as it happens: each event has a number, one more than the one before, and is JSON of schema Event. The last
 * EVENTS_KEPT are kept, so that who was away can go on behind the last one heard.
 *
 * Each manager of a state folder has an era: its numbers begin at era << EVENTS_ERA_SHIFT, above all that an earlier one gave, so that
 * a number says whose it is, and who comes with an earlier manager's is told that events are lost, how many nobody knows.
 */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTS_KEPT 1024
#define EVENTS_ERA_SHIFT                                                                           \
	32 /* numbers stay below 2^53, what JSON readers hold, for two million managers */

struct events;
struct events_follower;
struct instance;
struct keep;
struct state_db;

struct event {
	uint64_t id;
	char *text; /* JSON in one line */
};

/* NULL without memory. */
struct events *events_new(void);
/* Before the first event: begins this manager's era, one above that of the database, where it is kept. 0 or -errno with err. */
int events_begin_era(
	struct events *events, struct state_db *db, struct keep *keep, struct err *err);
/* Tells all followers that this is the end. NULL is fine. */
void events_end(struct events *events);
void events_free(struct events *events);

/* "vm.WHAT" of an instance. An event that can not be made for want of memory is left out: its number is missing. */
void events_vm(struct events *events, const char *what, const struct instance *inst);
/* "image.WHAT" of the image of that name. */
void events_image(struct events *events, const char *what, const char *name);

/* "app.WHAT" of the application of that name; reason may be NULL. */
void events_app(struct events *events, const char *what, const char *name, const char *state,
	const char *reason);

/* "fn.WHAT" of the function of that name; reason may be NULL. */
void events_function(struct events *events, const char *what, const char *name, const char *state,
	const char *reason);

/* "template.WHAT" of the template of that id; reason may be NULL. */
void events_template(struct events *events, const char *what, const char *id, const char *image,
	const char *reason);

/* "operation.WHAT" of the operation of that id, of its kind, on subject; reason may be NULL. */
void events_operation(struct events *events, const char *what, const char *id, const char *kind,
	const char *subject, const char *reason);

/* "snapshot.WHAT" of the snapshot of that name, of a VM; reason may be NULL. */
void events_snapshot(struct events *events, const char *what, const char *name, const char *id,
	const char *vm, const char *reason);

/* The number of the last event; where this manager's begin when there was none. */
uint64_t events_last(const struct events *events);
/* The number behind which he goes on who comes with this one (0: from this manager's beginning). foreign: it is not of this manager, and how
 * many he has missed is not known: what is kept begins behind the answer. */
uint64_t events_resume(const struct events *events, uint64_t id, bool *foreign);
/* The first event kept with a number above id; NULL: there is none. Borrowed until the next event. */
const struct event *events_after(const struct events *events, uint64_t id);

/* fn is called for each event from now on, and with NULL at the end, after which the follower is gone. NULL without memory. */
typedef void events_fn(void *arg, const struct event *event);
struct events_follower *events_follow(struct events *events, events_fn *fn, void *arg);
void events_unfollow(struct events_follower *follower);

#endif
