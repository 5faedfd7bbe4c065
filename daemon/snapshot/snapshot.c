/* SPDX-License-Identifier: Apache-2.0 */
/* The table of snapshots, and what a run takes from one. */
#include "daemon/snapshot/impl.h"

#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const snapshot_state_names[] = {"copying", "sealing", "ready", "unusable", NULL};

struct snapshot_waiter {
	struct snapshot *snapshot; /* NULL: it is over, and this is on the list `told` */
	struct loop_timer *timer;
	struct err err;
	bool ready;
	char name[NAME_MAX_BYTES + 1];
	struct snapshots *all;
	snapshot_wait_fn *fn;
	void *arg;
	struct snapshot_waiter *next;
};

int snapshot_new(struct snapshots *ss, const char *name, struct snapshot **out)
{
	struct snapshot *s = calloc(1, sizeof(*s)), **p = &ss->first;

	if (!s)
		return -ENOMEM;
	s->all = ss;
	s->paused_us = -1;
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->state_path = store_path(ss, "", name, "state");
	s->memory_path = store_path(ss, "", name, "memory");
	s->workset_path = store_path(ss, "", name, "workset");
	while (*p && strcmp((*p)->name, name) < 0)
		p = &(*p)->next;
	s->next = *p;
	*p = s;
	ss->count++;
	*out = s;
	if (s->state_path && s->memory_path && s->workset_path)
		return 0;
	snapshot_free(s);
	return -ENOMEM;
}

void snapshot_free(struct snapshot *s)
{
	struct snapshot **p = &s->all->first;

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	s->all->count--;
	snapshot_tell(s, &(struct err){.code = ENOENT, .msg = "it has been removed"});
	image_put(s->image);
	instance_free_words(s->argv);
	instance_free_words(s->env);
	free(s->command);
	free(s->state_path);
	free(s->memory_path);
	free(s->workset_path);
	free(s);
}

/* --- what is there ----------------------------------------------------------------------------------------------- */
struct snapshot *snapshots_first(const struct snapshots *ss)
{
	return ss->first;
}

struct snapshot *snapshot_next(const struct snapshot *s)
{
	return s->next;
}

struct snapshot *snapshots_find(const struct snapshots *ss, const char *name)
{
	struct snapshot *s = ss->first;

	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

static struct snapshot *find_id(const struct snapshots *ss, const char *id)
{
	struct snapshot *s = ss->first;

