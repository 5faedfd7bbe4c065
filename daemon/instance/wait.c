/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core.h"
#include "daemon/instance/impl.h"
#include "lib/loop.h"

#include <errno.h>

const char *const instance_goal_names[] = {
	"running", "ready", "stopped", "crashed", "failed", "ended", NULL};

struct instance_waiter {
	struct instance *inst;
	enum instance_goal goal;
	bool on; /* over its end, as long as it will be started again */
	bool insists;
	bool told; /* is about to be, that the goal is reached */
	struct loop_timer *timer;
	instance_wait_fn *fn;
	void *arg;
	struct instance_waiter *next;
};

bool instance_reached(const struct instance *i, enum instance_goal goal)
{
	switch (goal) {
	case GOAL_RUNNING:
		return i->state == VM_RUNNING;
	case GOAL_READY:
		return i->state == VM_RUNNING && i->ready;
	case GOAL_STOPPED:
		return i->state == VM_STOPPED;
	case GOAL_CRASHED:
		return i->state == VM_CRASHED;
	case GOAL_FAILED:
		return i->state == VM_FAILED;
	case GOAL_ENDED:
		return instance_has_ended(i);
	}
	return false;
}

static void finish(struct instance_waiter *w)
{
	struct instance *inst = w->inst;
	instance_wait_fn *fn = w->fn;
	void *arg = w->arg;
	bool reached = w->told || instance_reached(inst, w->goal);

	instance_wait_cancel(w);
	fn(arg, inst, reached);
}

static void timed_out(void *arg)
{
	finish(arg);
}

bool instance_may_reach(const struct instance *i)
{
	return !instance_has_ended(i) || i->restart.pending;
}

static bool goes_on(const struct instance_waiter *w)
{
	return w->on ? instance_may_reach(w->inst) : !instance_has_ended(w->inst);
}

/* From the beginning after each, since a callback may add and cancel others; it may not remove the instance. */
void instance_tell_waiters(struct instance *i)
{
	struct instance_waiter *w;

	for (w = i->waiters; w; w = w->next)
		w->told |= w->insists && instance_reached(i, w->goal);
	w = i->waiters;
	while (w) {
		if (!w->told && !instance_reached(i, w->goal) && goes_on(w)) {
			w = w->next;
			continue;
		}
		finish(w);
		w = i->waiters;
	}
}

struct instance_waiter *instance_wait(struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, instance_wait_fn *fn, void *arg)
{
	struct instance_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct instance_waiter){
		.inst = inst, .goal = goal, .fn = fn, .arg = arg, .next = inst->waiters};
	if (loop_timer_new(inst->core->loop, timed_out, w, &w->timer) < 0) {
		free(w);
		return NULL;
	}
	loop_timer_set(w->timer, timeout_ns);
	inst->waiters = w;
	return w;
}

struct instance_waiter *instance_wait_on(struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, instance_wait_fn *fn, void *arg)
{
	struct instance_waiter *w = instance_wait(inst, goal, timeout_ns, fn, arg);

	if (w)
		w->on = true;
	return w;
}

void instance_wait_insist(struct instance_waiter *w)
{
	w->insists = true;
}

void instance_wait_cancel(struct instance_waiter *w)
{
	struct instance_waiter **p = &w->inst->waiters;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	loop_timer_free(w->timer);
	free(w);
}
