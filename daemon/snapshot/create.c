/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a snapshot is made. The instance stands for some milliseconds; its monitor writes the files while it goes on. That they reach the disk, and that they are whole, is seen to by a process of its
 * own ("uvmm --seal-snapshot"), because it may take seconds, and everything of the manager is one thread.
 *
 * What is asked of the instance meanwhile: to end is told to it when it goes on, to be paused or resumed is refused, to be killed it is, and
 * the snapshot with it.
 */
#include "daemon/snapshot/impl.h"

#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/spawn.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEAL_LOG       "log"
#define SEAL_LOG_BYTES 256

/* The instance goes on as it was wanted to: it hears now what it was asked meanwhile. */
static void let_go(struct snapshot *s)
{
	struct instance *inst = steal_ptr(&s->inst);

	if (!inst)
		return;
	inst->copying = false;
	if (inst->shell && inst->state == VM_STOPPING)
		shell_stop(inst->shell);
	else if (inst->shell && s->was_paused)
		shell_freeze(inst->shell, true);
}

static void fail(struct snapshot *s, const struct err *why)
{
	struct core *core = s->all->core;

	log_warn("a snapshot could not be made", "snapshot=%s vm=%s reason=\"%s\"", s->name,
		s->vm_name, why->msg);
	core->counters.snapshots_failed++;
	let_go(s);
	store_remove(s, true);
	events_snapshot(core->events, "failed", s->name, s->id, s->vm_name, why->msg);
	snapshot_tell(s, why);
	snapshot_free(s);
}

/* --- on the disk ------------------------------------------------------------------------------------------------- */
static void read_log(const struct snapshot *s, char text[SEAL_LOG_BYTES])
{
	_cleanup_free_ char *path = store_path(s->all, STORE_NEW, s->name, SEAL_LOG);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, text, SEAL_LOG_BYTES - 1);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void sealed(void *arg, int how, int status)
{
	struct snapshot *s = arg;
	char text[SEAL_LOG_BYTES];
	struct err err = {0};

	s->sealer = NULL;
	s->sealer_pid = 0;
	if (how != CLD_EXITED || status != 0) {
		read_log(s, text);
		err_set(&err, strstr(text, strerror(ENOSPC)) ? ENOSPC : EIO,
			"its files did not get to the disk: %s",
			text[0] ? text : "the process that sees to it was ended");
		fail(s, &err);
		return;
	}
	if (store_end(s, &err) < 0) {
		fail(s, &err);
		return;
	}
	s->state = SNAPSHOT_READY;
	s->verified = true;
	s->all->core->counters.snapshots_made++;
	log_info("snapshot made", "snapshot=%s vm=%s memory_mib=%u bytes=%llu paused_us=%lld",
		s->name, s->vm_name, s->memory_mib, (unsigned long long)s->bytes,
		(long long)s->paused_us);
	events_snapshot(s->all->core->events, "created", s->name, s->id, s->vm_name, NULL);
	snapshot_tell(s, NULL);
}

static int seal(struct snapshot *s, struct err *err)
{
	_cleanup_free_ char *state = store_path(s->all, STORE_NEW, s->name, "state");
	_cleanup_free_ char *memory = store_path(s->all, STORE_NEW, s->name, "memory");
	_cleanup_free_ char *log = store_path(s->all, STORE_NEW, s->name, SEAL_LOG);
	_cleanup_free_ char *pair = NULL;
	_cleanup_close_ int out = -1;
	const char *argv[] = {"uvmm", "--seal-snapshot", NULL, NULL};
	char *env[] = {NULL};
	int pid, r;

	if (!state || !memory || !log || asprintf(&pair, "%s:%s", state, memory) < 0)
		return err_sys(err, ENOMEM, "snapshot");
	out = open(log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, errno, "cannot make %s", log);
	argv[2] = pair;
	pid = spawn_process(&(struct spawn){.path = s->all->core->config.uvmm,
				    .argv = (char *const *)(uintptr_t)argv,
				    .envp = env,
				    .stdio = out,
				    .mortal = true,
				    .netns = -1},
		err);
	if (pid < 0)
		return pid;
	r = loop_child_add(s->all->core->loop, pid, sealed, s, &s->sealer);
	if (r < 0) {
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_sys(err, -r, "cannot watch the process");
	}
	s->sealer_pid = pid;
	return 0;
}

/* --- copied ------------------------------------------------------------------------------------------------------ */
static void copied(void *arg, struct shell *shell, const struct err *failed)
{
	struct snapshot *s = arg;
	struct err err = {0};

	s->paused_us = shell->stood_ns / 1000;
	if (failed) {
		fail(s, failed);
		return;
	}
	let_go(s);
	s->state = SNAPSHOT_SEALING;
	if (seal(s, &err) < 0)
		fail(s, &err);
}

