/* SPDX-License-Identifier: Apache-2.0 */
/* Between app.c (the table and what is kept), control.c (what is done), scaling.c (how many) and status.c (how it is). */
#ifndef DAEMON_APP_APP_IMPL_H
#define DAEMON_APP_APP_IMPL_H

#include "daemon/app/app.h"

#define APP_FAILING_AFTER 3 /* failures one after the other */

/* What has become of a service so far; app->services[n] is that of app->spec.services[n]. */
struct service {
	unsigned serial;   /* of the last replica */
	unsigned failures; /* one after the other */
	bool gave_up;      /* its policy has no more tries */
	int64_t not_before_ns;
	uint64_t image;   /* hash of the image's version when it was put */
	uint32_t address; /* of the last first replica, which others were told; 0: none */
	char reason[256];
};

struct app {
	struct apps *apps;
	char name[APP_NAME_MAX_BYTES + 1];
	struct app_spec spec;
	struct service *services;
	bool removing;
	bool soon;           /* the timer is set for now */
	enum app_state said; /* the last that was an event */
	struct timespec created, updated;
	struct loop_timer *timer; /* the next look */
	struct app_waiter *waiters;
	struct scaler *scalers; /* scaling.c */
	struct app *next;
};

struct apps {
	struct core *core;
	struct app *first; /* by time of creation */
	unsigned count;
};

/* app.c */
void app_save(struct app *app);
void app_free(struct app *app); /* of the table; its waiters hear of it */
void app_tell_waiters(struct app *app);

void app_set_replicas(struct app *app, unsigned service, unsigned replicas);

/* scaling.c */
void app_scaling_start(struct app *app); /* for what its spec says now */
void app_scaling_stop(struct app *app);

/* control.c */
void app_look_soon(struct app *app);
void app_look(void *app); /* loop_timer_fn */

/* status.c: what the planner is asked. replicas: room for all instances of the application, *replica_of which each is. */
struct app_view {
	struct plan_service services[PLAN_SERVICES_MAX];
	struct plan_replica *replicas;
	struct instance **instances;
	struct plan_input in;
};
int app_view_make(const struct app *app, struct app_view *view); /* 0 or -ENOMEM */
void app_view_fini(struct app_view *view);

/* What instances of the service are to be made from now; false: an address that it names is not known. */
bool app_service_hash(const struct app *app, unsigned service, uint64_t *hash);
/* The body of a run of its next replica, under that name. A new reference; NULL with err. */
json_t *app_service_request(const struct app *app, unsigned service, const char *name,
	unsigned serial, struct err *err);

#endif
