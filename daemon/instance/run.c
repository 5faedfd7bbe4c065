/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life cycle. All that an instance holds is given back in end(), whichever way it ended; the record stays. What
 * happens after the answer of a request (readiness, refill of the pool) is begun after it.
 */
#include "daemon/app/app.h"
#include "daemon/console.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/config.h"
#include "daemon/image/store.h"
#include "daemon/instance/impl.h"
#include "daemon/names.h"
#include "daemon/pool.h"
#include "daemon/snapshot/snapshot.h"
#include "daemon/template/template.h"
#include "daemon/instance/readiness.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_NOEXEC  126 /* as a shell has it */
#define EXIT_NOENT   127
#define EXIT_SIGNAL  128
#define POOL_RETRY_S 1
#define POOL_WAIT_NS (30 * NS_PER_S)

static const unsigned from[] = {
	[VM_CREATED] = 1u << VM_STOPPED | 1u << VM_FAILED | 1u << VM_CRASHED,
	[VM_STARTING] = 1u << VM_CREATED | 1u << VM_STARTING, /* boot_instead() */
	[VM_RUNNING] = 1u << VM_STARTING | 1u << VM_PAUSED,
	[VM_PAUSED] = 1u << VM_RUNNING,
	[VM_STOPPING] = 1u << VM_STARTING | 1u << VM_RUNNING | 1u << VM_PAUSED,
	[VM_STOPPED] = 1u << VM_CREATED | 1u << VM_RUNNING | 1u << VM_PAUSED | 1u << VM_STOPPING,
	[VM_FAILED] = 1u << VM_CREATED | 1u << VM_STARTING | 1u << VM_RUNNING | 1u << VM_PAUSED,
	[VM_CRASHED] = 1u << VM_RUNNING | 1u << VM_PAUSED,
};

const char *const instance_step_names[INSTANCE_STEPS] = {
	"made", "shell", "sent", "started", "ready"};

static void step(struct instance *i, enum instance_step step)
{
	i->step_ns[step] = loop_now_ns();
}

void instance_set_state(struct instance *i, enum instance_state to)
{
	assert(from[to] & 1u << i->state);
	log_debug("state", "id=%s from=%s to=%s", i->id, instance_state_names[i->state],
		instance_state_names[to]);
	i->state = to;
	i->ahead &= to == VM_RUNNING;
	events_vm(i->core->events, instance_state_names[to], i);
	apps_hear(i->core->apps, i);
	instance_watch_health(i);
}

static void hurry(struct instance *i, bool on)
{
	if (i->hurrying == on)
		return;
	i->hurrying = on;
	i->core->hurrying += on ? 1 : -1u;
	if (on || i->core->hurrying > 0)
		return;
	pools_calm(i->core->pools);
	templates_calm(i->core->templates);
}

/* --- the end --------------------------------------------------------------------------------------------------- */
static void give_back(struct instance *i)
{
	snapshots_hear_end(i->core->snapshots, i);
	pools_wait_cancel(i->pool_waiter);
	i->pool_waiter = NULL;
	if (i->pool_timer)
		loop_timer_cancel(i->pool_timer);
	readiness_free(i->readiness);
	i->readiness = NULL;
	loop_timer_free(i->kill_timer);
	i->kill_timer = NULL;
	instance_unpublish(i);
	if (i->shell)
		shell_discard(i->shell);
	i->shell = NULL;
}

void instance_end(struct instance *i, enum instance_state to, const char *reason)
{
	if (!i->reason[0])
		snprintf(i->reason, sizeof(i->reason), "%.255s", reason);
	clock_gettime(CLOCK_REALTIME, &i->ended);
	instance_set_state(i, to);
	i->ready = false;
	hurry(i, false);
	give_back(i);
	instance_consider_restart(i);
	instance_save(i);
	i->core->counters.ended++;
	i->core->counters.crashed += to == VM_CRASHED;
	i->core->counters.run_failures += to == VM_FAILED;
	log_info("ended", "id=%s name=%s state=%s exit_code=%d reason=\"%s\"", i->id, i->name,
		instance_state_names[to], i->has_exit_code ? i->exit_code : -1, i->reason);
	if (i->auto_remove)
		instance_remove_soon(
			i); /* its timer is older than those of the answers that follow */
	instance_tell_waiters(i);
}

