/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded shells: prepared as those of the pool, then made what the template was when it was frozen, and left paused. They are loaded behind the
 * requests: one at a time is begun, LOAD_PARALLEL are under way, fewer or none while starts go first (pools_parallel()). A template whose files fail again and again is of no use; where the machine has no more
 * memory or addresses it waits.
 */
#include "daemon/template/impl.h"

#include "daemon/core.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/pool.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define LOAD_PARALLEL 2
#define RETRY_NS      (100 * NS_PER_MS)
#define LACKS_MAX     5 /* doublings of it: 3.2 s */

void clones_load_soon(struct templates *ts)
{
	if (!ts->stopped)
		loop_timer_set(ts->timer, 0);
}

void templates_calm(struct templates *ts)
{
	int64_t in_ns;

	if (ts && !ts->stopped && pools_parallel(ts->core->pools, LOAD_PARALLEL, &in_ns) == 0)
		loop_timer_set(ts->timer, in_ns);
}

static void clone_free(struct clone *c)
{
	struct template *t = c->template;
	struct clone **p = &t->clones;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	if (c->loaded)
		t->loaded--;
	else
		t->loading--;
	loop_timer_free(c->late);
	free(c);
}

void clones_discard(struct template *t)
{
	while (t->clones) {
		struct shell *shell = t->clones->shell;

		clone_free(t->clones);
		shell_discard(shell);
	}
}

/* Memory, addresses, processes: no fault of the template's. It is tried again, less and less often. */
static void note_lack(struct template *t, const char *why)
{
	int64_t in_ns = RETRY_NS << (t->load_lacks < LACKS_MAX ? t->load_lacks++ : LACKS_MAX);

	t->failures++;
	log_warn("there is not enough of something for a clone",
		"template=%s image=%s again_ms=%lld reason=\"%s\"", t->id, t->image,
		(long long)(in_ns / NS_PER_MS), why);
	if (!t->all->stopped)
		loop_timer_set(t->all->timer, in_ns);
}

static void note_failure(struct template *t, const char *why)
{
	char text[sizeof(t->reason)];

	t->failures++;
	log_warn("a clone could not be loaded", "template=%s image=%s reason=\"%s\"", t->id,
		t->image, why);
	if (++t->load_failures >= TEMPLATE_LOAD_FAILURES_MAX) {
		snprintf(text, sizeof(text), "its files could not be loaded: %.200s", why);
		template_fail(t, text);
	}
	if (!t->all->stopped)
		loop_timer_set(t->all->timer, RETRY_NS);
}

static void give_up(struct clone *c, const char *why)
{
	struct template *t = c->template;
	struct shell *shell = c->shell;

	clone_free(c);
	shell_discard(shell);
	note_failure(t, why);
}

static void refused(struct clone *c, const struct err *why)
{
	struct template *t = c->template;
	struct shell *shell = c->shell;

	if (why->code != ENOMEM) {
		give_up(c, why->msg);
		return;
	}
	clone_free(c);
	shell_discard(shell);
	note_lack(t, why->msg);
}

static void clone_loaded(void *arg, struct shell *shell, const struct err *failed)
{
	struct clone *c = arg;
	struct template *t = c->template;

	(void)shell;
	if (failed) {
		refused(c, failed);
		return;
	}
	loop_timer_cancel(c->late);
	c->loaded = true;
	t->loading--;
	t->loaded++;
	t->load_failures = t->load_lacks = 0;
	t->verified = true;
	clones_load_soon(t->all);
	if (trial_wants_clone(t))
		trial_go(t); /* takes it */
}

static void shell_is_ready(void *arg, struct shell *shell)
{
	struct clone *c = arg;
	struct template *t = c->template;
	struct err err = {0};
	struct frozen from = {.state = t->state_path,
		.memory = t->memory_path,
		.image = template_image_path(t),
		.working_set = t->workset_path,
		.verify = !t->verified};

	if (!from.image)
		give_up(c, "its image is gone");
	else if (shell->ops->load(shell, &from, clone_loaded, c, &err) < 0)
		give_up(c, err.msg);
}

static void shell_never_starts(void *arg, struct shell *shell, const struct err *failed)
{
	(void)arg;
	(void)shell;
	(void)failed;
	assert(false);
}

static void shell_has_ended(void *arg, struct shell *shell)
{
	struct clone *c = arg;
	struct template *t = c->template;
	bool killed = shell->exit.end == SHELL_END_CRASH && shell->exit.code == SIGKILL;
	char why[400];

	snprintf(why, sizeof(why), "%s; it wrote: %.100s", shell->exit.reason,
		shell_last_line(shell));
	clone_free(c);
	shell_free(shell);
	if (killed) /* by the kernel that has no memory, or by somebody */
		note_lack(t, why);
	else
		note_failure(t, why);
}

