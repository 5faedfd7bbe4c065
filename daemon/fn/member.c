/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instances of a function, from the start of each to its end (drawing in fn.h). The end comes from the instance itself, whoever
 * wanted it; one that has failed is kept until the next one fails, for its console. A function whose starts fail pauses: not at all,
 * 0.1 s, 0.2 s, ... 30 s; the first answer begins that anew.
 */
#include "daemon/api/run_request.h"
#include "daemon/core.h"
#include "daemon/fn/impl.h"
#include "daemon/instance/run_spec.h"
#include "daemon/retry.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define RETRY_FIRST_NS (100 * NS_PER_MS)
#define RETRY_MAX_NS   (30 * NS_PER_S)
#define FOREVER_NS     (INT64_C(3155760000) * NS_PER_S)
#define DRAIN_NS                                                                                   \
	(10 * NS_PER_S) /* of a function that is removed: what its instances still have to do */

bool fn_is_failing(const struct fn *fn)
{
	return fn->failures >= FN_FAILING_AFTER && fn->not_before_ns > loop_now_ns();
}

unsigned members_in(const struct fn *fn, enum member_state state)
{
	unsigned n = 0;

	for (const struct fn_member *m = fn->members; m; m = m->next)
		n += m->state == state;
	return n;
}

struct fn_member *member_free_slot(const struct fn *fn)
{
	struct fn_member *best = NULL;

	for (struct fn_member *m = fn->members; m; m = m->next) {
		if (m->state == MEMBER_READY && m->inst->state != VM_STOPPING &&
			m->in_flight < fn->spec.concurrency &&
			(!best || m->in_flight < best->in_flight))
			best = m;
	}
	return best;
}

/* --- failures ---------------------------------------------------------------------------------------------------- */
static void note_failure(struct fn *fn, const char *why)
{
	fn->failures++;
	fn->counters.start_failures++;
	fn->not_before_ns =
		loop_now_ns() + retry_pause_ns(fn->failures, RETRY_FIRST_NS, RETRY_MAX_NS);
	snprintf(fn->reason, sizeof(fn->reason), "%s", why);
	log_warn("a function's instance has failed", "fn=%s failures=%u reason=\"%s\"", fn->name,
		fn->failures, fn->reason);
	if (fn->failures >= FN_FAILING_AFTER && !members_in(fn, MEMBER_READY))
		calls_refuse(fn, 502, "fn_failing", fn->reason);
}

static void keep_failed(struct fn *fn, struct instance *inst)
{
	struct instance *before;

	if (fn->last_failed[0] &&
		instances_find(fn->fns->core->instances, fn->last_failed, &before) == 0 &&
		before != inst && instance_has_ended(before))
		instance_remove_soon(before);
	snprintf(fn->last_failed, sizeof(fn->last_failed), "%s", inst->id);
}

/* --- the life of one --------------------------------------------------------------------------------------------- */
static void member_free(struct fn_member *m)
{
	struct fn_member **p = &m->fn->members;

	while (*p != m)
		p = &(*p)->next;
	*p = m->next;
	if (m->waiter)
		instance_wait_cancel(m->waiter);
	loop_timer_free(m->idle);
	free(m);
}

static void stop(struct fn_member *m)
{
	m->state = MEMBER_STOPPING;
	loop_timer_cancel(m->idle);
	instance_stop(m->inst, INSTANCE_STOP_NS);
}

static void drain(struct fn_member *m)
{
	if (m->state != MEMBER_BOOTING && m->state != MEMBER_READY)
		return;
	m->state = MEMBER_DRAINING;
	if (m->in_flight == 0)
		stop(m);
	else if (m->fn->removing)
		loop_timer_set(m->idle, DRAIN_NS);
}

/* The one that is missed least: not ready yet, else with the fewest requests. NULL when there are no more than wanted. */
static struct fn_member *one_too_many(const struct fn *fn)
{
	struct fn_member *least = NULL;

	if (members_in(fn, MEMBER_BOOTING) + members_in(fn, MEMBER_READY) <= fn->spec.max)
		return NULL;
	for (struct fn_member *m = fn->members; m; m = m->next) {
		if (m->state == MEMBER_BOOTING)
			return m;
		if (m->state == MEMBER_READY && (!least || m->in_flight < least->in_flight))
			least = m;
	}
	return least;
}

void members_drain(struct fn *fn)
{
	struct fn_member *next, *m;

	fn->looking = true; /* one that has not begun ends at once */
	for (m = fn->members; m; m = next) {
		next = m->next;
		if (fn->removing || m->inst->mark.hash != fn->hash)
			drain(m);
	}
	while ((m = one_too_many(fn)))
		drain(m);
	fn->looking = false;
}

void member_rest(struct fn_member *m)
{
	if (m->state == MEMBER_DRAINING)
		stop(m);
	else if (m->state == MEMBER_READY)
		loop_timer_set(m->idle, m->fn->spec.idle_s * NS_PER_S);
}

static bool is_too_much(const struct fn_member *m)
{
	return m->state == MEMBER_READY && m->in_flight == 0 &&
		members_in(m->fn, MEMBER_READY) > m->fn->spec.min;
}

static void idle(void *arg)
{
	struct fn_member *m = arg;
	struct fn *fn = m->fn;

	if (m->state == MEMBER_DRAINING || is_too_much(m))
		stop(m);
	fn_look(fn);
}

