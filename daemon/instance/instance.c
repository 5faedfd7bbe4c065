/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of instances: a list, oldest first, searched linearly; INSTANCES_MAX bounds it, and a search of all takes
 * some 20 us.
 */
#include "daemon/instance/instance.h"

#include "daemon/app/app.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/image/config.h"
#include "daemon/image/store.h"
#include "daemon/instance/impl.h"
#include "daemon/monitor/args.h"
#include "daemon/pool.h"
#include "daemon/instance/readiness.h"
#include "daemon/reap.h"
#include "daemon/snapshot/snapshot.h"
#include "daemon/state/keep.h"
#include "daemon/trash.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const char *const instance_state_names[] = {"created", "starting", "running", "paused", "stopping",
	"stopped", "failed", "crashed", NULL};

static void sweep(void *arg)
{
	struct instances *is = arg;
	struct instance *i, *next;

	for (i = is->first; i; i = next) {
		next = i->next;
		if (instance_is_gone(i))
			instance_remove(i);
	}
}

void instances_settle(struct instances *is)
{
	for (struct instance *i = is->first; i; i = i->next)
		instance_settle(i);
}

static void save_all(void *arg)
{
	struct instances *is = arg;

	is->saver_set = false;
	instances_settle(is);
}

int instances_new(struct core *core, struct instances **out, struct err *err)
{
	struct instances *is = calloc(1, sizeof(*is));
	int r;

	if (!is || asprintf(&is->dir, "%s/vm", core->config.state_dir) < 0) {
		free(is);
		return err_sys(err, ENOMEM, "instances");
	}
	is->core = core;
	*out = is;
	r = loop_timer_new(core->loop, sweep, is, &is->sweeper);
	r = r < 0 ? r : loop_timer_new(core->loop, save_all, is, &is->saver);
	r = r < 0 ? r : loop_timer_new(core->loop, instances_find_lost_ports, is, &is->publisher);
	if (r == 0 && mkdir(is->dir, 0711) < 0 && errno != EEXIST)
		r = -errno;
	return r < 0 ? err_sys(err, -r, "cannot make %s", is->dir) : instances_load(is, err);
}

void instances_free(struct instances *is)
{
	if (!is)
		return;
	while (is->first)
		instance_free(is->first);
	loop_timer_free(is->sweeper);
	loop_timer_free(is->saver);
	loop_timer_free(is->publisher);
	reap_tree(is->dir);
	free(is->dir);
	free(is);
}

unsigned instances_count(const struct instances *is)
{
	return is->count;
}

struct instance *instances_first(const struct instances *is)
{
	return is->first;
}

bool instance_has_ended(const struct instance *i)
{
	return i->state == VM_STOPPED || i->state == VM_FAILED || i->state == VM_CRASHED;
}

bool instance_is_gone(const struct instance *i)
{
	return i->auto_remove && instance_has_ended(i);
}

int instances_find(const struct instances *is, const char *key, struct instance **out)
{
	struct instance *found = NULL;
	size_t len = strlen(key);
	bool several = false;

	for (struct instance *i = is->first; i; i = i->next) {
		if (instance_is_gone(i))
			continue;
		if (strcmp(i->name, key) == 0 || strcmp(i->id, key) == 0) {
			*out = i;
			return 0;
		}
		if (len >= INSTANCE_PREFIX_MIN && strncmp(i->id, key, len) == 0) {
			several = found != NULL;
			found = i;
		}
	}
	if (!found)
		return -ENOENT;
	*out = found;
	return several ? -EEXIST : 0;
}

struct instance *instances_find_key(const struct instances *is, const char *key)
{
	for (struct instance *i = is->first; i; i = i->next) {
		if (i->key[0] && !instance_is_gone(i) && strcmp(i->key, key) == 0)
			return i;
	}
	return NULL;
}

static bool name_is_taken(const struct instances *is, const char *name)
{
	for (const struct instance *i = is->first; i; i = i->next) {
		if (!instance_is_gone(i) && strcmp(i->name, name) == 0)
			return true;
	}
	return false;
}

/* The last part of the image's name, and the start of the id. */
static void make_name(struct instance *i)
{
	const char *image = strrchr(i->image->name, '/');
	size_t len;

	image = image ? image + 1 : i->image->name;
	len = strcspn(image, ":");
	snprintf(i->name, sizeof(i->name), "%.*s-%.8s", len > 48 ? 48 : (int)len, image, i->id);
}

