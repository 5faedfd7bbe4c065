/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of templates, and how one is made: an ordinary instance of the image, which is frozen as soon as it is ready, and ended. Its
 * mark says what it is for, so that a manager that finds it ends it.
 */
#include "daemon/template/exercise.h"
#include "daemon/template/impl.h"

#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/host_id.h"
#include "daemon/image/config.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READY_NS (60 * NS_PER_S)

const char *const template_state_names[] = {"warming", "ready", "failed", NULL};

struct template_waiter {
	struct template *template; /* NULL: gone */
	struct loop_timer *timer;
	template_wait_fn *fn;
	void *arg;
	struct template_waiter *next;
};

/* --- the table --------------------------------------------------------------------------------------------------- */
static struct template *find_key(const struct templates *ts, const struct template_key *key)
{
	struct template *t = ts->first;

	while (t && !template_key_equal(&t->key, key))
		t = t->next;
	return t;
}

struct template *templates_find(const struct templates *ts, const char *id)
{
	struct template *t = ts->first;

	while (t && strcmp(t->id, id) != 0)
		t = t->next;
	return t;
}

/* Takes key, also on failure. */
static struct template *template_new(
	struct templates *ts, struct template_key *key, const char *image)
{
	struct template *t = calloc(1, sizeof(*t)), **last = &ts->first;

	if (!t) {
		template_key_fini(key);
		return NULL;
	}
	t->all = ts;
	t->key = *key;
	snprintf(t->image, sizeof(t->image), "%s", image);
	template_key_id(&t->key, t->id);
	while (*last)
		last = &(*last)->next;
	*last = t;
	ts->count++;
	if (template_paths(t) == 0)
		return t;
	template_key_fini(&t->key);
	*last = NULL;
	ts->count--;
	free(t);
	return NULL;
}

static void tell(struct template *t, const char *what)
{
	events_template(
		t->all->core->events, what, t->id, t->image, t->reason[0] ? t->reason : NULL);
	for (struct template_waiter *w = t->waiters; w && t->state != TEMPLATE_WARMING; w = w->next)
		loop_timer_set(w->timer, 0);
}

void template_end_instance(struct instance *inst)
{
	if (!inst)
		return;
	inst->freeze = NULL;
	if (inst->shell)
		inst->shell->done = NULL;
	if (instance_has_ended(inst))
		instance_remove_soon(inst);
	else
		instance_kill(inst);
}

void template_let_go(struct template *t)
{
	exercise_free(steal_ptr(&t->exercise));
	if (t->waiter)
		instance_wait_cancel(steal_ptr(&t->waiter));
	template_end_instance(steal_ptr(&t->inst));
}

static void template_free(struct template *t)
{
	struct template **p = &t->all->first;
	struct template_waiter *w;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->all->count--;
	trial_free(t);
	template_let_go(t);
	clones_discard(t);
	while ((w = t->waiters)) {
		t->waiters = w->next;
		w->template = NULL;
		loop_timer_set(w->timer, 0);
	}
	template_key_fini(&t->key);
	free(t->state_new);
	free(t->memory_new);
	free(t->state_path);
	free(t->memory_path);
	free(t->workset_path);
	free(t);
}

void template_fail(struct template *t, const char *why)
{
	snprintf(t->reason, sizeof(t->reason), "%s", why);
	log_warn("a template has failed", "template=%s image=%s reason=\"%s\"", t->id, t->image,
		t->reason);
	trial_free(t);
	template_let_go(t);
	clones_discard(t);
	template_store_remove(t);
	t->state = TEMPLATE_FAILED;
	tell(t, "failed");
}

void template_remove(struct template *t)
{
	log_info("template removed", "template=%s image=%s", t->id, t->image);
	template_store_remove(t);
	tell(t, "removed");
	template_free(t);
}

/* --- how one is made --------------------------------------------------------------------------------------------- */
static void frozen(void *arg, struct shell *shell, const struct err *failed)
{
	struct template *t = arg;
	struct err err = {0};

	(void)shell;
	if (failed) {
		template_fail(t, failed->msg);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &t->created);
	if (template_store_end(t, &err) < 0) {
		template_fail(t, err.msg);
		return;
	}
	t->load_failures = t->load_lacks = 0;
	t->verified = true; /* it was written a moment ago */
	if (trial_begin(t) < 0)
		template_ready(t);
}