void snapshots_hear_end(struct snapshots *ss, struct instance *inst)
{
	struct err err = {0};

	for (struct snapshot *s = ss ? ss->first : NULL; s && inst->copying; s = s->next) {
		if (s->inst != inst)
			continue;
		err_set(&err, EIO, "VM %s has ended while it was copied", inst->name);
		fail(s, &err);
		return;
	}
}

void create_abort(struct snapshot *s)
{
	let_go(s);
	if (s->sealer) {
		loop_child_del(steal_ptr(&s->sealer));
		kill(-s->sealer_pid, SIGKILL);
		waitpid(s->sealer_pid, NULL, 0);
	}
	if (s->state == SNAPSHOT_COPYING || s->state == SNAPSHOT_SEALING)
		store_remove(s, true);
}

/* --- the beginning ----------------------------------------------------------------------------------------------- */
/* Names what is in the way for good. */
static const char *obstacle(const struct instance *i)
{
	if (!i->spec.ops->copy)
		return "another monitor than uvmm";
	if (i->volumes && json_array_size(i->volumes))
		return "volumes, whose contents go on without it";
	if (i->vsock.wanted)
		return "vsock, whose other ends are programs of this machine";
	if (i->spec.kernel[0])
		return "another kernel";
	return i->trace ? "a trace" : NULL;
}

static int check(
	const struct snapshots *ss, const struct instance *i, const char *name, struct err *err)
{
	const char *what = obstacle(i);
	uint64_t limit = (uint64_t)ss->core->config.snapshot_limit_mib * MIB;

	if (snapshots_find(ss, name))
		return err_set(err, EEXIST,
			"a snapshot of the name %s is there already: remove it, or choose another",
			name);
	if (what)
		return err_set(err, EOPNOTSUPP, "VM %s can not be made a snapshot of: it has %s",
			i->name, what);
	if (i->state != VM_RUNNING && i->state != VM_PAUSED)
		return err_set(err, EBUSY, "VM %s is %s: only one that runs can be copied", i->name,
			instance_state_names[i->state]);
	if (i->copying || i->freeze)
		return err_set(err, EBUSY, "VM %s is being copied already", i->name);
	if (ss->count >= SNAPSHOTS_MAX)
		return err_set(
			err, EDQUOT, "there are %d snapshots already: remove one", SNAPSHOTS_MAX);
	if (limit && snapshots_bytes(ss) + i->spec.memory_mib * MIB > limit)
		return err_set(err, ENOSPC,
			"snapshots may have %u MiB of the disk (--snapshot-limit), and this one "
			"might take %u more: remove one",
			ss->core->config.snapshot_limit_mib, i->spec.memory_mib);
	return 0;
}

/* What a run from it needs to know. */
static int describe(struct snapshot *s, const struct instance *i, struct err *err)
{
	const struct host_id *own = host_id_own(s->all->core, err);
	int r;

	if (!own)
		return -err->code;
	id_new(s->id);
	s->host = *own;
	s->image = image_get(i->image);
	s->memory_mib = i->spec.memory_mib;
	snprintf(s->vm_id, sizeof(s->vm_id), "%s", i->id);
	snprintf(s->vm_name, sizeof(s->vm_name), "%s", i->name);
	s->command = strdup(i->cmdline);
	r = instance_copy_words(i->argv, &s->argv);
	r = r < 0 ? r : instance_copy_words(i->env, &s->env);
	return r < 0 || !s->command ? err_sys(err, ENOMEM, "snapshot") : 0;
}

static int begin(struct snapshot *s, struct instance *i, struct err *err)
{
	struct copy_spec spec = {.fd = {-1, -1}, .token = s->id, .stand = i->state == VM_PAUSED};
	int r = describe(s, i, err);

	r = r < 0 ? r : store_begin(s, spec.fd, err);
	if (r < 0)
		return r;
	s->inst = i;
	s->was_paused = spec.stand;
	i->copying = true;
	if (s->was_paused)
		shell_freeze(i->shell, false);
	r = i->shell->ops->copy(i->shell, &spec, copied, s, err);
	close(spec.fd[0]);
	close(spec.fd[1]);
	if (r == 0)
		return 0;
	let_go(s);
	store_remove(s, true);
	return r;
}

int snapshot_create(struct snapshots *ss, struct instance *i, const char *name,
	struct snapshot **out, struct err *err)
{
	struct snapshot *s;
	int r = check(ss, i, name, err);

	if (r < 0)
		return r;
	if (snapshot_new(ss, name, &s) < 0)
		return err_sys(err, ENOMEM, "snapshot");
	r = begin(s, i, err);
	if (r < 0) {
		snapshot_free(s);
		return r;
	}
	*out = s;
	events_snapshot(ss->core->events, "creating", s->name, s->id, s->vm_name, NULL);
	return 0;
}
