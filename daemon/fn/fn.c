/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of functions, what is kept of them, and the look: the one place that decides what is to be done, from what is there. It comes
 * after each change; one that comes while another is under way makes that go round once more.
 */
#include "daemon/fn/impl.h"

#include "daemon/app/spec.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/config.h"
#include "daemon/image/store.h"
#include "daemon/instance/run_spec.h"
#include "daemon/api/run_request.h"
#include "daemon/state/db.h"
#include "daemon/state/keep.h"
#include "lib/httpc.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

const char *const fn_state_names[] = {"idle", "starting", "ready", "failing", "removing", NULL};

/* --- the look ---------------------------------------------------------------------------------------------------- */
enum fn_state fn_state(const struct fn *fn)
{
	if (fn->removing)
		return FN_REMOVING;
	if (members_in(fn, MEMBER_READY) > 0)
		return FN_READY;
	if (fn_is_failing(fn))
		return FN_FAILING;
	return members_in(fn, MEMBER_BOOTING) > 0 || fn->queued > 0 ? FN_STARTING : FN_IDLE;
}

static void tell(struct fn *fn)
{
	enum fn_state state = fn_state(fn);

	if (state == fn->said)
		return;
	fn->said = state;
	events_function(fn->fns->core->events, fn_state_names[state], fn->name,
		fn_state_names[state], state == FN_FAILING ? fn->reason : NULL);
}

static bool wants_one_more(const struct fn *fn)
{
	unsigned booting = members_in(fn, MEMBER_BOOTING), ready = members_in(fn, MEMBER_READY);

	if (fn->removing || booting > 0 || ready >= fn->spec.max)
		return false;
	return ready < fn->spec.min || fn->queued > 0;
}

static void scale(struct fn *fn)
{
	int64_t now = loop_now_ns();

	if (!wants_one_more(fn))
		return;
	if (fn->not_before_ns > now)
		loop_timer_set(fn->timer, fn->not_before_ns - now);
	else
		member_start(fn);
}

static void fn_free(struct fn *fn)
{
	struct fn **p = &fn->fns->first;

	while (*p != fn)
		p = &(*p)->next;
	*p = fn->next;
	fn->fns->count--;
	members_free(fn);
	loop_timer_free(fn->timer);
	fn_spec_fini(&fn->spec);
	free(fn);
}

static void forget_failed(struct fn *fn)
{
	struct instance *inst;

	if (fn->last_failed[0] &&
		instances_find(fn->fns->core->instances, fn->last_failed, &inst) == 0 &&
		instance_has_ended(inst))
		instance_remove_soon(inst);
	fn->last_failed[0] = '\0';
}

static void end(struct fn *fn)
{
	struct core *core = fn->fns->core;

	log_info("function removed", "fn=%s", fn->name);
	keep_delete(core->keep, STATE_FN, fn->name, NULL);
	forget_failed(fn);
	events_function(core->events, "removed", fn->name, fn_state_names[FN_REMOVING], NULL);
	fn_free(fn);
}

static bool is_over(const struct fn *fn)
{
	return fn->removing && !fn->members && !fn->in_flight && !fn->queue;
}

void fn_look(struct fn *fn)
{
	struct fn_member *m;

	if (fn->fns->core->ending)
		return;
	if (fn->looking) {
		fn->again = true;
		return;
	}
	fn->looking = true;
	do {
		fn->again = false;
		while (fn->queue && (m = member_free_slot(fn)))
			call_run(fn->queue, m);
		scale(fn);
	} while (fn->again);
	fn->looking = false;
	tell(fn);
	if (is_over(fn))
		loop_timer_set(fn->timer, 0); /* not here: who calls this goes on with fn */
}

static void look(void *arg)
{
	struct fn *fn = arg;

	fn_look(fn);
	if (is_over(fn) && !fn->fns->core->ending)
		end(fn);
}

