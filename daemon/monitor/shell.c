/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Teardown: a shell's process is killed first and waited for through its pidfd; only then are run folder and lease
 * given back, since the tap lives as long as the process. The console is drained before the owner hears of the end.
 */
#include "daemon/monitor/monitor.h"

#include "daemon/cgroup.h"
#include "daemon/console.h"
#include "daemon/core.h"
#include "daemon/oom.h"
#include "daemon/reap.h"
#include "daemon/spawn.h"
#include "daemon/trash.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CONSOLE_FIFO "console" /* in the shell's folder */

static void set_state(struct shell *s, enum shell_state to)
{
	static const unsigned from[] = {
		[SHELL_PREPARING] = 0,
		[SHELL_READY] = 1u << SHELL_PREPARING,
		[SHELL_STARTING] = 1u << SHELL_READY,
		[SHELL_RUNNING] = 1u << SHELL_STARTING,
		[SHELL_ENDED] = 1u << SHELL_PREPARING | 1u << SHELL_READY | 1u << SHELL_STARTING |
			1u << SHELL_RUNNING,
	};

	assert(from[to] & 1u << s->state);
	s->state = to;
}

static void list_add(struct shell *s)
{
	s->next = s->core->shells;
	if (s->next)
		s->next->prev = s;
	s->core->shells = s;
	s->core->shell_count++;
}

static void list_del(struct shell *s)
{
	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		s->core->shells = s->next;
	s->core->shell_count--;
}

void shell_free(struct shell *s)
{
	assert(s->pid == 0);
	loop_timer_free(s->ended_timer);
	if (s->priv)
		s->ops->release(s);
	console_free(s->console);
	if (s->console_fd >= 0)
		close(s->console_fd);
	if (s->cgroup_procs >= 0)
		close(s->cgroup_procs);
	if (s->lease.name[0])
		cgroup_remove(s->core->cgroups, s->lease.name);
	if (s->dir)
		trash_folder(s->core->trash, s->dir);
	network_release(s->core->network, &s->lease);
	list_del(s);
	json_decref(s->missing_calls);
	json_decref(s->trace);
	free(s->dir);
	free(s);
}

static int set_dir(struct shell *s, struct err *err)
{
	if (asprintf(&s->dir, "%s/vm/%s", s->core->config.run_dir, s->lease.name) >= 0)
		return 0;
	s->dir = NULL;
	return err_sys(err, ENOMEM, "VM");
}

/* The name is this shell's alone: what an earlier one left under it could not be removed then. 0 or -errno. */
static int make_anew(const char *dir)
{
	int r = reap_process(dir);

	r = r < 0 ? r : reap_tree(dir);
	return r == 0 && mkdir(dir, 0700) < 0 ? -errno : r;
}

static int make_dir(struct shell *s, struct err *err)
{
	int r = set_dir(s, err);

	if (r < 0)
		return r;
	r = mkdir(s->dir, 0700) < 0 ? -errno : 0;
	r = r == -EEXIST ? make_anew(s->dir) : r;
	if (r == 0)
		return 0;
	r = err_sys(err, -r, "cannot make %s", s->dir);
	free(steal_ptr(&s->dir)); /* not ours */
	return r;
}

static int make_console(struct shell *s, struct err *err)
{
	_cleanup_free_ char *fifo = shell_path(s, CONSOLE_FIFO);
	int r = fifo ? console_new(s->core->loop, fifo, &s->console, &s->console_fd) : -ENOMEM;

	return r < 0 ? err_sys(err, -r, "cannot make a console") : 0;
}

int shell_new(struct core *core, const struct shell_spec *spec, const struct shell_owner *owner,
	void *arg, struct shell **out, unsigned *retry_s, struct err *err)
{
	struct shell *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_sys(err, ENOMEM, "VM");
	*s = (struct shell){.core = core,
		.ops = spec->ops,
		.spec = *spec,
		.console_fd = -1,
		.cgroup_procs = -1};
	list_add(s);
	r = network_lease(core->network, spec->ip, spec->mac, &s->lease, retry_s, err);
	if (r < 0)
		goto out_free;
	r = make_dir(s, err);
	if (r < 0)
		goto out_free;
	r = make_console(s, err);
	if (r < 0)
		goto out_free;
	r = cgroup_make(core->cgroups, s->lease.name, spec->memory_mib + s->ops->overhead_mib,
		&s->cgroup_procs, err);
	if (r < 0)
		goto out_free;
	r = s->ops->prepare(s, err);
	if (r < 0)
		goto out_free;
	*out = s;
	shell_set_owner(s, owner, arg);
	return 0;
out_free:
	shell_discard(s);
	return r;
}