void template_ready(struct template *t)
{
	template_let_go(t);
	t->state = TEMPLATE_READY;
	t->reason[0] = '\0';
	log_info("template made", "template=%s image=%s memory_mib=%u bytes=%llu", t->id, t->image,
		t->key.memory_mib, (unsigned long long)t->bytes);
	tell(t, "ready");
	clones_load_soon(t->all);
}

static void instance_ended(void *arg, struct instance *inst, bool reached)
{
	struct template *t = arg;
	char why[320];

	(void)reached;
	t->waiter = NULL;
	if (t->trial) { /* its files are there */
		template_let_go(t);
		return;
	}
	snprintf(why, sizeof(why), "its instance ended while it was frozen: %.200s", inst->reason);
	template_fail(t, why);
}

static void freeze(struct template *t)
{
	struct shell *shell = t->inst->shell;
	struct err err = {0};

	if (shell->ops->freeze(shell, &t->frozen_to, frozen, t, &err) < 0)
		template_fail(t, err.msg);
}

static void exercised(void *arg, unsigned answered)
{
	struct template *t = arg;

	exercise_free(steal_ptr(&t->exercise));
	log_debug("template exercised", "template=%s image=%s answered=%u", t->id, t->image,
		answered);
	freeze(t);
}

bool template_exercise_of(const struct instance *inst, struct exercise_spec *spec)
{
	const json_t *config = inst->image->config;
	const char *path = image_config_warm(config, &spec->requests);

	spec->ip = inst->ip;
	spec->port = (uint16_t)image_config_ready_port(config);
	snprintf(spec->path, sizeof(spec->path), "%s", path ? path : "/");
	return path != NULL;
}

static void freeze_or_exercise(struct template *t)
{
	struct core *core = t->all->core;
	struct exercise_spec spec;

	if (!template_exercise_of(t->inst, &spec))
		freeze(t);
	else if (exercise_new(core->loop, core->network, &spec, exercised, t, &t->exercise) < 0)
		template_fail(t, "there is no memory to ask it with");
}

static void instance_is_ready(void *arg, struct instance *inst, bool reached)
{
	struct template *t = arg;
	struct err err = {0};

	t->waiter = NULL;
	if (!reached) {
		err_set(&err, EIO, "its instance %s: %.200s",
			instance_has_ended(inst) ? "ended before it was ready"
						 : "was not ready in time",
			inst->reason);
		template_fail(t, err.msg);
		return;
	}
	t->waiter = instance_wait(inst, GOAL_ENDED, READY_NS, instance_ended, t);
	if (!t->waiter)
		template_fail(t, "there is no memory to wait with");
	else
		freeze_or_exercise(t);
}

static int warm(struct template *t, const struct run_spec *wanted, struct err *err)
{
	struct instances *is = t->all->core->instances;
	struct run_spec spec = *wanted;
	unsigned retry_s;
	int r = template_store_begin(t, err);

	if (r < 0)
		return r;
	t->state = TEMPLATE_WARMING;
	t->frozen_to = (struct frozen){.state = t->state_new, .memory = t->memory_new};
	spec.name = NULL;
	spec.freeze = &t->frozen_to;
	spec.auto_remove = true;
	spec.port_count = 0;
	spec.key = NULL;
	spec.restart.policy = RESTART_NO;
	spec.health = (struct health_spec){0};
	spec.ttl_s = 0;
	spec.shell.ip = 0;
	memset(spec.shell.mac, 0, sizeof(spec.shell.mac));
	spec.shell.memory_mib = t->key.memory_mib;
	spec.shell.more_will_do = false;
	spec.request_ns = loop_now_ns();
	spec.mark = (struct app_mark){0};
	snprintf(spec.mark.fn, sizeof(spec.mark.fn), TEMPLATE_MARK);
	r = instance_run(is, &spec, &t->inst, &retry_s, err);
	if (r < 0)
		return r;
	t->waiter = instance_has_ended(t->inst)
		? NULL
		: instance_wait(t->inst, GOAL_READY, READY_NS, instance_is_ready, t);
	if (t->waiter)
		return 0;
	return err_set(err, EIO, "its instance could not be started: %.200s", t->inst->reason);
}

