/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going on where a manager was killed. Of each instance the last state in the database says what becomes of it:
 *
 *   ended                 stays as it is: record and log; started again when its policy was about to
 *   RUNNING, PAUSED       taken over: process, console, address, published ports; ready once it is; where that was written ahead, and its
 *                         monitor does not say so, ended
 *   STOPPING              taken over, and asked to end again
 *   STARTING              nobody was told yet that it runs: ended as FAILED
 *   CREATED               the same; a shell that was made for it has been reaped
 *
 * One that nobody was told of at all may have no record: then its shell is no instance's, and reaped.
 *
 * A process that ended while there was no manager ends its instance as soon as the loop runs.
 */
#include "daemon/core.h"
#include "daemon/image/store.h"
#include "daemon/instance/impl.h"
#include "daemon/network/forward.h"
#include "daemon/reap.h"
#include "daemon/state/db.h"
#include "daemon/state/keep.h"
#include "daemon/state/record.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define SAVE_SOON_NS                                                                               \
	(20 * NS_PER_MS) /* as long as its start takes, which most times ends with an answer */

static int save(struct instance *i)
{
	_cleanup_json_ json_t *record = record_of(i);
	struct err err = {0};
	int r = keep_put_json(i->core->keep, STATE_INSTANCE, i->id, record, &err);

	if (r != -ENOMEM)
		i->saved = true;
	if (r < 0)
		log_error("cannot keep a VM's state", "id=%s error=\"%s\"", i->id, err.msg);
	return r;
}

void instance_save(struct instance *i)
{
	i->unsaved = i->ahead = false;
	save(i);
}

void instance_settle(struct instance *i)
{
	if (i->unsaved && !(i->ahead && i->state == VM_STARTING))
		instance_save(i);
}

void instance_settle_start(struct instance *i)
{
	if (!i->ahead)
		instance_settle(i);
}

/* A manager that is killed now leaves a monitor that has its request, or will never read it, which the next manager asks for. A start that
 * fails under this one writes another row. */
static void save_ahead(void *arg)
{
	struct instance *i = arg;
	int64_t step_ns = i->step_ns[STEP_STARTED];

	if (i->state != VM_STARTING || !i->unsaved)
		return;
	i->state = VM_RUNNING;
	clock_gettime(CLOCK_REALTIME, &i->started);
	i->start_ns = i->step_ns[STEP_STARTED] = loop_now_ns();
	i->ahead = true;
	i->ahead = save(i) == 0;
	i->state = VM_STARTING;
	i->started = (struct timespec){0};
	i->start_ns = 0;
	i->step_ns[STEP_STARTED] = step_ns;
}

/* The timer is younger than that of the request, which goes first. */
void instance_save_ahead(struct instance *i)
{
	if (i->ahead_timer || loop_timer_new(i->core->loop, save_ahead, i, &i->ahead_timer) == 0)
		loop_timer_set(i->ahead_timer, 0);
}

void instance_save_soon(struct instance *i)
{
	struct instances *is = i->core->instances;

	i->unsaved = true;
	if (!is->saver_set)
		loop_timer_set(is->saver, SAVE_SOON_NS);
	is->saver_set = true;
}

/* --- reading --------------------------------------------------------------------------------------------------- */
struct unusable {
	char id[ID_TEXT_BYTES];
	struct unusable *next;
};

struct loading {
	struct instances *is;
	struct unusable *unusable;
};

static int note_unusable(struct loading *l, const char *id, const char *why)
{
	struct unusable *u = calloc(1, sizeof(*u));

	log_error("the record of a VM can not be used", "id=%.64s error=\"%s\"", id, why);
	if (!u)
		return -ENOMEM;
	snprintf(u->id, sizeof(u->id), "%s", id);
	u->next = l->unusable;
	l->unusable = u;
	return 0;
}

static int load_one(void *arg, const char *id, const char *text, size_t len)
{
	struct loading *l = arg;
	struct instance *i = calloc(1, sizeof(*i));
	struct err err = {0};
	int r;

	if (!i)
		return -ENOMEM;
	i->core = l->is->core;
	instance_table_add(l->is, i);
	r = record_load(i, text, len, &err);
	if (r == 0 && strcmp(i->id, id) != 0)
		r = err_set(&err, EINVAL, "id: it is that of another");
	if (r == 0)
		r = instance_make_paths(i);
	if (r == 0) {
		i->saved = true;
		return 0;
	}
	instance_free(i);
	return note_unusable(l, id, err.msg);
}