/* What a guest gave as its status may be any number: a status has 8 bits (wait(2)). */
static void set_exit_code(struct instance *i, int code)
{
	i->has_exit_code = true;
	i->exit_code = code & 0xff;
}

static void set_noexec(struct instance *i, const struct shell_exit *e)
{
	set_exit_code(i, e->code == ENOENT ? EXIT_NOENT : EXIT_NOEXEC);
}

static enum instance_state end_state(struct instance *i, const struct shell_exit *e)
{
	if (i->state == VM_CREATED || i->state == VM_STARTING)
		return VM_FAILED;
	switch (e->end) {
	case SHELL_END_EXIT:
		set_exit_code(i, e->code);
		return VM_STOPPED;
	case SHELL_END_SIGNAL:
		set_exit_code(i, EXIT_SIGNAL | e->code);
		return i->state == VM_STOPPING ? VM_STOPPED : VM_CRASHED;
	case SHELL_END_NOEXEC:
		set_noexec(i, e);
		return i->state == VM_STOPPING ? VM_STOPPED : VM_FAILED;
	case SHELL_END_CRASH:
		if (i->state == VM_STOPPING)
			set_exit_code(i, EXIT_SIGNAL + SIGKILL);
		return i->state == VM_STOPPING ? VM_STOPPED : VM_CRASHED;
	}
	return VM_CRASHED;
}

static void shell_ended(void *arg, struct shell *shell)
{
	struct instance *i = arg;
	struct shell_exit e = shell->exit;

	i->shell = NULL;
	json_decref(i->missing_calls);
	i->missing_calls = steal_ptr(&shell->missing_calls);
	shell_free(shell);
	if (e.end == SHELL_END_CRASH)
		instance_tell_gone(i);
	instance_end(i, end_state(i, &e), e.reason);
}

/* --- ready ----------------------------------------------------------------------------------------------------- */
static void is_ready(void *arg)
{
	struct instance *i = arg;

	readiness_free(i->readiness);
	i->readiness = NULL;
	i->ready = true;
	i->ahead = false;
	i->ready_ns = i->step_ns[STEP_READY] = loop_now_ns();
	instance_save_soon(i);
	events_vm(i->core->events, "ready", i);
	apps_hear(i->core->apps, i);
	hurry(i, false);
	templates_hear(i->core->templates, i);
	instance_tell_waiters(i);
}

static void probe_port(struct instance *i)
{
	unsigned port = image_config_ready_port(i->image->config);
	int r;

	if (i->readiness || i->ready)
		return;
	r = readiness_new(
		i->core->loop, i->core->network, i->ip, (uint16_t)port, is_ready, i, &i->readiness);
	if (r < 0)
		log_warn("cannot probe readiness", "id=%s error=%d", i->id, -r);
}

/* The port is the one that is waited for: nobody has to try it. A template was ready when it was frozen, a user's snapshot perhaps not. */
static void shell_listening_(void *arg, struct shell *shell)
{
	struct instance *i = arg;
	bool known = shell->listen_port
		? shell->listen_port == image_config_ready_port(i->image->config)
		: shell->listens && i->cloned && !i->from[0];

	json_decref(i->steps);
	i->steps = json_incref(shell->trace);
	i->steps_ns = shell->trace_ns;
	if (known && !i->ready && !i->readiness)
		is_ready(i);
	else
		probe_port(i);
}

void instance_watch_readiness(struct instance *i)
{
	if (!image_config_ready_port(i->image->config)) {
		is_ready(i);
		return;
	}
	if (i->shell->ops->watch_listen && i->shell->ops->watch_listen(i->shell) == 0)
		return; /* shell_listening_() goes on */
	probe_port(i);
}