void shell_set_owner(struct shell *s, const struct shell_owner *owner, void *arg)
{
	s->owner = owner;
	s->owner_arg = arg;
}

int shell_limit(struct shell *s, const struct limits *limits, struct err *err)
{
	return cgroup_limit(s->core->cgroups, s->lease.name, limits, err);
}

int shell_start(struct shell *s, const struct start_spec *spec, struct err *err)
{
	set_state(s, SHELL_STARTING);
	return s->ops->start(s, spec, err);
}

void shell_stop(struct shell *s)
{
	if (s->pid)
		s->ops->stop(s);
}

/* An adopted process is reaped by somebody else, and its number may be another's before we hear of its end: the pidfd says
 * whether it is there still. */
static bool is_there(const struct shell *s)
{
	return s->pid &&
		syscall(SYS_pidfd_send_signal, loop_child_pidfd(s->child), 0, NULL, 0) == 0;
}

void shell_signal(struct shell *s, int signo)
{
	if (s->pid)
		syscall(SYS_pidfd_send_signal, loop_child_pidfd(s->child), signo, NULL, 0);
}

/* With all that is in the session which the process leads. */
void shell_kill(struct shell *s)
{
	if (!is_there(s))
		return;
	s->killed = true;
	kill(-s->pid, SIGKILL);
}

/* By signal: the vCPU is a thread of the process, and so are its devices. */
void shell_freeze(struct shell *s, bool on)
{
	if (is_there(s))
		kill(-s->pid, on ? SIGSTOP : SIGCONT);
}

void shell_discard(struct shell *s)
{
	s->done = NULL;
	s->owner = NULL;
	if (s->console)
		console_make_no_folder(s->console);
	if (s->pid)
		shell_kill(s); /* process_ended() goes on */
	else
		shell_free(s);
}

static void process_ended(void *arg, int how, int status)
{
	struct shell *s = arg;

	if (s->pid)
		kill(-s->pid, SIGKILL); /* what a host program left behind in its session */
	s->child = NULL;
	s->pid = 0;
	console_finish(s->console);
	s->ops->ended(s, how, status);
	set_state(s, SHELL_ENDED);
	if (s->owner)
		s->owner->ended(s->owner_arg, s);
	else
		shell_free(s);
}

int shell_spawn(struct shell *s, struct spawn *spawn, struct err *err)
{
	_cleanup_free_ char *record = shell_path(s, REAP_RECORD);
	pid_t pid;
	int r;

	if (!record)
		return err_sys(err, ENOMEM, "VM");
	spawn->stdio = s->console_fd;
	spawn->record = record;
	spawn->cgroup = s->cgroup_procs > 0 ? s->cgroup_procs : 0;
	pid = spawn_process(spawn, err);
	if (pid < 0)
		return pid;
	r = loop_child_add(s->core->loop, pid, process_ended, s, &s->child);
	if (r < 0) {
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_sys(err, -r, "cannot watch the process");
	}
	s->pid = pid;
	close(s->console_fd);
	s->console_fd = -1;
	if (s->cgroup_procs >= 0)
		close(s->cgroup_procs);
	s->cgroup_procs = -1;
	return 0;
}

/* --- a shell of an earlier manager ----------------------------------------------------------------------------- */
static void ended_before(void *arg)
{
	process_ended(arg, LOOP_NOT_CHILD, 0);
}

/* Between the record's check and the watch the process may end, and its number go to another one: so it is checked again
 * when the watch holds it. */
static int watch_adopted(struct shell *s, const char *record, struct err *err)
{
	pid_t pid, again;
	int r = spawn_record_read(record, &pid);

	if (r == 0)
		r = loop_child_add(s->core->loop, pid, process_ended, s, &s->child);
	if (r == 0) {
		r = spawn_record_read(record, &again);
		if (r < 0)
			loop_child_del(steal_ptr(&s->child));
	}
	if (r == 0) {
		s->pid = pid;
		return 0;
	}
	if (r != -ESRCH)
		return err_sys(err, -r, "its process is not known");
	r = loop_timer_new(s->core->loop, ended_before, s, &s->ended_timer);
	if (r < 0)
		return err_sys(err, -r, "VM");
	loop_timer_set(s->ended_timer, 0);
	return 0;
}

