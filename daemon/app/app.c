/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/app_impl.h"

#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/hash.h"
#include "daemon/image/store.h"
#include "daemon/instance/run_spec.h"
#include "daemon/api/run_request.h"
#include "daemon/state/db.h"
#include "daemon/state/keep.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

const char *const app_state_names[] = {"starting", "ready", "failing", "removing", NULL};
const char *const app_goal_names[] = {"ready", "removed", NULL};
const char *const service_state_names[] = {
	"ready", "starting", "waiting", "failing", "stopping", NULL};

struct app_waiter {
	struct app *app; /* NULL: gone */
	enum app_goal goal;
	struct loop_timer *timer;
	app_wait_fn *fn;
	void *arg;
	struct app_waiter *next;
};

/* --- what is kept ------------------------------------------------------------------------------------------------ */
static json_int_t ns_of(const struct timespec *t)
{
	return (json_int_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

static struct timespec time_of(json_int_t ns)
{
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = (long)(ns % NS_PER_S)};
}

static json_t *record_of_app(const struct app *app)
{
	json_t *past = json_object();

	for (unsigned s = 0; s < app->spec.count; s++) {
		const struct service *service = &app->services[s];

		json_object_set_new(past, app->spec.services[s].name,
			json_pack("{s:i, s:I, s:I}", "serial", (int)service->serial, "image",
				(json_int_t)service->image, "address",
				(json_int_t)service->address));
	}
	return json_pack("{s:s, s:b, s:I, s:I, s:o, s:o}", "name", app->name, "removing",
		(int)app->removing, "created", ns_of(&app->created), "updated",
		ns_of(&app->updated), "spec", app_spec_json(&app->spec), "past", past);
}

void app_save(struct app *app)
{
	_cleanup_json_ json_t *record = record_of_app(app);
	struct err err = {0};

	if (keep_put_json(app->apps->core->keep, STATE_APP, app->name, record, &err) < 0)
		log_error("cannot keep an application's state", "app=%s error=\"%s\"", app->name,
			err.msg);
}

static void load_past(struct app *app, const json_t *past)
{
	for (unsigned s = 0; s < app->spec.count; s++) {
		const json_t *of = json_object_get(past, app->spec.services[s].name);
		int64_t serial = 0, image = 0, address = 0;

		jsonx_opt_int(of, "serial", 0, INT32_MAX, &serial, NULL);
		jsonx_opt_int(of, "image", INT64_MIN, INT64_MAX, &image, NULL);
		jsonx_opt_int(of, "address", 0, UINT32_MAX, &address, NULL);
		app->services[s] = (struct service){.serial = (unsigned)serial,
			.image = (uint64_t)image,
			.address = (uint32_t)address};
	}
}

/* --- the table --------------------------------------------------------------------------------------------------- */
static struct app *app_new(struct apps *apps, const char *name)
{
	struct app *app = calloc(1, sizeof(*app)), **end = &apps->first;

	if (!app)
		return NULL;
	app->apps = apps;
	app->said = APP_STARTING;
	snprintf(app->name, sizeof(app->name), "%s", name);
	if (loop_timer_new(apps->core->loop, app_look, app, &app->timer) < 0) {
		free(app);
		return NULL;
	}
	while (*end)
		end = &(*end)->next;
	*end = app;
	apps->count++;
	return app;
}

void app_free(struct app *app)
{
	struct app **p = &app->apps->first;
	struct app_waiter *w;

	while (*p != app)
		p = &(*p)->next;
	*p = app->next;
	app->apps->count--;
	while ((w = app->waiters)) {
		app->waiters = w->next;
		w->app = NULL;
		loop_timer_set(w->timer, 0);
	}
	loop_timer_free(app->timer);
	app_scaling_stop(app);
	app_spec_fini(&app->spec);
	free(app->services);
	free(app);
}

static int load_record(struct apps *apps, const char *text, size_t len, struct err *err)
{
	_cleanup_json_ json_t *root = NULL;
	int64_t created = 0, updated = 0;
	const char *name = NULL;
	struct app_spec spec = {0};
	struct check check;
	struct app *app;
	bool removing = false;
	int r = jsonx_parse_object(text, len, APP_SPEC_DEPTH, &root, err);

	r = r < 0 ? r : jsonx_str(root, "name", APP_NAME_MAX_BYTES, &name, err);
	r = r < 0 ? r : jsonx_bool(root, "removing", &removing, err);
	r = r < 0 ? r : jsonx_int(root, "created", 0, INT64_MAX, &created, err);
	r = r < 0 ? r : jsonx_int(root, "updated", 0, INT64_MAX, &updated, err);
	if (r < 0)
		return r;
	if (app_spec_parse(json_object_get(root, "spec"), &spec, &check) < 0)
		return err_set(err, EINVAL, "%s", check.err.msg);
	app = app_new(apps, name);
	if (!app) {
		app_spec_fini(&spec);
		return err_sys(err, ENOMEM, "application");
	}
	app->spec = spec;
	app->removing = removing;
	app->created = time_of(created);
	app->updated = time_of(updated);
	app->services = calloc(spec.count + 1, sizeof(*app->services));
	if (!app->services) {
		app_free(app);
		return err_sys(err, ENOMEM, "application");
	}
	load_past(app, json_object_get(root, "past"));
	app_scaling_start(app);
	app_look_soon(app);
	return 0;
}

/* One that can not be read stays in the database for whoever can. */
static int load_one(void *arg, const char *id, const char *text, size_t len)
{
	struct err err = {0};

	if (load_record(arg, text, len, &err) < 0)
		log_error("the record of an application can not be used", "app=%.64s error=\"%s\"",
			id, err.msg);
	return 0;
}

int apps_new(struct core *core, struct apps **out, struct err *err)
{
	struct apps *apps = calloc(1, sizeof(*apps));

	if (!apps)
		return err_sys(err, ENOMEM, "applications");
	apps->core = core;
	*out = apps;
	return state_db_each(core->state, STATE_APP, load_one, apps, err);
}

void apps_free(struct apps *apps)
{
	if (!apps)
		return;
	while (apps->first)
		app_free(apps->first);
	free(apps);
}

struct app *apps_first(const struct apps *apps)
{
	return apps->first;
}

struct app *app_next(const struct app *app)
{
	return app->next;
}

struct app *apps_find(const struct apps *apps, const char *name)
{
	for (struct app *app = apps->first; app; app = app->next) {
		if (strcmp(app->name, name) == 0)
			return app;
	}
	return NULL;
}

bool apps_use_image(const struct apps *apps, const struct image *image)
{
	for (const struct app *app = apps->first; app; app = app->next) {
		for (unsigned s = 0; s < app->spec.count; s++) {
			const json_t *name =
				json_object_get(app->spec.services[s].request, "image_name");
			struct image *wanted;

			if (images_resolve(apps->core->images, json_string_value(name), false,
				    &wanted) == 0 &&
				wanted == image)
				return true;
		}
	}
	return false;
}

/* --- what is wanted ---------------------------------------------------------------------------------------------- */
/* Which version of the image it is: its content and its configuration. */
static uint64_t image_hash(const struct image *image)
{
	_cleanup_free_ char *config = json_dumps(image->config, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = config ? hash_bytes(config, strlen(config)) : 0;

	return hash ^ hash_bytes(image_digest(image), strlen(image_digest(image)));
}

/* That this manager can run it: the references are taken for what they are, which changes nothing here. */
static int check_service(
	struct core *core, const struct app_service *s, uint64_t *image, struct check *c)
{
	struct run_request q;
	struct run_spec spec;
	int r = run_request_take(s->request, &q, c);

	if (r < 0)
		return r;
	r = run_spec_make(core, &q, &spec, &c->err);
	if (r < 0)
		snprintf(c->pointer, sizeof(c->pointer), "/services/%s%s", s->name,
			r == -EINVAL ? "" : "/image");
	else
		*image = image_hash(spec.image);
	run_request_fini(&q);
	return r < 0 ? -EINVAL : 0;
}

static void app_changed(struct app *app, const char *what)
{
	app_save(app);
	events_app(app->apps->core->events, what, app->name, app_state_names[app_state(app)], NULL);
	app_look_soon(app);
}

static int refuse(struct check *c, int code, const char *sentence)
{
	c->pointer[0] = '\0';
	return err_set(&c->err, code, "%s", sentence);
}

/* What was known of services of the same names goes on, but what has failed gets new tries. */
static int make_services(struct apps *apps, const struct app *before, const struct app_spec *spec,
	struct service **out, struct check *c)
{
	_cleanup_free_ struct service *services = calloc(spec->count + 1, sizeof(*services));
	int r = services ? 0 : refuse(c, ENOMEM, "no memory");

	for (unsigned s = 0; s < spec->count && r == 0; s++) {
		const char *name = spec->services[s].name;
		int old = before ? app_spec_find(&before->spec, name, strlen(name)) : -1;

		if (old >= 0) {
			services[s].serial = before->services[old].serial;
			services[s].address = before->services[old].address;
		}
		r = check_service(apps->core, &spec->services[s], &services[s].image, c);
	}
	if (r == 0)
		*out = steal_ptr(&services);
	return r;
}

/* What is scaled goes on with as many as there are: the same file again changes nothing. */
static void keep_scaled(const struct app *before, struct app_spec *spec)
{
	for (unsigned s = 0; s < spec->count; s++) {
		struct app_service *service = &spec->services[s];
		int old = app_spec_find(&before->spec, service->name, strlen(service->name));
		unsigned n = old >= 0 ? before->spec.services[old].replicas : service->replicas;

		if (service->scale.max && n >= service->scale.min && n <= service->scale.max)
			service->replicas = n;
	}
}

/* The application with what is wanted of it now; NULL with check. */
static struct app *put(
	struct apps *apps, struct app *app, const char *name, json_t *root, struct check *c)
{
	struct service *services = NULL;
	struct app_spec spec;

	if (app_spec_parse(root, &spec, c) < 0)
		return NULL;
	if (make_services(apps, app, &spec, &services, c) == 0 && !app) {
		app = app_new(apps, name);
		if (!app)
			refuse(c, ENOMEM, "no memory");
	}
	if (!services || !app) {
		app_spec_fini(&spec);
		free(services);
		return NULL;
	}
	keep_scaled(app, &spec);
	app_spec_fini(&app->spec);
	free(app->services);
	app->spec = spec;
	app->services = services;
	app_scaling_start(app);
	return app;
}

int apps_put(struct apps *apps, const char *name, json_t *root, struct app **out, bool *made,
	struct check *c)
{
	struct app *app = apps_find(apps, name);

	*made = !app;
	if (app && app->removing)
		return refuse(c, EBUSY, "the application is being removed: wait until it is gone");
	if (!app && apps->count >= APPS_MAX)
		return refuse(c, EAGAIN, "there are too many applications");
	app = put(apps, app, name, root, c);
	if (!app)
		return -c->err.code;
	clock_gettime(CLOCK_REALTIME, &app->updated);
	if (*made)
		app->created = app->updated;
	app_changed(app, *made ? "created" : "updated");
	*out = app;
	return 0;
}

static int check_counts(const struct app *app, json_t *counts, json_t *root, struct check *c)
{
	const char *name;
	json_t *value;

	json_object_foreach(counts, name, value)
	{
		json_t *service = json_object_get(json_object_get(root, "services"), name);
		unsigned replicas = APP_REPLICAS_MAX + 1;

		if (!service)
			return check_fail(c, name, NULL, "application %s has no service \"%.40s\"",
				app->name, name);
		if (check_uint(c, name, value, 0, APP_REPLICAS_MAX, &replicas) < 0)
			return -EINVAL;
		if (replicas > APP_REPLICAS_MAX)
			return check_fail(c, name, NULL, "%s: a number is wanted", name);
		json_object_set_new(service, "replicas", json_integer(replicas));
	}
	return 0;
}

/* The same as wanting the same with other numbers, except that versions of images stay what they were. */
int app_scale(struct app *app, json_t *counts, struct check *c)
{
	_cleanup_json_ json_t *root = app_spec_json(&app->spec);
	struct app_spec spec;

	*c = (struct check){.pointer = ""};
	if (app->removing)
		return refuse(c, EBUSY, "the application is being removed");
	if (check_counts(app, counts, root, c) < 0 || app_spec_parse(root, &spec, c) < 0)
		return -EINVAL;
	for (unsigned s = 0; s < spec.count; s++) {
		app->services[s].gave_up = false;
		app->services[s].failures = 0;
		app->services[s].not_before_ns = 0;
	}
	app_spec_fini(&app->spec);
	app->spec = spec;
	app_scaling_start(app);
	clock_gettime(CLOCK_REALTIME, &app->updated);
	app_changed(app, "updated");
	return 0;
}

void app_set_replicas(struct app *app, unsigned service, unsigned replicas)
{
	app->spec.services[service].replicas = replicas;
	clock_gettime(CLOCK_REALTIME, &app->updated);
	app_changed(app, "updated");
}

void app_remove(struct app *app)
{
	if (app->removing)
		return;
	app->removing = true;
	app_scaling_stop(app);
	app_changed(app, "removing");
}

const char *app_name(const struct app *app)
{
	return app->name;
}

const struct app_spec *app_spec(const struct app *app)
{
	return &app->spec;
}

void app_times(const struct app *app, struct timespec *created, struct timespec *updated)
{
	*created = app->created;
	*updated = app->updated;
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */
static void waited(void *arg)
{
	struct app_waiter *w = arg;
	const struct app *app = w->app;
	bool reached = app ? w->goal == APP_GOAL_READY && app_state(app) == APP_READY
			   : w->goal == APP_GOAL_REMOVED;
	app_wait_fn *fn = w->fn;
	void *fn_arg = w->arg;

	app_wait_cancel(w);
	fn(fn_arg, app, reached);
}

/* READY is nothing to wait for when it fails again and again, or goes away. */
static bool is_over(const struct app *app, enum app_goal goal)
{
	return goal == APP_GOAL_READY && app_state(app) != APP_STARTING;
}

void app_tell_waiters(struct app *app)
{
	for (struct app_waiter *w = app->waiters; w; w = w->next) {
		if (is_over(app, w->goal))
			loop_timer_set(w->timer, 0);
	}
}

struct app_waiter *app_wait(
	struct app *app, enum app_goal goal, int64_t timeout_ns, app_wait_fn *fn, void *arg)
{
	struct app_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct app_waiter){
		.app = app, .goal = goal, .fn = fn, .arg = arg, .next = app->waiters};
	if (loop_timer_new(app->apps->core->loop, waited, w, &w->timer) < 0) {
		free(w);
		return NULL;
	}
	loop_timer_set(w->timer, is_over(app, goal) ? 0 : timeout_ns);
	app->waiters = w;
	return w;
}

void app_wait_cancel(struct app_waiter *w)
{
	struct app_waiter **p = w->app ? &w->app->waiters : NULL;

	while (p && *p != w)
		p = &(*p)->next;
	if (p)
		*p = w->next;
	loop_timer_free(w->timer);
	free(w);
}
