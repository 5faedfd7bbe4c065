/* SPDX-License-Identifier: Apache-2.0 */
/* How an application is: its instances as the planner sees them, and what follows from that for people. */
#include "daemon/app/app_impl.h"

#include "daemon/app/refs.h"
#include "daemon/core.h"
#include "daemon/hash.h"
#include "lib/jsonx.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

/* --- instances --------------------------------------------------------------------------------------------------- */
struct instance *app_instance_next(
	const struct app *app, const char *service, const struct instance *prev)
{
	struct instance *i = prev ? prev->next : instances_first(app->apps->core->instances);

	for (; i; i = i->next) {
		if (!instance_is_gone(i) && strcmp(i->mark.app, app->name) == 0 &&
			(!service || strcmp(i->mark.service, service) == 0))
			return i;
	}
	return NULL;
}

/* The first replica that is ready; NULL. */
static const struct instance *first_ready(const struct app *app, const char *service)
{
	const struct instance *first = NULL, *i = NULL;

	while ((i = app_instance_next(app, service, i))) {
		if (i->state == VM_RUNNING && i->ready &&
			(!first || i->mark.serial < first->mark.serial))
			first = i;
	}
	return first;
}

/* --- what is made ------------------------------------------------------------------------------------------------ */
struct resolving {
	const struct app *app;
	const char *name; /* NULL: references to the instance itself stay as they are */
	unsigned serial;
};

static int put_address(const struct resolving *r, const char *service, size_t len, struct buf *out,
	struct err *err)
{
	int index = app_spec_find(&r->app->spec, service, len);
	const struct instance *i =
		index >= 0 ? first_ready(r->app, r->app->spec.services[index].name) : NULL;
	char text[IPV4_TEXT_BYTES];

	if (!i)
		return err_set(err, EAGAIN, "the address of service %.*s is not known now",
			(int)len, service);
	ipv4_format(i->ip, text);
	return buf_addstr(out, text);
}

static int resolve(void *arg, enum ref_kind kind, const char *service, size_t len, struct buf *out,
	struct err *err)
{
	const struct resolving *r = arg;

	switch (kind) {
	case REF_ADDRESS:
		return put_address(r, service, len, out, err);
	case REF_APP:
		return buf_addstr(out, r->app->name);
	case REF_NAME:
		return buf_addstr(out, r->name ? r->name : "${name}");
	case REF_REPLICA:
		return r->name ? buf_printf(out, "%u", r->serial) : buf_addstr(out, "${replica}");
	}
	return -EINVAL;
}

static json_t *resolved(const struct app_service *s, struct resolving *r, struct err *err)
{
	static const char *const fields[] = {"env", "args", "cmdline"};
	_cleanup_json_ json_t *request = json_copy(s->request);

	for (size_t n = 0; n < ARRAY_SIZE(fields); n++) {
		json_t *value = json_object_get(s->request, fields[n]), *to = NULL;

		if (!value || json_is_null(value))
			continue;
		if (refs_expand_json(value, resolve, r, &to, NULL, err) < 0)
			return NULL;
		json_object_set_new(request, fields[n], to);
	}
	return steal_ptr(&request);
}

bool app_service_hash(const struct app *app, unsigned service, uint64_t *hash)
{
	struct resolving r = {.app = app};
	struct err err = {0};
	_cleanup_json_ json_t *request = resolved(&app->spec.services[service], &r, &err);
	_cleanup_free_ char *text =
		request ? json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (!text)
		return false;
	*hash = hash_bytes(text, strlen(text)) ^ app->services[service].image;
	return true;
}

json_t *app_service_request(
	const struct app *app, unsigned service, const char *name, unsigned serial, struct err *err)
{
	const struct app_service *s = &app->spec.services[service];
	struct resolving r = {.app = app, .name = name, .serial = serial};
	_cleanup_json_ json_t *request = resolved(s, &r, err);
	json_t *labels = json_object_get(request, "labels");

	if (!request)
		return NULL;
	labels = json_is_object(labels) ? json_copy(labels) : json_object();
	json_object_set_new(labels, "uigniter.app", json_string(app->name));
	json_object_set_new(labels, "uigniter.service", json_string(s->name));
	json_object_set_new(request, "labels", labels);
	json_object_set_new(request, "name", json_string(name));
	return steal_ptr(&request);
}

bool app_is_outdated(const struct app *app, const struct instance *i)
{
	int s = app_spec_find(&app->spec, i->mark.service, strlen(i->mark.service));
	uint64_t hash;

	return s < 0 || (app_service_hash(app, (unsigned)s, &hash) && hash != i->mark.hash);
}

