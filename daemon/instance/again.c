/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting an instance again that has ended: because somebody asks for it, or because its restart policy says so. The waiting
 * times double from RESTART_FIRST_NS to RESTART_MAX_NS; a run of RESTART_CALM_NS begins them anew. Also its time to live, and pause and
 * resume.
 */
#include "daemon/core.h"
#include "daemon/instance/impl.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define RESTART_FIRST_NS (100 * NS_PER_MS)
#define RESTART_MAX_NS   (60 * NS_PER_S)
#define RESTART_CALM_NS  (10 * NS_PER_S)

const char *const restart_policy_names[] = {"no", "on-failure", "always", "unless-stopped", NULL};

static bool has_failed(const struct instance *i)
{
	return i->state != VM_STOPPED || (i->has_exit_code && i->exit_code != 0);
}

/* A first start that failed was told to whoever asked for it. */
static bool policy_wants_it(const struct instance *i)
{
	const struct restart *r = &i->restart;

	if (i->wanted_down || i->core->ending || i->auto_remove)
		return false;
	if (i->state == VM_FAILED && !i->start_ns && r->count == 0)
		return false;
	if (r->max_retries && r->count >= r->max_retries)
		return false;
	return r->policy == RESTART_ON_FAILURE ? has_failed(i) : r->policy != RESTART_NO;
}

static void start_now(void *arg)
{
	struct instance *i = arg;
	struct err err = {0};
	unsigned retry_s;

	i->restart.count++;
	log_info("restarting", "id=%s name=%s restarts=%u", i->id, i->name, i->restart.count);
	if (instance_start(i, &retry_s, &err) < 0)
		log_warn("cannot restart a VM", "id=%s error=\"%s\"", i->id, err.msg);
}

static void schedule(struct instance *i)
{
	struct restart *r = &i->restart;

	if (!r->timer && loop_timer_new(i->core->loop, start_now, i, &r->timer) < 0) {
		log_error("cannot restart a VM", "id=%s error=%d", i->id, ENOMEM);
		return;
	}
	r->pending = true;
	loop_timer_set(r->timer, r->wait_ns);
	log_info("will restart", "id=%s name=%s in_ms=%lld", i->id, i->name,
		(long long)(r->wait_ns / NS_PER_MS));
}

void instance_consider_restart(struct instance *i)
{
	struct restart *r = &i->restart;

	if (i->ttl_timer)
		loop_timer_cancel(i->ttl_timer);
	if (!policy_wants_it(i))
		return;
	if (!r->wait_ns || (i->start_ns && loop_now_ns() - i->start_ns >= RESTART_CALM_NS))
		r->wait_ns = RESTART_FIRST_NS;
	else
		r->wait_ns = r->wait_ns * 2 < RESTART_MAX_NS ? r->wait_ns * 2 : RESTART_MAX_NS;
	schedule(i);
}

void instance_no_restart(struct instance *i)
{
	i->wanted_down = true;
	if (!i->restart.pending)
		return;
	i->restart.pending = false;
	loop_timer_cancel(i->restart.timer);
	instance_save(i);
	instance_tell_waiters(i);
}

void instance_resume_restart(struct instance *i)
{
	if (i->restart.pending)
		schedule(i);
}

/* As it was before its first start. */
static void reset(struct instance *i)
{
	i->restart.pending = false;
	i->wanted_down = i->ready = i->from_pool = i->has_exit_code = false;
	i->exit_code = 0;
	i->reason[0] = '\0';
	i->start_ns = i->ready_ns = 0;
	i->started = i->ended = (struct timespec){0};
	i->request_ns = i->step_ns[STEP_MADE] = loop_now_ns();
	i->spec.ip = i->static_ip;
	instance_set_state(i, VM_CREATED);
}

int instance_start(struct instance *i, unsigned *retry_s, struct err *err)
{
	int r;

	if (!instance_has_ended(i))
		return err_set(
			err, EBUSY, "VM %s is %s already", i->name, instance_state_names[i->state]);
	if (i->doomed)
		return err_set(err, EBUSY, "VM %s is being removed", i->name);
	if (i->restart.timer)
		loop_timer_cancel(i->restart.timer);
	reset(i);
	r = instance_launch(i, retry_s, err);
	if (r < 0)
		instance_end(i, VM_FAILED, err->msg);
	return r;
}

/* --- time to live ------------------------------------------------------------------------------------------------ */
static void lived_long_enough(void *arg)
{
	struct instance *i = arg;

	if (i->state == VM_RUNNING || i->state == VM_PAUSED)
		snprintf(
			i->reason, sizeof(i->reason), "its time to live of %u s is over", i->ttl_s);
	instance_stop(i, INSTANCE_STOP_NS);
}

void instance_watch_ttl(struct instance *i)
{
	struct timespec now;
	int64_t lived;

	if (!i->ttl_s)
		return;
	if (!i->ttl_timer &&
		loop_timer_new(i->core->loop, lived_long_enough, i, &i->ttl_timer) < 0) {
		log_error("cannot watch a VM's time to live", "id=%s", i->id);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	lived = (int64_t)(now.tv_sec - i->started.tv_sec) * NS_PER_S + now.tv_nsec -
		i->started.tv_nsec;
	loop_timer_set(i->ttl_timer, (int64_t)i->ttl_s * NS_PER_S - lived);
}

/* --- pause and resume -------------------------------------------------------------------------------------------- */
int instance_pause(struct instance *i, struct err *err)
{
	if (i->state == VM_PAUSED)
		return 0;
	if (i->state != VM_RUNNING)
		return err_set(err, EBUSY, "VM %s is %s: only one that runs can be paused", i->name,
			instance_state_names[i->state]);
	if (i->copying)
		return err_set(
			err, EBUSY, "a snapshot of VM %s is being made: pause it then", i->name);
	shell_freeze(i->shell, true);
	instance_set_state(i, VM_PAUSED);
	instance_save(i);
	return 0;
}

int instance_resume(struct instance *i, struct err *err)
{
	if (i->state == VM_RUNNING)
		return 0;
	if (i->state != VM_PAUSED)
		return err_set(err, EBUSY, "VM %s is %s: only one that is paused can be resumed",
			i->name, instance_state_names[i->state]);
	if (i->copying)
		return err_set(
			err, EBUSY, "a snapshot of VM %s is being made: resume it then", i->name);
	shell_freeze(i->shell, false);
	instance_set_state(i, VM_RUNNING);
	instance_save(i);
	instance_tell_waiters(i);
	return 0;
}