/* --- the start ------------------------------------------------------------------------------------------------- */
static void note_start(struct instance *i)
{
	struct counters *c = &i->core->counters;
	static const int64_t bucket_ns[] = {NS_PER_MS, 2 * NS_PER_MS, 5 * NS_PER_MS, 10 * NS_PER_MS,
		50 * NS_PER_MS, 200 * NS_PER_MS, NS_PER_S};
	int64_t took;
	size_t b = 0;

	clock_gettime(CLOCK_REALTIME, &i->started);
	i->start_ns = i->step_ns[STEP_STARTED] = loop_now_ns();
	took = i->start_ns - i->request_ns;
	while (b < ARRAY_SIZE(bucket_ns) && took > bucket_ns[b])
		b++;
	c->start_bucket[b]++;
	c->start_count++;
	c->start_ns_sum += (uint64_t)took;
}

/* A clone that could not be started: the same again, by another shell and another address, from the beginning. */
static bool boot_instead(struct instance *i, const char *why)
{
	struct err err = {0};
	unsigned retry_s;

	log_warn("a clone could not be started, it boots instead", "id=%s reason=\"%s\"", i->id,
		why);
	templates_blame(i->core->templates, i, why);
	instance_unpublish(i);
	shell_discard(steal_ptr(&i->shell));
	i->cloned = i->from_pool = false;
	i->no_clone = true;
	if (i->ahead)
		instance_save(i); /* its row said that it runs */
	if (instance_launch(i, &retry_s, &err) < 0)
		instance_end(i, VM_FAILED, err.msg);
	else
		i->no_clone = false;
	return true;
}

static void shell_started_(void *arg, struct shell *shell, const struct err *failed)
{
	struct instance *i = arg;

	(void)shell;
	if (failed && i->cloned && i->state == VM_STARTING && boot_instead(i, failed->msg))
		return;
	if (failed) {
		instance_end(i, i->state == VM_STOPPING ? VM_STOPPED : VM_FAILED, failed->msg);
		return;
	}
	note_start(i);
	if (i->state == VM_STOPPING) { /* asked for while it started */
		shell_stop(i->shell);
		return;
	}
	instance_set_state(i, VM_RUNNING);
	instance_save_soon(i); /* with the answer, if somebody waits for one */
	instance_tell_waiters(i);
	instance_watch_ttl(i);
	instance_watch_readiness(i);
}

/* For a program of the host; *work is its own. */
static int make_folders(const struct instance *i, char **work, struct err *err)
{
	if (asprintf(work, "%s/work", i->dir) < 0) {
		*work = NULL;
		return err_sys(err, ENOMEM, "VM");
	}
	if ((mkdir(i->dir, CONSOLE_FOLDER_MODE) < 0 && errno != EEXIST) ||
		(mkdir(*work, 0700) < 0 && errno != EEXIST))
		return err_sys(err, errno, "cannot make %s", *work);
	return 0;
}

/* Of a shell that is ready. */
static void begin(struct instance *i)
{
	const json_t *config = i->image->config;
	_cleanup_free_ char *work = NULL;
	struct start_spec spec = {.image = image_path(i->image),
		.hostname = i->name,
		.argv = i->argv,
		.env = i->env,
		.volumes = i->volumes,
		.vsock_cid = i->vsock.wanted ? i->vsock.cid : 0,
		.trace = i->trace,
		.freeze = i->freeze,
		.program = image_config_process(config, "program"),
		.root = image_config_process(config, "root")};
	struct err err = {0};
	char search[DNS_NAME_BYTES];
	int r = console_set_file(i->shell->console, i->log);

	names_search(i, search, sizeof(search));
	if (i->core->names)
		spec.search = search;
	instance_set_state(i, VM_STARTING);
	instance_save_soon(i); /* behind the answer of the monitor, which works meanwhile */
	hurry(i, true);
	if (r < 0)
		err_sys(&err, -r, "VM");
	else if (i->spec.ops == &monitor_process)
		r = make_folders(i, &work, &err);
	spec.work = work;
	if (r == 0)
		r = shell_limit(i->shell, &i->limits, &err);
	step(i, STEP_SENT); /* some monitors start it before shell_start() returns */
	if (r == 0)
		r = shell_start(i->shell, &spec, &err);
	if (r == 0 && i->shell->loaded && i->state == VM_STARTING)
		instance_save_ahead(i);
	if (r < 0 && i->shell->exit.end == SHELL_END_NOEXEC)
		set_noexec(i, &i->shell->exit);
	if (r < 0)
		instance_end(i, VM_FAILED, err.msg);
}