/* --- what is kept ------------------------------------------------------------------------------------------------ */
static json_int_t ns_of(const struct timespec *t)
{
	return (json_int_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

static struct timespec time_of(json_int_t ns)
{
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = (long)(ns % NS_PER_S)};
}

static void save(struct fn *fn)
{
	_cleanup_json_ json_t *record = json_pack("{s:s, s:b, s:I, s:I, s:I, s:O}", "name",
		fn->name, "removing", (int)fn->removing, "created", ns_of(&fn->created), "updated",
		ns_of(&fn->updated), "hash", (json_int_t)fn->hash, "spec", fn->spec.spec);
	struct err err = {0};

	if (keep_put_json(fn->fns->core->keep, STATE_FN, fn->name, record, &err) < 0)
		log_error(
			"cannot keep a function's state", "fn=%s error=\"%s\"", fn->name, err.msg);
}

static struct fn *fn_new(struct fns *fns, const char *name)
{
	struct fn *fn = calloc(1, sizeof(*fn)), **last = &fns->first;

	if (!fn)
		return NULL;
	fn->fns = fns;
	fn->queue_end = &fn->queue;
	snprintf(fn->name, sizeof(fn->name), "%s", name);
	if (loop_timer_new(fns->core->loop, look, fn, &fn->timer) < 0) {
		free(fn);
		return NULL;
	}
	while (*last)
		last = &(*last)->next;
	*last = fn;
	fns->count++;
	return fn;
}

static int load_record(struct fns *fns, const char *text, size_t len, struct err *err)
{
	_cleanup_json_ json_t *root = NULL;
	int64_t created = 0, updated = 0, hash = 0;
	const char *name = NULL;
	struct fn_spec spec = {0};
	struct check check;
	bool removing = false;
	struct fn *fn;
	int r = jsonx_parse_object(text, len, FN_SPEC_DEPTH + 1, &root, err);

	r = r < 0 ? r : jsonx_str(root, "name", FN_NAME_MAX_BYTES, &name, err);
	r = r < 0 ? r : jsonx_bool(root, "removing", &removing, err);
	r = r < 0 ? r : jsonx_int(root, "created", 0, INT64_MAX, &created, err);
	r = r < 0 ? r : jsonx_int(root, "updated", 0, INT64_MAX, &updated, err);
	r = r < 0 ? r : jsonx_int(root, "hash", INT64_MIN, INT64_MAX, &hash, err);
	if (r < 0)
		return r;
	if (!json_is_object(json_object_get(root, "spec")))
		return err_set(err, EINVAL, "spec is missing");
	if (fn_spec_parse(json_object_get(root, "spec"), &spec, &check) < 0)
		return err_set(err, EINVAL, "%s", check.err.msg);
	fn = fn_new(fns, name);
	if (!fn) {
		fn_spec_fini(&spec);
		return err_sys(err, ENOMEM, "function");
	}
	fn->spec = spec;
	fn->hash = (uint64_t)hash;
	fn->removing = removing;
	fn->created = time_of(created);
	fn->updated = time_of(updated);
	members_adopt(fn);
	fn->said = fn_state(fn);
	loop_timer_set(fn->timer, 0);
	return 0;
}

/* One that can not be read stays in the database for whoever can. */
static int load_one(void *arg, const char *id, const char *text, size_t len)
{
	struct err err = {0};

	if (load_record(arg, text, len, &err) < 0)
		log_error("the record of a function can not be used", "fn=%.64s error=\"%s\"", id,
			err.msg);
	return 0;
}

/* Instances of functions that are gone. */
static void stop_orphans(struct fns *fns)
{
	for (struct instance *i = instances_first(fns->core->instances); i; i = i->next) {
		if (!i->mark.fn[0] || fns_find(fns, i->mark.fn))
			continue;
		i->auto_remove = true;
		if (instance_has_ended(i))
			instance_remove_soon(i);
		else
			instance_stop(i, INSTANCE_STOP_NS);
	}
}

int fns_new(struct core *core, struct fns **out, struct err *err)
{
	struct fns *fns = calloc(1, sizeof(*fns));
	int r;

	if (!fns)
		return err_sys(err, ENOMEM, "functions");
	fns->core = core;
	*out = fns;
	r = httpc_new(core->loop, FN_CALLS_MAX, &fns->httpc, err);
	if (r < 0)
		return r;
	r = state_db_each(core->state, STATE_FN, load_one, fns, err);
	if (r == 0)
		stop_orphans(fns);
	return r;
}

void fns_stop(struct fns *fns)
{
	if (!fns)
		return;
	fns->stopping = true;
	for (struct fn *fn = fns->first; fn; fn = fn->next)
		calls_refuse(fn, 503, "unavailable", "the manager is ending");
}

void fns_free(struct fns *fns)
{
	if (!fns)
		return;
	while (fns->first)
		fn_free(fns->first);
	httpc_free(fns->httpc);
	free(fns);
}

/* --- what is wanted ---------------------------------------------------------------------------------------------- */
static int refuse(struct check *c, int code, const char *sentence)
{
	c->pointer[0] = '\0';
	return err_set(&c->err, code, "%s", sentence);
}

/* That this manager can run it, and where it answers. */
static int check_spec(struct core *core, const struct fn_spec *s, uint64_t *hash, struct check *c)
{
	struct run_request q;
	struct run_spec run;
	int r = run_request_take(s->request, &q, c);

	if (r < 0)
		return r;
	r = run_spec_make(core, &q, &run, &c->err);
	if (r < 0) {
		snprintf(c->pointer, sizeof(c->pointer), "%s", r == -EINVAL ? "" : "/image");
	} else if (!s->port && !image_config_ready_port(run.image->config)) {
		r = check_fail(
			c, "port", NULL, "port: the image says no port, so it is wanted here");
	} else {
		*hash = fn_spec_hash(s, image_digest(run.image));
	}
	run_request_fini(&q);
	return r < 0 ? -EINVAL : 0;
}

static int put(struct fns *fns, struct fn **fn, const char *name, json_t *root, struct check *c)
{
	struct fn_spec spec;
	uint64_t hash = 0;

	if (fn_spec_parse(root, &spec, c) < 0)
		return -EINVAL;
	if (check_spec(fns->core, &spec, &hash, c) < 0) {
		fn_spec_fini(&spec);
		return -c->err.code;
	}
	if (!*fn)
		*fn = fn_new(fns, name);
	if (!*fn) {
		fn_spec_fini(&spec);
		return refuse(c, ENOMEM, "no memory");
	}
	fn_spec_fini(&(*fn)->spec);
	(*fn)->spec = spec;
	(*fn)->hash = hash;
	(*fn)->failures = 0;
	(*fn)->not_before_ns = 0;
	members_drain(*fn);
	return 0;
}

int fns_put(struct fns *fns, const char *name, json_t *root, struct fn **out, bool *made,
	struct check *c)
{
	struct fn *fn = fns_find(fns, name);
	int r;

	*made = !fn;
	if (fn && fn->removing)
		return refuse(c, EBUSY, "the function is being removed: wait until it is gone");
	if (!fn && fns->count >= FNS_MAX)
		return refuse(c, EAGAIN, "there are too many functions");
	r = put(fns, &fn, name, root, c);
	if (r < 0 || !fn)
		return r < 0 ? r : -EINVAL;
	clock_gettime(CLOCK_REALTIME, &fn->updated);
	if (*made)
		fn->created = fn->updated;
	save(fn);
	events_function(fns->core->events, *made ? "created" : "updated", fn->name,
		fn_state_names[fn_state(fn)], NULL);
	loop_timer_set(fn->timer, 0);
	*out = fn;
	return 0;
}

void fn_remove(struct fn *fn)
{
	if (fn->removing)
		return;
	fn->removing = true;
	save(fn);
	calls_refuse(fn, 404, "not_found", "the function is being removed");
	members_drain(fn);
	loop_timer_set(fn->timer, 0);
}

/* --- what is there ----------------------------------------------------------------------------------------------- */
struct fn *fns_first(const struct fns *fns)
{
	return fns->first;
}

struct fn *fn_next(const struct fn *fn)
{
	return fn->next;
}

struct fn *fns_find(const struct fns *fns, const char *name)
{
	struct fn *fn = fns->first;

	while (fn && strcmp(fn->name, name) != 0)
		fn = fn->next;
	return fn;
}

bool fns_use_image(const struct fns *fns, const struct image *image)
{
	for (const struct fn *fn = fns->first; fn; fn = fn->next) {
		const json_t *name = json_object_get(fn->spec.request, "image_name");
		struct image *wanted;

		if (images_resolve(fns->core->images, json_string_value(name), false, &wanted) ==
				0 &&
			wanted == image)
			return true;
	}
	return false;
}

const char *fn_name(const struct fn *fn)
{
	return fn->name;
}

const struct fn_spec *fn_spec(const struct fn *fn)
{
	return &fn->spec;
}

void fn_times(const struct fn *fn, struct timespec *created, struct timespec *updated)
{
	*created = fn->created;
	*updated = fn->updated;
}

const struct fn_counters *fn_counters(const struct fn *fn)
{
	return &fn->counters;
}

unsigned fn_queued(const struct fn *fn)
{
	return fn->queued;
}

unsigned fn_in_flight(const struct fn *fn)
{
	return fn->in_flight;
}

const char *fn_reason(const struct fn *fn)
{
	return fn->reason[0] ? fn->reason : NULL;
}

const struct instance *fn_instance_next(
	const struct fn *fn, const struct instance *prev, unsigned *in_flight)
{
	const struct fn_member *m = fn->members;

	while (prev && m && m->inst != prev)
		m = m->next;
	if (prev && m)
		m = m->next;
	if (!m)
		return NULL;
	*in_flight = m->in_flight;
	return m->inst;
}