static int check(const struct run_spec *spec, struct err *err)
{
	if (spec->from)
		return err_set(err, EINVAL, "what goes on from a snapshot can not be a template");
	if (spec->shell.ops != &monitor_uvmm)
		return err_set(err, EINVAL, "the monitor %s makes no templates, uvmm does",
			spec->shell.ops->name);
	if (spec->volumes || spec->vsock.wanted || spec->trace || spec->shell.kernel[0])
		return err_set(err, EINVAL,
			"an instance with volumes, vsock, a trace or another kernel can not be a "
			"template");
	if (!image_config_ready_port(spec->image->config))
		return err_set(err, EINVAL,
			"the image %s says no port that tells readiness, so nothing tells when to "
			"freeze it",
			spec->image->name);
	if (!image_digest(spec->image)[0])
		return err_set(err, EINVAL, "the image %s has no file", spec->image->name);
	return 0;
}

/* Of the words and variables that an instance of this would have. */
static int key_of_spec(const struct run_spec *spec, struct template_key *key, struct err *err)
{
	struct instance probe = {.image = spec->image, .spec = spec->shell};
	int r = instance_words(&probe, spec);

	r = r < 0 ? r : template_key_of(&probe, key);
	instance_words_fini(&probe);
	return r < 0 ? err_sys(err, -r, "template") : 0;
}

int templates_want(
	struct templates *ts, const struct run_spec *spec, struct template **out, struct err *err)
{
	struct template_key key;
	struct template *t;
	int r = check(spec, err);

	r = r < 0 ? r : key_of_spec(spec, &key, err);
	if (r < 0)
		return r;
	t = find_key(ts, &key);
	if (t)
		template_key_fini(&key);
	else if (ts->count >= TEMPLATES_MAX)
		r = err_set(err, E2BIG, "there are %d templates already", TEMPLATES_MAX);
	else
		t = template_new(ts, &key, spec->image->name);
	if (!t)
		return r < 0 ? r : err_sys(err, ENOMEM, "template");
	*out = t;
	if (t->inst || t->state == TEMPLATE_READY)
		return 0;
	r = warm(t, spec, err);
	if (r < 0)
		template_fail(t, err->msg);
	return r;
}

/* --- what is there, and what becomes of it ------------------------------------------------------------------------ */
/* Some name's content; the file of the template's own image, under whatever name. */
static const struct image *image_of(const struct template *t)
{
	const struct image *i = images_first(t->all->core->images);

	while (i && strcmp(image_digest(i), t->key.digest) != 0)
		i = i->next;
	return i;
}

const char *template_image_path(const struct template *t)
{
	const struct image *image = image_of(t);

	return image ? image_path(image) : NULL;
}

void templates_images_changed(struct templates *ts)
{
	if (!ts || ts->stopped)
		return;
	ts->images_changed = true;
	loop_timer_set(ts->timer, 0);
}

void templates_drop_orphans(struct templates *ts)
{
	struct template *t, *next;

	ts->images_changed = false;
	for (t = ts->first; t; t = next) {
		next = t->next;
		if (!image_of(t))
			template_remove(t);
	}
}

json_t *template_env_of(const struct instance *inst)
{
	json_t *env = json_object();

	for (char *const *e = inst->env; e && *e; e++) {
		const char *equals = strchr(*e, '=');

		_cleanup_free_ char *name = equals ? strndup(*e, (size_t)(equals - *e)) : NULL;

		if (name)
			json_object_set_new(env, name, json_string(equals + 1));
	}
	return env;
}

/* As the instance was run: its words go into a specification of its own. */
static void template_auto(struct templates *ts, const struct instance *inst)
{
	_cleanup_json_ json_t *env = template_env_of(inst);
	struct run_spec spec = {
		.image = inst->image, .shell = inst->spec, .argv = inst->argv, .env = env};
	struct template *t;
	struct err err = {0};

	if (templates_want(ts, &spec, &t, &err) < 0)
		log_debug("no template", "image=%s reason=\"%s\"", inst->image->name, err.msg);
}