/* --- from a snapshot ------------------------------------------------------------------------------------------- */
static void is_loaded(void *arg, struct shell *shell, const struct err *failed)
{
	struct instance *i = arg;
	char why[sizeof(i->reason)];

	(void)shell;
	if (failed) {
		snprintf(why, sizeof(why), "snapshot %s could not be loaded: %.150s", i->from,
			failed->msg);
		instance_end(i, VM_FAILED, why);
		return;
	}
	snapshots_loaded(i->core->snapshots, i);
	begin(i);
}

/* Makes the shell what the snapshot is; a shell for which that fails is of no more use to anybody. */
static void load(struct instance *i)
{
	struct frozen frozen;
	struct err err = {0};

	if (snapshots_load_from(i->core->snapshots, i, &frozen, &err) < 0) {
		i->wanted_down = true; /* no policy makes that better */
		instance_end(i, VM_FAILED, err.msg);
	} else if (i->shell->ops->load(i->shell, &frozen, is_loaded, i, &err) < 0) {
		instance_end(i, VM_FAILED, err.msg);
	}
}

static void prepared(struct instance *i)
{
	if (i->from[0])
		load(i);
	else
		begin(i);
}

static void shell_ready_(void *arg, struct shell *shell)
{
	struct instance *i = arg;

	(void)shell;
	if (i->state == VM_STOPPING) /* asked for between a clone and what boots instead */
		shell_kill(i->shell);
	else
		prepared(i);
}

const struct shell_owner instance_owner = {
	.ready = shell_ready_,
	.started = shell_started_,
	.listening = shell_listening_,
	.ended = shell_ended,
};

static void got_shell(struct instance *i)
{
	i->spec.memory_mib = i->shell->spec.memory_mib;
	i->ip = i->shell->lease.ip;
	memcpy(i->mac, i->shell->lease.mac, sizeof(i->mac));
}

static int go(struct instance *i, struct err *err)
{
	int r;

	got_shell(i);
	r = instance_isolate(i, err);
	r = r < 0 ? r : instance_publish(i, err);
	if (r < 0)
		return r;
	step(i, STEP_SHELL);
	i->core->counters.runs++;
	if (i->shell->state == SHELL_READY)
		(i->shell->loaded ? begin : prepared)(
			i); /* may end it at once: the record is there all the same */
	return 0;
}

static void take_shell(struct instance *i, struct shell *shell)
{
	i->shell = shell;
	i->from_pool = true;
	shell_set_owner(shell, &instance_owner, i);
}

/* --- waiting for a prepared shell ------------------------------------------------------------------------------- */
static void shell_came(void *arg, struct shell *shell)
{
	struct instance *i = arg;
	struct err err = {0};

	i->pool_waiter = NULL;
	loop_timer_cancel(i->pool_timer);
	if (!shell) {
		instance_end(i, VM_FAILED, "the pool's profile is gone");
		return;
	}
	take_shell(i, shell);
	if (go(i, &err) < 0)
		instance_end(i, VM_FAILED, err.msg);
}

static void no_shell_came(void *arg)
{
	struct instance *i = arg;

	instance_end(i, VM_FAILED, "no prepared VM was free in time");
}