static void remove_unusable(struct loading *l)
{
	struct unusable *u;

	while ((u = l->unusable)) {
		l->unusable = u->next;
		keep_delete(l->is->core->keep, STATE_INSTANCE, u->id, NULL);
		free(u);
	}
}

static bool is_known(const struct instances *is, const char *id)
{
	for (const struct instance *i = is->first; i; i = i->next) {
		if (strcmp(i->id, id) == 0)
			return true;
	}
	return false;
}

/* Folders of VMs that no record names. */
static void remove_unknown(const struct instances *is)
{
	DIR *dir = opendir(is->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		_cleanup_free_ char *path = NULL;

		if (e->d_name[0] == '.' || is_known(is, e->d_name))
			continue;
		if (asprintf(&path, "%s/%s", is->dir, e->d_name) < 0)
			path = NULL;
		else
			reap_tree(path);
	}
	if (dir)
		closedir(dir);
}

int instances_load(struct instances *is, struct err *err)
{
	struct loading l = {.is = is};
	int r = state_db_each(is->core->state, STATE_INSTANCE, load_one, &l, err);

	if (r == -ENOMEM)
		err_sys(err, ENOMEM, "VMs");
	remove_unusable(&l);
	if (r == 0)
		remove_unknown(is);
	return r;
}

bool instances_use_shell(const struct instances *is, const char *name)
{
	for (const struct instance *i = is->first; i; i = i->next) {
		char own[NETWORK_NAME_BYTES];

		if (!instance_has_ended(i) && i->state != VM_CREATED &&
			network_lease_name(&is->core->config.subnet, i->ip, own) &&
			strcmp(own, name) == 0)
			return true;
	}
	return false;
}

/* --- taking over ----------------------------------------------------------------------------------------------- */
static void go_on(struct instance *i, enum instance_state was)
{
	if (i->ahead && i->shell->ops->confirm)
		i->shell->ops->confirm(i->shell);
	i->ahead = false;
	switch (was) {
	case VM_RUNNING:
	case VM_PAUSED:
	case VM_STOPPING:
		i->state = was == VM_PAUSED ? VM_PAUSED : VM_RUNNING;
		instance_publish_again(i);
		instance_watch_ttl(i);
		instance_watch_health(i);
		if (was == VM_STOPPING)
			instance_stop(i, INSTANCE_STOP_NS);
		else if (!i->ready)
			instance_watch_readiness(i);
		return;
	default:
		i->state = VM_STARTING;
		snprintf(i->reason, sizeof(i->reason), "the manager ended while it started");
		shell_kill(i->shell);
	}
}

static bool adopt(struct instance *i)
{
	enum instance_state was = i->state;
	struct shell_spec spec = i->spec;
	struct err err = {0};
	int r;

	if (was == VM_CREATED) { /* its address may be another's by now */
		instance_end(i, VM_FAILED, "the manager ended before it was started");
		return false;
	}
	spec.ip = i->ip;
	r = shell_adopt(i->core, &spec, i->log, &instance_owner, i, &i->shell, &err);
	if (r == 0 && instance_isolate(i, &err) < 0)
		log_error("a VM is in the network of all", "id=%s error=\"%s\"", i->id, err.msg);
	if (r < 0) {
		i->state = was == VM_STARTING ? VM_STARTING : VM_RUNNING;
		instance_tell_gone(i);
		instance_end(i, i->state == VM_STARTING ? VM_FAILED : VM_CRASHED, err.msg);
		return false;
	}
	log_info("taken over", "id=%s name=%s vm=%s pid=%d", i->id, i->name, i->shell->lease.name,
		(int)i->shell->pid);
	go_on(i, was);
	return true;
}

unsigned instances_adopt(struct instances *is)
{
	unsigned alive = 0;

	for (struct instance *i = is->first; i; i = i->next) {
		if (!instance_has_ended(i))
			alive += adopt(i);
		else if (i->auto_remove)
			instance_remove_soon(i);
		else
			instance_resume_restart(i);
	}
	return alive;
}