int shell_adopt(struct core *core, const struct shell_spec *spec, const char *log,
	const struct shell_owner *owner, void *arg, struct shell **out, struct err *err)
{
	_cleanup_free_ char *record = NULL, *fifo = NULL;
	struct shell *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_sys(err, ENOMEM, "VM");
	*s = (struct shell){.core = core,
		.ops = spec->ops,
		.state = SHELL_RUNNING,
		.spec = *spec,
		.console_fd = -1,
		.cgroup_procs = -1};
	list_add(s);
	r = network_lease(core->network, spec->ip, spec->mac, &s->lease, NULL, err);
	if (r == 0)
		r = set_dir(s, err);
	if (r < 0)
		goto out_free;
	lease_adopt(core->network, &s->lease);
	record = shell_path(s, REAP_RECORD);
	fifo = shell_path(s, CONSOLE_FIFO);
	if (!record || !fifo) {
		r = err_sys(err, ENOMEM, "VM");
		goto out_free;
	}
	r = console_adopt(core->loop, fifo, log, &s->console);
	if (r < 0) {
		if (r == -ENOENT)
			err_set(err, ENOENT,
				"its monitor is gone, and %s with it: the machine was started anew "
				"meanwhile",
				s->dir);
		else
			err_sys(err, -r, "cannot take up its console");
		goto out_free;
	}
	r = s->ops->adopt(s, err);
	if (r == 0)
		r = watch_adopted(s, record, err);
	if (r < 0)
		goto out_free;
	shell_set_owner(s, owner, arg);
	*out = s;
	return 0;
out_free:
	if (s->dir && reap_process(s->dir) < 0)
		free(steal_ptr(&s->dir)); /* it stays, for the next manager */
	shell_discard(s);
	return r;
}

const char *shell_last_line(const struct shell *s)
{
	return console_last_line(s->console);
}

void shell_prepared(struct shell *s)
{
	set_state(s, SHELL_READY);
	if (s->owner)
		s->owner->ready(s->owner_arg, s);
}

void shell_started(struct shell *s, const struct err *failed)
{
	if (!failed)
		set_state(s, SHELL_RUNNING);
	if (s->owner)
		s->owner->started(s->owner_arg, s, failed);
}

void shell_listening(struct shell *s)
{
	if (s->owner && s->owner->listening)
		s->owner->listening(s->owner_arg, s);
}

void shell_done(struct shell *s, const struct err *failed)
{
	shell_done_fn *done = steal_ptr(&s->done);

	if (done)
		done(s->done_arg, s, failed);
}

char *shell_path(const struct shell *s, const char *file)
{
	char *path;

	return asprintf(&path, "%s/%s", s->dir, file) < 0 ? NULL : path;
}

/* What may be said of an end that nobody here asked for; "". */
static const char *for_memory(const struct shell *s, int how, int status)
{
	const struct core *core = s->core;

	if (s->killed || !(how == LOOP_NOT_CHILD || (how == CLD_KILLED && status == SIGKILL)))
		return "";
	if (cgroup_oom_killed(core->cgroups, s->lease.name))
		return "; the kernel has ended it for lack of memory";
	if (oom_kills(AT_FDCWD, OOM_HOST_FILE) > core->oom_kills)
		return "; the kernel has ended processes for lack of memory since this manager "
		       "began";
	return "";
}

void shell_exit_from_process(struct shell *s, const char *who, int how, int status)
{
	const char *memory = for_memory(s, how, status);
	struct shell_exit *e = &s->exit;

	e->code = status;
	if (how == LOOP_NOT_CHILD) {
		e->end = SHELL_END_CRASH;
		snprintf(e->reason, sizeof(e->reason),
			"%s ended; an earlier manager started it, so how is not known%s", who,
			memory);
	} else if (how == CLD_EXITED) {
		e->end = SHELL_END_EXIT;
		snprintf(e->reason, sizeof(e->reason), "%s ended with status %d", who, status);
	} else {
		e->end = SHELL_END_SIGNAL;
		snprintf(e->reason, sizeof(e->reason), "%s was ended by signal %d (%s)%s", who,
			status, strsignal(status), memory);
	}
}
