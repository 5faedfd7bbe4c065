/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look at an application: what has become of its instances, what the planner says is to be done, and that it is done. It comes from
 * the loop after each change, never from within one, and again when a service has waited long enough after a failure.
 */
#include "daemon/api/run_request.h"
#include "daemon/app/app_impl.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/instance/run_spec.h"
#include "daemon/retry.h"
#include "daemon/state/keep.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define RETRY_FIRST_NS (100 * NS_PER_MS)
#define RETRY_MAX_NS   (60 * NS_PER_S)
#define NAME_TRIES     16 /* numbers that instances of others have in their names */

void app_look_soon(struct app *app)
{
	app->soon = true;
	loop_timer_set(app->timer, 0);
}

void apps_hear(struct apps *apps, const struct instance *i)
{
	struct app *app = apps && i->mark.app[0] ? apps_find(apps, i->mark.app) : NULL;

	if (app)
		app_look_soon(app);
}

/* --- failures ---------------------------------------------------------------------------------------------------- */
static void note_failure(struct app *app, unsigned s, const char *who, const char *why)
{
	const struct app_service *wanted = &app->spec.services[s];
	const unsigned tries = wanted->restart.max_retries;
	struct service *service = &app->services[s];

	service->failures++;
	service->not_before_ns =
		loop_now_ns() + retry_pause_ns(service->failures, RETRY_FIRST_NS, RETRY_MAX_NS);
	service->gave_up =
		wanted->restart.policy == RESTART_NO || (tries && service->failures > tries);
	snprintf(service->reason, sizeof(service->reason), "%s: %.180s", who, why);
	if (service->not_before_ns <= loop_now_ns() && !service->gave_up)
		app_look_soon(app);
	log_info("a service has failed", "app=%s service=%s failures=%u gave_up=%d reason=\"%s\"",
		app->name, wanted->name, service->failures, service->gave_up, service->reason);
}

/* Once of each that has ended though nobody wanted it to. */
static void note_end(struct app *app, struct app_view *v, unsigned n)
{
	const struct plan_replica *r = &v->replicas[n];
	struct instance *i = v->instances[n];
	char why[320];

	if (i->app_knows || !instance_has_ended(i))
		return;
	i->app_knows = true;
	if (r->service == PLAN_NO_SERVICE || r->state != REPLICA_ENDED || r->outdated ||
		i->wanted_down)
		return;
	if (i->ready_ns && loop_now_ns() - i->ready_ns >= APP_CALM_NS)
		app->services[r->service].failures = 0;
	snprintf(why, sizeof(why), "%s, %s", instance_state_names[i->state], i->reason);
	note_failure(app, (unsigned)r->service, i->name, why);
}

/* A service that serves again has no failures; those of the last moments count until it has been calm for a while. */
static void forget_failures(struct app *app, const struct app_view *v)
{
	for (unsigned n = 0; n < v->in.replica_count; n++) {
		const struct plan_replica *r = &v->replicas[n];
		const struct instance *i = v->instances[n];

		if (r->service != PLAN_NO_SERVICE && r->state == REPLICA_READY && i->ready_ns &&
			loop_now_ns() - i->ready_ns >= APP_CALM_NS)
			app->services[r->service].failures = 0;
	}
}

/* --- starts ------------------------------------------------------------------------------------------------------ */
static unsigned next_serial(struct app *app, unsigned s)
{
	const char *name = app->spec.services[s].name;
	struct service *service = &app->services[s];
	const struct instance *i = NULL;

	while ((i = app_instance_next(app, name, i))) {
		if (i->mark.serial > service->serial)
			service->serial = i->mark.serial;
	}
	return ++service->serial;
}

/* Whether some service names the address of this one. */
static bool is_named(const struct app *app, unsigned s)
{
	for (unsigned n = 0; n < app->spec.count; n++) {
		if (app->spec.services[n].refs >> s & 1)
			return true;
	}
	return false;
}

static bool is_in_use(const struct app *app, uint32_t ip)
{
	const struct instance *i = instances_first(app->apps->core->instances);

	while (i && (i->ip != ip || instance_has_ended(i)))
		i = i->next;
	return i != NULL;
}

/* Of the last replica that ended though nobody wanted it to, if nobody has it by now; else 0. */
static uint32_t address_of_ended(const struct app *app, unsigned s)
{
	const struct instance *i = NULL, *last = NULL;

	while ((i = app_instance_next(app, app->spec.services[s].name, i))) {
		if (instance_has_ended(i) && !i->wanted_down && !i->mark.dismissed && i->ip &&
			!is_in_use(app, i->ip) && (!last || i->mark.serial > last->mark.serial))
			last = i;
	}
	return last ? last->ip : 0;
}

/*
 * One that others know by its address gets that of the one before: they need not begin anew then. So does one in the place of a
 * replica that was killed: whoever still has a connection to that is told by the new one, at once, that it leads nowhere; at an
 * address that nobody has, packets vanish and the other end waits for as long as it has patience.
 */
static int run_it(struct app *app, unsigned s, struct run_spec *spec, struct err *err)
{
	struct instances *is = app->apps->core->instances;
	struct service *service = &app->services[s];
	bool known = is_named(app, s) && (!service->address || !is_in_use(app, service->address));
	uint32_t address = known ? service->address : 0;
	struct instance *i;
	unsigned retry_s;
	int r = -EADDRINUSE;

	if (!address)
		address = address_of_ended(app, s);
	if (address) {
		spec->shell.ip = address;
		r = instance_run(is, spec, &i, &retry_s, err);
		spec->shell.ip = 0;
	}
	if (r == -EADDRINUSE || r == -ENOENT)
		r = instance_run(is, spec, &i, &retry_s, err);
	if (r == 0 && known)
		service->address = i->ip;
	return r;
}

