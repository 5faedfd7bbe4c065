/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done now so that an application comes to be what it is wanted to be: a pure function of what is wanted and what is
 * there. It is asked again after each change, until it says nothing; so a step that fails, or a manager that is killed
 * between two steps, needs no other care.
 *
 *   START  a replica, when one is missing and each service that is depended on has one that is ready (or, where that is asked for,
 *          has done its work: all of its replicas)
 *   STOP   what is of no wanted service, is too much, or was made from something else than what is wanted now. The last kind gives way
 *          one by one, while all others of its service are ready, and after the services that it depends on.
 *   REMOVE what has ended, but the last of each service, for its console
 *
 * A replica that is on its way to its end keeps its place: a service never has more of them at once than it is to have, so
 * that its published ports are free again for the next.
 *
 * The end of an application (removing): those that nobody depends on end first.
 */
#ifndef DAEMON_APP_PLAN_H
#define DAEMON_APP_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define PLAN_SERVICES_MAX 64
#define PLAN_NO_SERVICE   (-1)

struct plan_service {
	unsigned replicas; /* how many are wanted */
	uint64_t deps;     /* bit n: depends on services[n] */
	uint64_t done;     /* of deps: waits until that has done its work */
	bool held; /* none is started now: it waits after a failure, or an address is not known */
};

enum replica_state {
	REPLICA_STARTING, /* alive, not ready */
	REPLICA_READY,
	REPLICA_STOPPING,
	REPLICA_DONE, /* has ended, and that is all that it was to do */
	REPLICA_ENDED /* has ended otherwise */
};

struct plan_replica {
	int service; /* index, or PLAN_NO_SERVICE */
	enum replica_state state;
	bool outdated;   /* made from something else than what is wanted now */
	unsigned serial; /* the later, the higher */
};

struct plan_input {
	const struct plan_service *services; /* PLAN_SERVICES_MAX at most */
	unsigned service_count;
	const struct plan_replica *replicas;
	unsigned replica_count;
	bool removing;
};

enum plan_kind { PLAN_REMOVE, PLAN_STOP, PLAN_START };

struct plan_step {
	enum plan_kind kind;
	unsigned index; /* of the replica, of a START: of the service */
};

/* The steps, in the order in which they are to be done: PLAN_REMOVE, PLAN_STOP, PLAN_START. How many; at most max, of which
 * plan_steps_max() are enough. */
unsigned plan_make(const struct plan_input *in, struct plan_step *steps, unsigned max);
unsigned plan_steps_max(const struct plan_input *in);

/* How a service is. */
struct plan_figures {
	unsigned alive, ready, stopping, outdated, done; /* outdated: of those that are alive */
};
void plan_figures(const struct plan_input *in, unsigned service, struct plan_figures *figures);
/* All that is wanted of the service is there, and nothing else. */
bool plan_service_is_settled(const struct plan_input *in, unsigned service);
/* What the service depends on and is not there for it now: bit n for services[n]. */
uint64_t plan_waits_for(const struct plan_input *in, unsigned service);
/* True for all services, and nothing is there of others. */
bool plan_is_settled(const struct plan_input *in);

/* Whether nothing depends on itself. false: *service is one that does. */
bool plan_has_order(const struct plan_service *services, unsigned count, unsigned *service);

#endif