static int wait_for_shell(struct instance *i, struct err *err)
{
	if (!i->pool_timer && loop_timer_new(i->core->loop, no_shell_came, i, &i->pool_timer) < 0)
		return err_sys(err, ENOMEM, "VM");
	i->pool_waiter = pools_wait(i->core->pools, &i->spec, shell_came, i);
	if (!i->pool_waiter)
		return err_set(err, EAGAIN, "the pool is empty, and too many wait for it already");
	loop_timer_set(i->pool_timer, POOL_WAIT_NS);
	return 0;
}

int instance_launch(struct instance *i, unsigned *retry_s, struct err *err)
{
	struct shell *shell = i->no_clone || i->freeze || i->from[0] || i->spec.kernel[0]
		? NULL
		: templates_take(i->core->templates, i);
	int r;

	*retry_s = POOL_RETRY_S;
	if (shell) {
		i->cloned = true;
		take_shell(i, shell);
		return go(i, err);
	}
	i->cloned = false; /* one that is started again */
	r = i->no_clone ? 0 : pools_take(i->core->pools, &i->spec, &shell);
	if (r == -EBUSY)
		return err_set(err, EAGAIN,
			"the pool is empty, and set to reject then: ask again, or raise its target "
			"(GET /pool)");
	if (r == -EINPROGRESS)
		return wait_for_shell(i, err);
	if (r > 0) {
		take_shell(i, shell);
	} else {
		r = shell_new(i->core, &i->spec, &instance_owner, i, &i->shell, retry_s, err);
		if (r < 0)
			return r;
	}
	return go(i, err);
}

int instance_run(struct instances *is, const struct run_spec *spec, struct instance **out,
	unsigned *retry_s, struct err *err)
{
	struct instance *i;
	int r = instance_new(is, spec, &i, err);

	if (r < 0)
		return r;
	step(i, STEP_MADE);
	r = instance_launch(i, retry_s, err);
	if (r == 0) {
		*out = i;
		return 0;
	}
	events_vm(is->core->events, "removed", i);
	instance_free(i);
	return r;
}

/* --- stop ------------------------------------------------------------------------------------------------------ */
static void kill_now(void *arg)
{
	struct instance *i = arg;

	snprintf(i->reason, sizeof(i->reason), "killed, since it did not end in the time given");
	shell_kill(i->shell);
}

void instance_stop(struct instance *i, int64_t timeout_ns)
{
	bool runs = i->state == VM_RUNNING || i->state == VM_PAUSED;

	instance_no_restart(i);
	if (instance_has_ended(i))
		return;
	if (i->state == VM_CREATED) {
		instance_end(i, VM_STOPPED, "stopped before it ran");
		return;
	}
	if (!i->kill_timer && loop_timer_new(i->core->loop, kill_now, i, &i->kill_timer) < 0) {
		instance_kill(i);
		return;
	}
	loop_timer_set(i->kill_timer, timeout_ns);
	if (i->state == VM_STOPPING)
		return;
	if (i->state == VM_PAUSED)
		shell_freeze(i->shell, false);
	instance_set_state(i, VM_STOPPING);
	instance_save(i);
	if (runs && !i->copying) /* else it hears of it when it goes on */
		shell_stop(i->shell);
}

void instance_kill(struct instance *i)
{
	instance_no_restart(i);
	if (instance_has_ended(i))
		return;
	if (i->state == VM_CREATED) {
		instance_end(i, VM_STOPPED, "killed before it ran");
		return;
	}
	if (i->state != VM_STOPPING)
		instance_set_state(i, VM_STOPPING);
	instance_save(i);
	snprintf(i->reason, sizeof(i->reason), "killed");
	shell_kill(i->shell);
}

void instances_stop_all(struct instances *is, int64_t timeout_ns)
{
	for (struct instance *i = is->first; i; i = i->next)
		instance_stop(i, timeout_ns);
}