/* "KEY=VALUE" of the image's env and the request's, which goes first where both have a key. */
static int make_env(struct instance *i, const struct run_spec *spec)
{
	json_t *of_image = json_object_get(i->image->config, "env"), *value;
	size_t n = 0, max = json_object_size(of_image) + json_object_size(spec->env);
	const char *key;

	i->env = calloc(max + 1, sizeof(*i->env));
	if (!i->env)
		return -ENOMEM;
	json_object_foreach(spec->env, key, value)
	{
		if (asprintf(&i->env[n], "%s=%s", key, json_string_value(value)) < 0)
			return -ENOMEM;
		n++;
	}
	json_object_foreach(of_image, key, value)
	{
		if (json_object_get(spec->env, key))
			continue;
		if (asprintf(&i->env[n], "%s=%s", key, json_string_value(value)) < 0)
			return -ENOMEM;
		n++;
	}
	return 0;
}

int instance_copy_words(char *const *from, char ***out)
{
	size_t n = 0;
	char **words;

	if (!from)
		return 0;
	while (from[n])
		n++;
	words = calloc(n + 1, sizeof(*words));
	if (!words)
		return -ENOMEM;
	*out = words;
	for (size_t i = 0; i < n; i++) {
		words[i] = strdup(from[i]);
		if (!words[i])
			return -ENOMEM;
	}
	return 0;
}