static int start_named(
	struct app *app, unsigned s, const char *name, unsigned serial, struct err *err)
{
	_cleanup_json_ json_t *body = app_service_request(app, s, name, serial, err);
	struct run_spec spec;
	struct run_request q;
	struct check check;
	int r;

	if (!body)
		return -EAGAIN;
	if (run_request_take(body, &q, &check) < 0)
		return err_set(err, EINVAL, "%s", check.err.msg);
	r = run_spec_make(app->apps->core, &q, &spec, err);
	if (r == 0) {
		spec.request_ns = loop_now_ns();
		spec.mark.serial = serial;
		spec.health.ends = app->spec.services[s].restart.policy != RESTART_NO;
		app_service_hash(app, s, &spec.mark.hash);
		snprintf(spec.mark.app, sizeof(spec.mark.app), "%s", app->name);
		snprintf(spec.mark.service, sizeof(spec.mark.service), "%s",
			app->spec.services[s].name);
		r = run_it(app, s, &spec, err);
	}
	run_request_fini(&q);
	return r;
}

static void start(struct app *app, unsigned s)
{
	char name[NAME_MAX_BYTES + 1];
	struct err err = {0};
	int r = -EEXIST;

	for (int n = 0; r == -EEXIST && n < NAME_TRIES; n++) {
		unsigned serial = next_serial(app, s);

		snprintf(name, sizeof(name), "%s-%s-%u", app->name, app->spec.services[s].name,
			serial);
		r = start_named(app, s, name, serial, &err);
	}
	app_save(app);
	if (r < 0)
		note_failure(app, s, name, err.msg);
}

/* --- the look ---------------------------------------------------------------------------------------------------- */
static void do_step(struct app *app, struct app_view *v, const struct plan_step *step)
{
	struct instance *i;
	int s;

	switch (step->kind) {
	case PLAN_START:
		/* One that could not be started holds the rest back. */
		if (app->services[step->index].not_before_ns <= loop_now_ns() &&
			!app->services[step->index].gave_up)
			start(app, step->index);
		return;
	case PLAN_STOP:
		i = v->instances[step->index];
		s = v->replicas[step->index].service;
		i->mark.dismissed = true;
		instance_stop(i,
			(s >= 0 ? app->spec.services[s].stop_timeout_s * NS_PER_S
				: INSTANCE_STOP_NS));
		return;
	case PLAN_REMOVE:
		instance_remove(v->instances[step->index]);
		return;
	}
}

static int make_and_do(struct app *app, struct app_view *v)
{
	unsigned max = plan_steps_max(&v->in) + 1, count;
	_cleanup_free_ struct plan_step *steps = calloc(max, sizeof(*steps));

	if (!steps)
		return -ENOMEM;
	count = plan_make(&v->in, steps, max);
	for (unsigned n = 0; n < count; n++)
		do_step(app, v, &steps[n]);
	return 0;
}

/* When a service has waited long enough. */
static void set_timer(struct app *app)
{
	int64_t now = loop_now_ns(), next = INT64_MAX;

	for (unsigned s = 0; s < app->spec.count; s++) {
		const struct service *service = &app->services[s];

		if (!service->gave_up && service->not_before_ns > now &&
			service->not_before_ns < next)
			next = service->not_before_ns;
	}
	if (next != INT64_MAX)
		loop_timer_set(app->timer, next - now);
}

static const char *failing_reason(const struct app *app)
{
	for (unsigned s = 0; s < app->spec.count; s++) {
		const struct service *service = &app->services[s];

		if (service->gave_up || service->failures >= APP_FAILING_AFTER)
			return service->reason;
	}
	return NULL;
}

static void tell(struct app *app)
{
	enum app_state state = app_state(app);

	if (state == app->said)
		return;
	app->said = state;
	if (state == APP_READY || state == APP_FAILING)
		events_app(app->apps->core->events, app_state_names[state], app->name,
			app_state_names[state], state == APP_FAILING ? failing_reason(app) : NULL);
	app_tell_waiters(app);
}

static void end(struct app *app)
{
	struct core *core = app->apps->core;

	log_info("application removed", "app=%s", app->name);
	keep_delete(core->keep, STATE_APP, app->name, NULL);
	events_app(core->events, "removed", app->name, app_state_names[APP_REMOVING], NULL);
	app_free(app);
}

void app_look(void *arg)
{
	struct app *app = arg;
	struct app_view v;
	int r;

	if (app->apps->core->ending)
		return;
	app->soon = false;
	if (app_view_make(app, &v) < 0) {
		loop_timer_set(app->timer, RETRY_FIRST_NS);
		return;
	}
	for (unsigned n = 0; n < v.in.replica_count && !app->removing; n++)
		note_end(app, &v, n);
	forget_failures(app, &v);
	app_view_fini(&v);
	if (app->removing && !app_instance_next(app, NULL, NULL)) {
		end(app);
		return;
	}
	r = app_view_make(app, &v);
	if (r == 0) {
		r = make_and_do(app, &v);
		app_view_fini(&v);
	}
	if (r < 0)
		loop_timer_set(app->timer, RETRY_FIRST_NS);
	else if (!app->soon)
		set_timer(app);
	tell(app);
}