void templates_hear(struct templates *ts, const struct instance *inst)
{
	struct template_key key;
	struct template *t;

	if (!ts || !ts->core->config.auto_warm || ts->stopped || inst->cloned || inst->freeze ||
		inst->from[0] || !inst->image->content)
		return;
	if (template_key_of(inst, &key) < 0)
		return;
	t = find_key(ts, &key);
	template_key_fini(&key);
	if (!t && inst->spec.ops == &monitor_uvmm)
		template_auto(ts, inst);
}

static void adopt(
	void *arg, struct template_key *key, const char *image, const struct timespec *created)
{
	struct templates *ts = arg;
	struct template *t = template_new(ts, key, image);

	if (!t)
		return;
	t->state = TEMPLATE_READY;
	t->created = *created;
	t->bytes = template_store_bytes(t);
}

int templates_new(struct core *core, struct templates **out, struct err *err)
{
	struct templates *ts = calloc(1, sizeof(*ts));
	const struct host_id *host;
	int r;

	if (!ts || asprintf(&ts->dir, "%s/template", core->config.state_dir) < 0) {
		free(ts);
		return err_sys(err, ENOMEM, "templates");
	}
	ts->core = core;
	*out = ts;
	if (mkdir(ts->dir, 0711) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", ts->dir);
	r = loop_timer_new(core->loop, clones_load, ts, &ts->timer);
	if (r < 0)
		return err_sys(err, -r, "templates");
	if (core->monitor != &monitor_uvmm)
		return 0; /* what is there is of use to another manager */
	host = host_id_own(core, err);
	if (!host)
		return -err->code;
	host_id_digest(host, ts->host);
	template_store_each(ts, adopt, ts);
	templates_images_changed(ts);
	return 0;
}

void templates_stop(struct templates *ts)
{
	if (!ts)
		return;
	ts->stopped = true;
	loop_timer_cancel(ts->timer);
	for (struct template *t = ts->first; t; t = t->next)
		clones_discard(t);
}

/* The loop does not run any more. */
static void tell_gone(struct template *t)
{
	struct template_waiter *w;

	while ((w = t->waiters)) {
		t->waiters = w->next;
		w->fn(w->arg, NULL);
		loop_timer_free(w->timer);
		free(w);
	}
}

void templates_free(struct templates *ts)
{
	if (!ts)
		return;
	templates_stop(ts);
	while (ts->first) {
		tell_gone(ts->first);
		template_free(ts->first);
	}
	loop_timer_free(ts->timer);
	rmdir(ts->dir); /* when it is empty */
	free(ts->dir);
	free(ts);
}

struct template *templates_first(const struct templates *ts)
{
	return ts->first;
}

struct template *template_next(const struct template *t)
{
	return t->next;
}

void template_figures(const struct template *t, struct template_figures *f)
{
	*f = (struct template_figures){.id = t->id,
		.image = t->image,
		.digest = t->key.digest,
		.command = t->key.command,
		.reason = t->reason,
		.state = t->state,
		.memory_mib = t->key.memory_mib,
		.target = t->all->core->config.clones,
		.loaded = t->loaded,
		.hits = t->hits,
		.misses = t->misses,
		.failures = t->failures,
		.bytes = t->bytes,
		.created = t->created};
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */
static void waited(void *arg)
{
	struct template_waiter *w = arg;
	const struct template *t = w->template;
	template_wait_fn *fn = w->fn;
	void *fn_arg = w->arg;

	template_wait_cancel(w);
	fn(fn_arg, t);
}

struct template_waiter *template_wait(struct template *t, template_wait_fn *fn, void *arg)
{
	struct template_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct template_waiter){.template = t, .fn = fn, .arg = arg, .next = t->waiters};
	if (loop_timer_new(t->all->core->loop, waited, w, &w->timer) < 0) {
		free(w);
		return NULL;
	}
	t->waiters = w;
	if (t->state != TEMPLATE_WARMING)
		loop_timer_set(w->timer, 0);
	return w;
}

void template_wait_cancel(struct template_waiter *w)
{
	struct template_waiter **p = w->template ? &w->template->waiters : NULL;

	while (p && *p != w)
		p = &(*p)->next;
	if (p)
		*p = w->next;
	loop_timer_free(w->timer);
	free(w);
}