static void is_late(void *arg)
{
	give_up(arg, "it was not loaded in time");
}

static const struct shell_owner clone_owner = {
	.ready = shell_is_ready,
	.started = shell_never_starts,
	.ended = shell_has_ended,
};

/* KVM keeps ten bytes for each page of a window, used or not: so a clone has one of its image's size. 0: any will do. */
static unsigned window_mib(const struct template *t)
{
	const char *path = template_image_path(t);
	struct stat st;

	return path && stat(path, &st) == 0 ? (unsigned)(st.st_size / MIB + 2) & ~1u : 0;
}

static int load_one(struct template *t, struct err *err)
{
	struct core *core = t->all->core;
	struct shell_spec spec = {.ops = &monitor_uvmm,
		.memory_mib = t->key.memory_mib,
		.vcpus = 1,
		.window_mib = window_mib(t),
		.frozen = true};
	struct clone *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_sys(err, ENOMEM, "template");
	c->template = t;
	r = loop_timer_new(core->loop, is_late, c, &c->late);
	if (r < 0)
		err_sys(err, -r, "template");
	else
		r = shell_new(core, &spec, &clone_owner, c, &c->shell, NULL, err);
	if (r < 0) {
		loop_timer_free(c->late);
		free(c);
		return r;
	}
	loop_timer_set(c->late, 2 * core->config.prepare_timeout_s * NS_PER_S);
	c->next = t->clones;
	t->clones = c;
	t->loading++;
	return 0;
}

static unsigned target(const struct template *t)
{
	return t->state == TEMPLATE_READY ? t->all->core->config.clones : trial_wants_clone(t);
}

static struct template *wanting(const struct templates *ts)
{
	for (struct template *t = ts->first; t; t = t->next) {
		if (t->loaded + t->loading < target(t))
			return t;
	}
	return NULL;
}

static unsigned loading(const struct templates *ts)
{
	unsigned n = 0;

	for (const struct template *t = ts->first; t; t = t->next)
		n += t->loading;
	return n;
}

void clones_load(void *arg)
{
	struct templates *ts = arg;
	struct template *t;
	unsigned parallel;
	struct err err = {0};
	int64_t in_ns;

	if (ts->images_changed)
		templates_drop_orphans(ts);
	t = wanting(ts);
	if (!t || ts->stopped)
		return;
	parallel = pools_parallel(ts->core->pools, LOAD_PARALLEL, &in_ns);
	if (parallel == 0)
		loop_timer_set(ts->timer, in_ns);
	if (loading(ts) >= parallel)
		return; /* the next that is loaded calls again */
	if (load_one(t, &err) < 0)
		note_lack(t, err.msg);
	else
		clones_load_soon(ts);
}

/* --- for instances ----------------------------------------------------------------------------------------------- */
static bool may_be_clone(const struct instance *i)
{
	return i->spec.ops == &monitor_uvmm && i->spec.vcpus == 1 && !i->static_ip &&
		mac_is_none(i->spec.mac) && !i->trace && !i->vsock.wanted &&
		json_array_size(i->volumes) == 0 && image_digest(i->image)[0];
}

static struct shell *take(struct template *t)
{
	struct clone *c = t->clones;
	struct shell *shell;

	while (c && !c->loaded)
		c = c->next;
	if (!c)
		return NULL;
	shell = c->shell;
	clone_free(c);
	shell_set_owner(shell, NULL, NULL);
	return shell;
}

struct shell *templates_take(struct templates *ts, const struct instance *i)
{
	struct shell *shell = NULL;

	if (!ts || !ts->first || !may_be_clone(i))
		return NULL;
	for (struct template *t = ts->first; t && !shell; t = t->next) {
		bool tried = trial_is(t, i);

		if ((t->state != TEMPLATE_READY && !tried) || !template_key_serves(&t->key, i))
			continue;
		shell = take(t);
		if (tried)
			continue;
		if (shell)
			t->hits++;
		else
			t->misses++;
	}
	clones_load_soon(ts);
	return shell;
}

void templates_blame(struct templates *ts, const struct instance *i, const char *why)
{
	for (struct template *t = ts ? ts->first : NULL; t; t = t->next) {
		if (t->state == TEMPLATE_READY && template_key_serves(&t->key, i)) {
			note_failure(t, why);
			return;
		}
	}
}