	while (s && strcmp(s->id, id) != 0)
		s = s->next;
	return s;
}

uint64_t snapshots_bytes(const struct snapshots *ss)
{
	uint64_t bytes = 0;

	for (const struct snapshot *s = ss->first; s; s = s->next)
		bytes += s->bytes;
	return bytes;
}

void snapshot_info(const struct snapshot *s, struct snapshot_info *info)
{
	*info = (struct snapshot_info){.name = s->name,
		.id = s->id,
		.state = s->state,
		.reason = s->reason,
		.digest = s->digest,
		.vm_id = s->vm_id,
		.vm_name = s->vm_name,
		.image = s->image ? s->image->name : "",
		.image_digest = s->image ? image_digest(s->image) : "",
		.command = s->command ? s->command : "",
		.memory_mib = s->memory_mib,
		.bytes = s->bytes,
		.paused_us = s->paused_us,
		.created = s->created};
}

/* --- those of the folder ----------------------------------------------------------------------------------------- */
static void unusable(struct snapshot *s, const char *why)
{
	s->state = SNAPSHOT_UNUSABLE;
	snprintf(s->reason, sizeof(s->reason), "%.255s", why);
	log_warn("a snapshot can not be used", "snapshot=%s reason=\"%s\"", s->name, why);
}

static void load_one(struct snapshots *ss, const char *name, bool half, const char *vm_id)
{
	struct snapshot *s;
	struct err err = {0};

	(void)vm_id;
	if (half || snapshot_new(ss, name, &s) < 0)
		return;
	if (store_load(s, &err) < 0)
		unusable(s, err.msg);
	else if (!s->image || !image_path(s->image))
		unusable(s, "its image's file is gone");
	else
		s->state = SNAPSHOT_READY;
}

int snapshots_new(struct core *core, struct snapshots **out, struct err *err)
{
	struct snapshots *ss = calloc(1, sizeof(*ss));

	if (!ss || asprintf(&ss->dir, "%s/snapshot", core->config.state_dir) < 0) {
		free(ss);
		return err_sys(err, ENOMEM, "snapshots");
	}
	ss->core = core;
	*out = ss;
	if (mkdir(ss->dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", ss->dir);
	store_each(ss, load_one);
	return 0;
}

/* It stands still since a manager was killed that was copying it. */
static void remove_half(struct snapshots *ss, const char *name, bool half, const char *vm_id)
{
	struct snapshot s = {.all = ss};
	struct instance *inst;

	if (!half)
		return;
	if (instances_find(ss->core->instances, vm_id, &inst) == 0 && inst->shell &&
		strcmp(inst->id, vm_id) == 0 && inst->shell->ops->go_on)
		inst->shell->ops->go_on(inst->shell);
	log_info("a snapshot that was being made is removed", "snapshot=%s vm=%s", name, vm_id);
	snprintf(s.name, sizeof(s.name), "%s", name);
	store_remove(&s, true);
}

void snapshots_adopt(struct snapshots *ss)
{
	const struct host_id *own = NULL;
	struct err err = {0};

	store_each(ss, remove_half);
	if (ss->first && ss->core->monitor == &monitor_uvmm)
		own = host_id_own(ss->core, &err);
	for (struct snapshot *s = ss->first; s; s = s->next) {
		const char *what = own ? host_id_differs(&s->host, own) : NULL;
		char why[sizeof(s->reason)];

		if (s->state != SNAPSHOT_READY)
			continue;
		snprintf(why, sizeof(why), "it was made with %s", what ? what : "");
		if (!own)
			unusable(s, "this manager's monitor is another one than uvmm");
		else if (what)
			unusable(s, why);
	}
}

void snapshots_free(struct snapshots *ss)
{
	if (!ss)
		return;
	while (ss->first) {
		create_abort(ss->first);
		snapshot_free(ss->first);
	}
	while (ss->told) /* the loop has ended: nobody is called any more */
		snapshot_wait_cancel(ss->told);
	rmdir(ss->dir); /* when it is empty */
	free(ss->dir);
	free(ss);
}

int snapshot_remove(struct snapshot *s, struct err *err)
{
	if (s->state == SNAPSHOT_COPYING || s->state == SNAPSHOT_SEALING)
		return err_set(
			err, EBUSY, "snapshot %s is being made: wait until it is ready", s->name);
	log_info("snapshot removed", "snapshot=%s", s->name);
	store_remove(s, false);
	events_snapshot(s->all->core->events, "removed", s->name, s->id, s->vm_name, NULL);
	snapshot_free(s);
	return 0;
}

/* --- for instances ----------------------------------------------------------------------------------------------- */
int snapshots_get(
	const struct snapshots *ss, const char *name, const struct snapshot **out, struct err *err)
{
	const struct snapshot *s = snapshots_find(ss, name);

	if (!s)
		return err_set(err, ENOENT,
			"there is no snapshot \"%.63s\" (GET /snapshot lists them)", name);
	if (s->state == SNAPSHOT_UNUSABLE)
		return err_set(err, ESTALE, "snapshot %s can not be used: %s", s->name, s->reason);
	if (s->state != SNAPSHOT_READY)
		return err_set(
			err, EBUSY, "snapshot %s is being made: wait until it is ready", s->name);
	*out = s;
	return 0;
}

struct image *snapshot_image(const struct snapshot *s)
{
	return s->image;
}

char *const *snapshot_argv(const struct snapshot *s)
{
	return s->argv;
}

char *const *snapshot_env(const struct snapshot *s)
{
	return s->env;
}

unsigned snapshot_memory_mib(const struct snapshot *s)
{
	return s->memory_mib;
}

const char *snapshot_name(const struct snapshot *s)
{
	return s->name;
}

const char *snapshot_id(const struct snapshot *s)
{
	return s->id;
}

int snapshots_load_from(
	struct snapshots *ss, const struct instance *i, struct frozen *from, struct err *err)
{
	const struct snapshot *s = find_id(ss, i->from_id), *same;
	int r;

	if (!s)
		return err_set(err, ENOENT, "its snapshot %s has been removed", i->from);
	r = snapshots_get(ss, s->name, &same, err);
	if (r == 0 && !s->verified)
		r = store_check(s, err);
	if (r < 0)
		return r;
	*from = (struct frozen){.state = s->state_path,
		.memory = s->memory_path,
		.image = image_path(i->image),
		.working_set = s->workset_path,
		.verify = !s->verified};
	return 0;
}

void snapshots_loaded(struct snapshots *ss, const struct instance *i)
{
	struct snapshot *s = find_id(ss, i->from_id);

	ss->core->counters.snapshot_runs++;
	if (s)
		s->verified = true;
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */
static void waited(void *arg)
{
	struct snapshot_waiter *w = arg;
	struct snapshot *s = w->ready ? snapshots_find(w->all, w->name) : NULL;
	snapshot_wait_fn *fn = w->fn;
	void *fn_arg = w->arg;
	struct err err = w->err;

	if (w->ready && !s)
		err_set(&err, ENOENT, "snapshot %s has been removed", w->name);
	snapshot_wait_cancel(w);
	fn(fn_arg, s, &err);
}

void snapshot_tell(struct snapshot *s, const struct err *err)
{
	struct snapshot_waiter *w;

	while ((w = s->waiters)) {
		s->waiters = w->next;
		w->next = s->all->told;
		s->all->told = w;
		w->snapshot = NULL;
		w->ready = !err;
		if (err)
			w->err = *err;
		loop_timer_set(w->timer, 0);
	}
}

struct snapshot_waiter *snapshot_wait(struct snapshot *s, snapshot_wait_fn *fn, void *arg)
{
	struct snapshot_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct snapshot_waiter){
		.snapshot = s, .all = s->all, .fn = fn, .arg = arg, .next = s->waiters};
	snprintf(w->name, sizeof(w->name), "%s", s->name);
	if (loop_timer_new(s->all->core->loop, waited, w, &w->timer) < 0) {
		free(w);
		return NULL;
	}
	s->waiters = w;
	return w;
}

void snapshot_wait_cancel(struct snapshot_waiter *w)
{
	struct snapshot_waiter **p = w->snapshot ? &w->snapshot->waiters : &w->all->told;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	loop_timer_free(w->timer);
	free(w);
}