static bool was_wanted(const struct fn_member *m)
{
	return m->state == MEMBER_STOPPING || m->inst->wanted_down ||
		(m->inst->state == VM_STOPPED && m->ready_ns && m->inst->exit_code == 0);
}

static void ended(void *arg, struct instance *inst, bool reached)
{
	struct fn_member *m = arg;
	struct fn *fn = m->fn;
	bool wanted = was_wanted(m) || fn->removing || fn->fns->core->ending;
	char why[320];

	(void)reached;
	m->waiter = NULL;
	m->state = MEMBER_STOPPING; /* no more requests */
	snprintf(why, sizeof(why), "%s %s: %.200s", inst->name, instance_state_names[inst->state],
		inst->reason);
	calls_lost(m, why);
	if (wanted) {
		instance_remove_soon(inst);
		member_free(m);
	} else {
		keep_failed(fn, inst);
		member_free(m);
		note_failure(fn, why);
	}
	fn_look(fn);
}

static void watch_end(struct fn_member *m)
{
	m->waiter = instance_wait(m->inst, GOAL_ENDED, FOREVER_NS, ended, m);
	if (!m->waiter)
		log_error("there is no memory to see a function's instance end", "fn=%s id=%s",
			m->fn->name, m->inst->id);
}

static void is_ready(struct fn_member *m)
{
	watch_end(m);
	if (m->state == MEMBER_BOOTING)
		m->state = MEMBER_READY;
	m->ready_ns = loop_now_ns();
	member_rest(m);
}

static void booted(void *arg, struct instance *inst, bool reached)
{
	struct fn_member *m = arg;
	struct fn *fn = m->fn;
	char why[320];

	m->waiter = NULL;
	if (reached) {
		is_ready(m);
		fn_look(fn);
	} else if (instance_has_ended(inst)) {
		ended(m, inst, false);
	} else {
		snprintf(why, sizeof(why), "%s was not ready within %u ms", inst->name,
			fn->spec.start_timeout_ms);
		watch_end(m);
		m->state = MEMBER_STOPPING;
		fn->looking = true; /* it may end at once */
		instance_kill(inst);
		note_failure(fn, why);
		fn->looking = false;
		fn_look(fn);
	}
}

/* The record of it; its end is watched when this returns. NULL without memory. */
static struct fn_member *member_new(struct fn *fn, struct instance *inst)
{
	struct fn_member *m = calloc(1, sizeof(*m)), **last = &fn->members;

	if (!m)
		return NULL;
	*m = (struct fn_member){.fn = fn, .inst = inst};
	if (loop_timer_new(fn->fns->core->loop, idle, m, &m->idle) < 0) {
		free(m);
		return NULL;
	}
	while (*last)
		last = &(*last)->next;
	*last = m;
	return m;
}

/* What is there already is not waited for. */
static int take(struct fn *fn, struct instance *inst, bool adopted)
{
	struct fn_member *m = member_new(fn, inst);

	if (!m)
		return -ENOMEM;
	m->adopted = adopted;
	if (instance_reached(inst, GOAL_READY)) {
		is_ready(m);
		return 0;
	}
	m->waiter =
		instance_wait(inst, GOAL_READY, fn->spec.start_timeout_ms * NS_PER_MS, booted, m);
	if (m->waiter)
		return 0;
	member_free(m);
	return -ENOMEM;
}

/* --- the start --------------------------------------------------------------------------------------------------- */
static int run(struct fn *fn, struct instance **inst, struct err *err)
{
	struct core *core = fn->fns->core;
	unsigned retry_s = 1;
	struct run_request q;
	struct run_spec spec;
	struct check check;
	int r = run_request_take(fn->spec.request, &q, &check);

	if (r < 0)
		return err_set(err, EINVAL, "%s", check.err.msg);
	r = run_spec_make(core, &q, &spec, err);
	if (r == 0) {
		spec.request_ns = loop_now_ns();
		spec.mark.hash = fn->hash;
		snprintf(spec.mark.fn, sizeof(spec.mark.fn), "%s", fn->name);
		r = instance_run(core->instances, &spec, inst, &retry_s, err);
	}
	run_request_fini(&q);
	return r;
}

void member_start(struct fn *fn)
{
	struct instance *inst = NULL;
	struct err err = {0};
	int r = run(fn, &inst, &err);

	fn->counters.starts++;
	if (r < 0 || !inst) {
		note_failure(fn, err.msg);
		fn->again = true;
		return;
	}
	if (instance_has_ended(inst)) {
		keep_failed(fn, inst);
		note_failure(fn, inst->reason);
		fn->again = true;
		return;
	}
	r = take(fn, inst, false);
	if (r < 0) {
		inst->auto_remove = true;
		instance_kill(inst);
		note_failure(fn, "there is no memory for another instance");
	}
}

void members_adopt(struct fn *fn)
{
	struct instance *i = instances_first(fn->fns->core->instances);

	for (; i; i = i->next) {
		if (strcmp(i->mark.fn, fn->name) != 0)
			continue;
		if (instance_has_ended(i))
			keep_failed(fn, i);
		else if (i->state == VM_STOPPING || take(fn, i, true) < 0)
			i->auto_remove = true;
	}
	members_drain(fn);
}

void members_free(struct fn *fn)
{
	while (fn->members)
		member_free(fn->members);
}
