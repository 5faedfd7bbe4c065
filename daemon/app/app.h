/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applications: what is wanted of each is kept in the state database, and held against the instances that are there after each change
 * of one (app/control.c). Instances know whose they are by their mark (instance.h), so that a manager that takes over goes on
 * with both.
 *
 *                apps_put()        all that is wanted is ready
 *      ------------> STARTING ---------------------------------> READY
 *                     |   ^ ^       an instance ends, apps_put()   |
 *       fails again   v   | +--------------------------------------+
 *       and again   FAILING     (it is tried again all the same, unless its policy says no)
 *
 *      any --app_remove()--> REMOVING --the last instance is gone--> gone
 *
 * An instance of an application has no restart policy of its own: one that ends is replaced by another, with the next number. The last that
 * ended of each service is kept with its console. After a failure a service waits: not at all, 0.1 s, 0.2 s, ... 60 s; a run of
 * APP_CALM_NS begins that anew.
 */
#ifndef DAEMON_APP_APP_H
#define DAEMON_APP_APP_H

#include "daemon/app/spec.h"

#define APPS_MAX    256
#define APP_CALM_NS (10 * NS_PER_S)

enum app_state { APP_STARTING, APP_READY, APP_FAILING, APP_REMOVING };
extern const char *const app_state_names[]; /* NULL behind the last */

enum app_goal { APP_GOAL_READY, APP_GOAL_REMOVED };
extern const char *const app_goal_names[]; /* NULL behind the last */

enum service_state {
	SERVICE_READY,
	SERVICE_STARTING, /* something is not ready yet, or on its way */
	SERVICE_WAITING,  /* for what it depends on */
	SERVICE_FAILING,
	SERVICE_STOPPING
};
extern const char *const service_state_names[];

struct app;
struct apps;
struct app_waiter;
struct image;
struct instance;

struct service_status {
	enum service_state state;
	struct plan_figures figures;
	const char *reason; /* of the last failure; NULL. Borrowed until the loop goes on */
	uint64_t waits_for; /* bit n: service n of the application's spec */
};

/* With those of the state database. 0 or -errno with err. */
int apps_new(struct core *core, struct apps **apps, struct err *err);
void apps_free(struct apps *apps); /* NULL is fine; the instances stay */
/* After instances_adopt(): what is there is held against what is wanted as soon as the loop runs. */

struct app *apps_first(const struct apps *apps);
struct app *app_next(const struct app *app);
struct app *apps_find(const struct apps *apps, const char *name); /* NULL */
/* Some application wants this image. */
bool apps_use_image(const struct apps *apps, const struct image *image);

/* What is wanted of the application of that name from now on, a new one too (*made). root as app_spec_parse() has it. 0 and *app (borrowed);
 * -EINVAL with check; -EBUSY it is being removed, -EAGAIN there are too many, -EIO, all with check->err. */
int apps_put(struct apps *apps, const char *name, json_t *root, struct app **app, bool *made,
	struct check *check);
/* counts: {"SERVICE": replicas}. As apps_put(). */
int app_scale(struct app *app, json_t *counts, struct check *check);
/* Ends its instances and then itself. */
void app_remove(struct app *app);

/* Something has become of an instance. apps NULL, or one of no application: nothing happens. */
void apps_hear(struct apps *apps, const struct instance *inst);

const char *app_name(const struct app *app);
const struct app_spec *app_spec(const struct app *app);
void app_times(const struct app *app, struct timespec *created, struct timespec *updated);
enum app_state app_state(const struct app *app);
void app_service_status(const struct app *app, unsigned service, struct service_status *status);
/* The next instance of the application's service behind prev (NULL: the first); service NULL: of all. NULL: no more. */
struct instance *app_instance_next(
	const struct app *app, const char *service, const struct instance *prev);
/* Whether it was made from something else than what is wanted now. */
bool app_is_outdated(const struct app *app, const struct instance *inst);

/* Calls fn once: the goal is reached, or it will hardly be (FAILING; removed), or the time is over. app is NULL when it is gone. NULL
 * without memory. Reached at once counts too: fn is always called from the loop. */
typedef void app_wait_fn(void *arg, const struct app *app, bool reached);
struct app_waiter *app_wait(
	struct app *app, enum app_goal goal, int64_t timeout_ns, app_wait_fn *fn, void *arg);
void app_wait_cancel(struct app_waiter *waiter);

#endif