/* --- as the planner sees it -------------------------------------------------------------------------------------- */
/* One that has done what it was there for: ended well, or somebody stopped it and the policy takes that. */
static bool is_done(const struct instance *i, const struct app_service *s)
{
	bool well = i->state == VM_STOPPED && i->has_exit_code && i->exit_code == 0;

	if (i->mark.dismissed)
		return false;
	switch (s->restart.policy) {
	case RESTART_ALWAYS:
		return false;
	case RESTART_UNLESS_STOPPED:
		return i->wanted_down;
	case RESTART_NO:
	case RESTART_ON_FAILURE:
		return well || i->wanted_down;
	}
	return false;
}

static enum replica_state replica_state(const struct instance *i, const struct app_service *s)
{
	switch (i->state) {
	case VM_CREATED:
	case VM_STARTING:
		return REPLICA_STARTING;
	case VM_RUNNING:
	case VM_PAUSED:
		return i->ready ? REPLICA_READY : REPLICA_STARTING;
	case VM_STOPPING:
		return REPLICA_STOPPING;
	case VM_STOPPED:
	case VM_FAILED:
	case VM_CRASHED:
		return s && is_done(i, s) ? REPLICA_DONE : REPLICA_ENDED;
	}
	return REPLICA_ENDED;
}

static void view_service(
	const struct app *app, unsigned s, struct app_view *v, bool *known, uint64_t *hash)
{
	const struct service *past = &app->services[s];

	*known = app_service_hash(app, s, hash);
	v->services[s] = (struct plan_service){.replicas = app->spec.services[s].replicas,
		.deps = app->spec.services[s].deps,
		.done = app->spec.services[s].done,
		.held = !*known || past->gave_up || past->not_before_ns > loop_now_ns()};
}

static void view_instance(const struct app *app, struct instance *i, struct app_view *v,
	const bool *known, const uint64_t *hash)
{
	int s = app_spec_find(&app->spec, i->mark.service, strlen(i->mark.service));
	unsigned n = v->in.replica_count++;

	v->instances[n] = i;
	v->replicas[n] = (struct plan_replica){.service = s,
		.state = replica_state(i, s >= 0 ? &app->spec.services[s] : NULL),
		.outdated = s >= 0 && known[s] && hash[s] != i->mark.hash,
		.serial = i->mark.serial};
}

int app_view_make(const struct app *app, struct app_view *v)
{
	bool known[PLAN_SERVICES_MAX];
	uint64_t hash[PLAN_SERVICES_MAX];
	struct instance *i = NULL;
	size_t n = 1;

	while ((i = app_instance_next(app, NULL, i)))
		n++;
	v->replicas = calloc(n, sizeof(*v->replicas));
	v->instances = calloc(n, sizeof(struct instance *));
	if (!v->replicas || !v->instances) {
		app_view_fini(v);
		return -ENOMEM;
	}
	v->in = (struct plan_input){.services = v->services,
		.service_count = app->spec.count,
		.replicas = v->replicas,
		.removing = app->removing};
	for (unsigned s = 0; s < app->spec.count; s++)
		view_service(app, s, v, &known[s], &hash[s]);
	while ((i = app_instance_next(app, NULL, i)))
		view_instance(app, i, v, known, hash);
	return 0;
}

void app_view_fini(struct app_view *v)
{
	free(v->replicas);
	free(v->instances);
	v->replicas = NULL;
	v->instances = NULL;
}

/* --- for people -------------------------------------------------------------------------------------------------- */
static enum service_state service_state(
	const struct app *app, const struct app_view *v, unsigned s, uint64_t waits_for)
{
	const struct service *past = &app->services[s];

	if (app->removing)
		return SERVICE_STOPPING;
	if (plan_service_is_settled(&v->in, s))
		return SERVICE_READY;
	if (past->gave_up || past->failures >= APP_FAILING_AFTER)
		return SERVICE_FAILING;
	return waits_for ? SERVICE_WAITING : SERVICE_STARTING;
}

void app_service_status(const struct app *app, unsigned s, struct service_status *status)
{
	struct app_view v;

	*status = (struct service_status){.state = SERVICE_STARTING};
	if (app_view_make(app, &v) < 0)
		return;
	plan_figures(&v.in, s, &status->figures);
	status->waits_for = plan_waits_for(&v.in, s);
	status->state = service_state(app, &v, s, status->waits_for);
	if (status->state == SERVICE_READY)
		status->waits_for = 0;
	if (app->services[s].reason[0])
		status->reason = app->services[s].reason;
	app_view_fini(&v);
}

enum app_state app_state(const struct app *app)
{
	enum app_state state = APP_STARTING;
	struct app_view v;

	if (app->removing)
		return APP_REMOVING;
	if (app_view_make(app, &v) < 0)
		return state;
	if (plan_is_settled(&v.in))
		state = APP_READY;
	for (unsigned s = 0; s < app->spec.count && state == APP_STARTING; s++) {
		if (service_state(app, &v, s, 0) == SERVICE_FAILING)
			state = APP_FAILING;
	}
	app_view_fini(&v);
	return state;
}