static int copy_cmd(const json_t *cmd, char ***out)
{
	size_t n = json_array_size(cmd);
	const char *words[ARGS_WORDS_MAX + 1];

	if (n > ARGS_WORDS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		words[i] = json_string_value(json_array_get(cmd, i));
	words[n] = NULL;
	return instance_copy_words((char *const *)(uintptr_t)words, out);
}

static int make_argv(struct instance *i, const struct run_spec *spec)
{
	const json_t *cmd = json_object_get(i->image->config, "cmd");
	int r = 0;

	if (spec->argv && spec->argv[0])
		r = instance_copy_words(spec->argv, &i->argv);
	else if (cmd)
		r = copy_cmd(cmd, &i->argv);
	if (r == 0)
		i->cmdline = args_join(i->argv);
	return i->cmdline ? r : -ENOMEM;
}

/* Its memory has them already: these are for people, and for a snapshot of it. */
static int words_of_snapshot(struct instance *i, const struct snapshot *from)
{
	int r = instance_copy_words(snapshot_argv(from), &i->argv);

	r = r < 0 ? r : instance_copy_words(snapshot_env(from), &i->env);
	i->cmdline = args_join(i->argv);
	return i->cmdline ? r : -ENOMEM;
}

int instance_words(struct instance *i, const struct run_spec *spec)
{
	int r;

	if (spec->from)
		return words_of_snapshot(i, spec->from);
	r = make_env(i, spec);

	return r < 0 ? r : make_argv(i, spec);
}

void instance_free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

void instance_words_fini(struct instance *i)
{
	instance_free_words(i->argv);
	instance_free_words(i->env);
	free(i->cmdline);
}

int instance_make_paths(struct instance *i)
{
	const char *state_dir = i->core->config.state_dir;

	if (asprintf(&i->dir, "%s/vm/%s", state_dir, i->id) < 0) {
		i->dir = NULL;
		return -ENOMEM;
	}
	if (asprintf(&i->log, "%s/console.log", i->dir) < 0) {
		i->log = NULL;
		return -ENOMEM;
	}
	return 0;
}

void instance_table_add(struct instances *is, struct instance *i)
{
	i->prev = is->last;
	if (is->last)
		is->last->next = i;
	else
		is->first = i;
	is->last = i;
	is->count++;
}

static void table_del(struct instances *is, struct instance *i)
{
	if (i->prev)
		i->prev->next = i->next;
	else
		is->first = i->next;
	if (i->next)
		i->next->prev = i->prev;
	else
		is->last = i->prev;
	is->count--;
}

/* Room for one more; false when all of them live. */
static bool make_room(struct instances *is)
{
	for (struct instance *i = is->first; i && is->count >= INSTANCES_MAX; i = i->next) {
		if (instance_has_ended(i) && !i->restart.pending) {
			instance_remove(i);
			break;
		}
	}
	return is->count < INSTANCES_MAX;
}

int instance_new(
	struct instances *is, const struct run_spec *spec, struct instance **out, struct err *err)
{
	struct vsock_spec vsock = spec->vsock;
	struct instance *i;
	int r;

	if (spec->name && name_is_taken(is, spec->name))
		return err_set(err, EEXIST,
			"a VM of the name %s is there already: remove it, or choose another",
			spec->name);
	if (!make_room(is))
		return err_set(err, EAGAIN, "%d VMs run already", INSTANCES_MAX);
	r = vsock_choose(is, &vsock, err);
	if (r < 0)
		return r;
	i = calloc(1, sizeof(*i));
	if (!i)
		return err_sys(err, ENOMEM, "VM");
	i->core = is->core;
	i->vsock = vsock;
	i->image = image_get(spec->image);
	i->spec = spec->shell;
	i->static_ip = spec->shell.ip;
	i->auto_remove = spec->auto_remove;
	i->trace = spec->trace;
	snprintf(i->network, sizeof(i->network), "%s", spec->network ? spec->network : "");
	i->restart = spec->restart;
	i->health = spec->health;
	i->health.ends |= spec->restart.policy != RESTART_NO;
	i->ttl_s = spec->ttl_s;
	i->limits = spec->limits;
	if (spec->key)
		snprintf(i->key, sizeof(i->key), "%s", spec->key);
	i->key_hash = spec->key_hash;
	i->mark = spec->mark;
	i->freeze = spec->freeze;
	if (spec->from) {
		snprintf(i->from, sizeof(i->from), "%s", snapshot_name(spec->from));
		snprintf(i->from_id, sizeof(i->from_id), "%s", snapshot_id(spec->from));
	}
	i->labels = spec->labels ? json_incref(spec->labels) : json_object();
	i->volumes = json_incref(spec->volumes);
	i->request_ns = spec->request_ns;
	i->port_count = spec->port_count;
	memcpy(i->ports, spec->ports, sizeof(i->ports));
	clock_gettime(CLOCK_REALTIME, &i->created);
	id_new(i->id);
	if (spec->name)
		snprintf(i->name, sizeof(i->name), "%s", spec->name);
	else
		make_name(i);
	instance_table_add(is, i);
	r = instance_words(i, spec);
	r = r < 0 ? r : instance_make_paths(i);
	if (r < 0) {
		instance_free(i);
		return err_sys(err, -r, "VM");
	}
	events_vm(is->core->events, "created", i);
	i->unsaved = true; /* its first row is written with its first answer, or its start */
	*out = i;
	return 0;
}

void instance_free(struct instance *i)
{
	assert(!i->waiters && !i->hurrying);
	snapshots_hear_end(i->core->snapshots, i);
	instance_unpublish(i);
	readiness_free(i->readiness);
	health_free(i->checks);
	pools_wait_cancel(i->pool_waiter);
	loop_timer_free(i->pool_timer);
	loop_timer_free(i->kill_timer);
	loop_timer_free(i->ahead_timer);
	loop_timer_free(i->restart.timer);
	loop_timer_free(i->ttl_timer);
	if (i->shell)
		shell_discard(i->shell);
	if (i->dir)
		trash_folder(i->core->trash, i->dir);
	if (i->saved)
		keep_delete(i->core->keep, STATE_INSTANCE, i->id, NULL);
	table_del(i->core->instances, i);
	image_put(i->image);
	json_decref(i->labels);
	json_decref(i->volumes);
	json_decref(i->missing_calls);
	json_decref(i->steps);
	instance_words_fini(i);
	free(i->dir);
	free(i->log);
	free(i);
}

void instance_remove(struct instance *i)
{
	assert(instance_has_ended(i));
	if (i->restart.pending)
		instance_no_restart(i); /* and nobody waits for it */
	log_info("removed", "id=%s name=%s", i->id, i->name);
	events_vm(i->core->events, "removed", i);
	apps_hear(i->core->apps, i);
	instance_free(i);
}

void instance_remove_soon(struct instance *i)
{
	i->auto_remove = true;
	loop_timer_set(i->core->instances->sweeper, 0);
}
