/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refilling has the lowest priority by being a timer: a turn of the loop handles the requests that are there before
 * it begins one more preparation, and requests wait for one preparation at most. A shell that does not get ready in time is let go
 * as one that died is.
 */
#include "daemon/pool.h"

#include "daemon/core.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define REFILL_PARALLEL 4
#define HOLD_NS         (150 * NS_PER_MS)
#define CALM_NS         (2 * NS_PER_MS) /* for the first requests to those that are just ready */
#define RETRY_FIRST_NS  (100 * NS_PER_MS)
#define RETRY_MAX_NS    (10 * NS_PER_S)

const char *const pool_exhausted_names[] = {"create", "reject", "wait", NULL};

struct member {
	struct pool *pool; /* a profile takes its shells along when it goes or changes */
	struct pools *pools;
	struct shell *shell;
	struct loop_timer *late; /* until it is ready */
	bool ready;
	struct member *next;
};

struct pool_waiter {
	struct pool *pool;
	pool_wait_fn *fn;
	void *arg;
	struct pool_waiter *next;
};

struct pools {
	struct core *core;
	struct pool *first;
	struct member *members; /* oldest first */
	unsigned preparing;     /* of all profiles */
	struct loop_timer *timer;
	int64_t retry_ns;
	int64_t held_ns; /* since when starts go first; 0: they do not */
	int64_t calm_ns; /* when those that are ready have had their first moment */
	bool stopped;
};

static void refill_soon(struct pools *ps, int64_t in_ns)
{
	if (!ps->stopped)
		loop_timer_set(ps->timer, in_ns);
}

static void member_add(struct pools *ps, struct member *m)
{
	struct member **p = &ps->members;

	while (*p)
		p = &(*p)->next;
	*p = m;
}

static void member_free(struct member *m)
{
	struct pools *ps = m->pools;
	struct member **p = &ps->members;

	while (*p != m)
		p = &(*p)->next;
	*p = m->next;
	if (!m->ready)
		ps->preparing--;
	if (m->ready)
		m->pool->ready--;
	else
		m->pool->preparing--;
	loop_timer_free(m->late);
	free(m);
}

static void mark_ready(struct member *m)
{
	struct pools *ps = m->pools;

	m->ready = true;
	loop_timer_free(m->late);
	m->late = NULL;
	ps->preparing--;
	m->pool->preparing--;
	m->pool->ready++;
	m->pool->last_error[0] = '\0';
	ps->retry_ns = 0;
}

static struct shell *take_from(struct pools *ps, const struct pool *pool);

/* Those who wait get what is ready, in the order in which they came. */
static void serve_waiters(struct pools *ps, struct pool *pool)
{
	struct pool_waiter *w;
	struct shell *shell;

	while ((w = pool->waiters) && (shell = take_from(ps, pool))) {
		pool_wait_fn *fn = w->fn;
		void *arg = w->arg;

		pool->hits++;
		pools_wait_cancel(w);
		fn(arg, shell);
	}
}

static void shell_is_ready(void *arg, struct shell *shell)
{
	struct member *m = arg;
	struct pools *ps = m->pools;

	(void)shell;
	mark_ready(m);
	refill_soon(ps, 0);
	serve_waiters(ps, m->pool);
}

static void note_failure(struct pools *ps, struct pool *pool, const char *why)
{
	ps->retry_ns = ps->retry_ns ? ps->retry_ns * 2 : RETRY_FIRST_NS;
	if (ps->retry_ns > RETRY_MAX_NS)
		ps->retry_ns = RETRY_MAX_NS;
	if (strcmp(pool->last_error, why) != 0) {
		snprintf(pool->last_error, sizeof(pool->last_error), "%.255s", why);
		log_warn("cannot prepare a VM for the pool", "profile=%s error=\"%s\"", pool->name,
			why);
	}
	refill_soon(ps, ps->retry_ns);
}

static void shell_has_ended(void *arg, struct shell *shell)
{
	struct member *m = arg;
	struct pools *ps = m->pools;
	struct pool *pool = m->pool;
	char reason[400];

	snprintf(reason, sizeof(reason), "%s; it wrote: %.100s", shell->exit.reason,
		shell_last_line(shell));
	pool->deaths++;
	member_free(m);
	shell_free(shell);
	note_failure(ps, pool, reason);
}

static void shell_is_late(void *arg)
{
	struct member *m = arg;
	struct pools *ps = m->pools;
	struct pool *pool = m->pool;
	struct shell *shell = m->shell;
	char reason[400];

	snprintf(reason, sizeof(reason), "it did not get ready within %u s; it wrote: %.100s",
		ps->core->config.prepare_timeout_s, shell_last_line(shell));
	pool->deaths++;
	member_free(m);
	shell_discard(shell);
	note_failure(ps, pool, reason);
}

static void shell_never_starts(void *arg, struct shell *shell, const struct err *failed)
{
	(void)arg;
	(void)shell;
	(void)failed;
	assert(false);
}

static const struct shell_owner pool_owner = {
	.ready = shell_is_ready,
	.started = shell_never_starts,
	.ended = shell_has_ended,
};

static int prepare_one(struct pools *ps, struct pool *pool, struct err *err)
{
	struct shell_spec spec = {
		.ops = pool->ops, .memory_mib = pool->set.memory_mib, .vcpus = pool->set.vcpus};
	struct member *m = calloc(1, sizeof(*m));
	int r;

	memcpy(spec.kernel, pool->set.kernel, sizeof(spec.kernel));
	if (!m)
		return err_sys(err, ENOMEM, "pool");
	m->pool = pool;
	m->pools = ps;
	r = loop_timer_new(ps->core->loop, shell_is_late, m, &m->late);
	if (r < 0)
		err_sys(err, -r, "pool");
	else
		r = shell_new(ps->core, &spec, &pool_owner, m, &m->shell, NULL, err);
	if (r < 0) {
		loop_timer_free(m->late);
		free(m);
		return r;
	}
	loop_timer_set(m->late, ps->core->config.prepare_timeout_s * NS_PER_S);
	member_add(ps, m);
	pool->preparing++;
	ps->preparing++;
	if (m->shell->state == SHELL_READY) {
		mark_ready(m);
		serve_waiters(ps, pool);
	}
	return 0;
}

static struct pool *wanting(const struct pools *ps)
{
	for (struct pool *p = ps->first; p; p = p->next) {
		if (p->ready + p->preparing < p->set.target + p->waiting)
			return p;
	}
	return NULL;
}

unsigned pools_parallel(struct pools *ps, unsigned most, int64_t *again_in_ns)
{
	int64_t now = loop_now_ns();

	*again_in_ns = 0;
	if (ps->core->hurrying == 0 && now >= ps->calm_ns) {
		ps->held_ns = 0;
		return most;
	}
	if (!ps->held_ns)
		ps->held_ns = now;
	if (now - ps->held_ns >= HOLD_NS)
		return 1;
	*again_in_ns = ps->core->hurrying ? ps->held_ns + HOLD_NS - now : ps->calm_ns - now;
	return 0;
}

/* Who waits for a shell, or would be turned away without one, does not wait for those that start. */
static bool is_urgent(const struct pool *pool)
{
	return pool->waiters || (pool->set.on_exhausted == POOL_REJECT && pool->ready == 0);
}

static void refill(void *arg)
{
	struct pools *ps = arg;
	struct pool *pool = wanting(ps);
	unsigned parallel = REFILL_PARALLEL;
	struct err err = {0};
	int64_t in_ns = 0;

	if (!pool || ps->stopped)
		return;
	if (!is_urgent(pool))
		parallel = pools_parallel(ps, REFILL_PARALLEL, &in_ns);
	if (parallel == 0)
		refill_soon(ps, in_ns);
	if (ps->preparing >= parallel)
		return; /* shell_is_ready() calls again */
	if (prepare_one(ps, pool, &err) < 0)
		note_failure(ps, pool, err.msg);
	else
		refill_soon(ps, 0);
}

/* Lets a profile's shells go, all but `keep` of them. */
static void drain(struct pools *ps, struct pool *pool, unsigned keep)
{
	struct member *m, *next;

	for (m = ps->members; m; m = next) {
		struct shell *shell = m->shell;

		next = m->next;
		if (m->pool != pool || pool->ready + pool->preparing <= keep)
			continue;
		member_free(m);
		shell_discard(shell);
	}
}

struct pool *pools_first(const struct pools *ps)
{
	return ps->first;
}

struct pool *pools_find(const struct pools *ps, const char *name)
{
	for (struct pool *p = ps->first; p; p = p->next) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static struct pool *profile_new(struct pools *ps, const char *name, struct err *err)
{
	struct pool **p = &ps->first, *pool;
	unsigned n = 0;

	for (; *p; p = &(*p)->next)
		n++;
	pool = n < POOL_PROFILES_MAX ? calloc(1, sizeof(*pool)) : NULL;
	if (!pool) {
		err_set(err, E2BIG, "there can be %d profiles at most", POOL_PROFILES_MAX);
		return NULL;
	}
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	pool->ops = ps->core->monitor;
	*p = pool;
	return pool;
}

int pools_set(struct pools *ps, const char *name, const struct pool_settings *set,
	struct pool **out, struct err *err)
{
	struct pool *pool = pools_find(ps, name);

	if (!pool)
		pool = profile_new(ps, name, err);
	if (!pool)
		return -E2BIG;
	if (pool->set.memory_mib != set->memory_mib || pool->set.vcpus != set->vcpus ||
		strcmp(pool->set.kernel, set->kernel) != 0)
		drain(ps, pool, 0);
	pool->set = *set;
	drain(ps, pool, set->target);
	refill_soon(ps, 0);
	*out = pool;
	return 0;
}

void pools_kernel_changed(struct pools *ps, const char *kernel)
{
	for (struct pool *p = ps->first; p; p = p->next) {
		if (strcmp(p->set.kernel, kernel) == 0)
			drain(ps, p, 0);
	}
	refill_soon(ps, 0);
}

void pools_delete(struct pools *ps, struct pool *pool)
{
	struct pool **p = &ps->first;

	drain(ps, pool, 0);
	while (pool->waiters) {
		struct pool_waiter *w = pool->waiters;
		pool_wait_fn *fn = w->fn;
		void *arg = w->arg;

		pools_wait_cancel(w);
		fn(arg, NULL);
	}
	while (*p != pool)
		p = &(*p)->next;
	*p = pool->next;
	free(pool);
}

bool pools_full(const struct pools *ps)
{
	for (const struct pool *p = ps->first; p; p = p->next) {
		if (p->ready < p->set.target)
			return false;
	}
	return true;
}

static bool fits(const struct pool *pool, const struct shell_spec *spec)
{
	unsigned memory_mib = pool->set.memory_mib;

	return pool->set.target > 0 && pool->ops == spec->ops &&
		strcmp(pool->set.kernel, spec->kernel) == 0 && pool->set.vcpus == spec->vcpus &&
		!spec->ip && mac_is_none(spec->mac) &&
		(memory_mib == spec->memory_mib ||
			(spec->more_will_do && memory_mib > spec->memory_mib));
}

/* The profile to take from: one with a shell if there is any, and of these the one with the least memory. */
static struct pool *best_fit(const struct pools *ps, const struct shell_spec *spec)
{
	struct pool *best = NULL;

	for (struct pool *p = ps->first; p; p = p->next) {
		if (!fits(p, spec))
			continue;
		if (!best || (p->ready && !best->ready) ||
			(!p->ready == !best->ready && p->set.memory_mib < best->set.memory_mib))
			best = p;
	}
	return best;
}

static struct shell *take_from(struct pools *ps, const struct pool *pool)
{
	for (struct member *m = ps->members; m; m = m->next) {
		struct shell *shell = m->shell;

		if (m->pool != pool || !m->ready)
			continue;
		member_free(m);
		shell_set_owner(shell, NULL, NULL);
		return shell;
	}
	return NULL;
}

int pools_take(struct pools *ps, const struct shell_spec *spec, struct shell **out)
{
	struct pool *pool = best_fit(ps, spec);

	if (!pool)
		return 0;
	*out = take_from(ps, pool);
	refill_soon(ps, ps->retry_ns);
	if (*out) {
		pool->hits++;
		return 1;
	}
	pool->misses++;
	if (pool->set.on_exhausted == POOL_WAIT)
		return -EINPROGRESS;
	return pool->set.on_exhausted == POOL_REJECT ? -EBUSY : 0;
}

struct pool_waiter *pools_wait(
	struct pools *ps, const struct shell_spec *spec, pool_wait_fn *fn, void *arg)
{
	struct pool *pool = best_fit(ps, spec);
	struct pool_waiter *w = pool && pool->waiting < POOL_WAITING_MAX ? malloc(sizeof(*w))
									 : NULL,
			   **p;

	if (!w)
		return NULL;
	*w = (struct pool_waiter){.pool = pool, .fn = fn, .arg = arg};
	for (p = &pool->waiters; *p; p = &(*p)->next)
		;
	*p = w;
	pool->waiting++;
	refill_soon(ps, ps->retry_ns);
	return w;
}

void pools_wait_cancel(struct pool_waiter *w)
{
	struct pool_waiter **p;

	if (!w)
		return;
	for (p = &w->pool->waiters; *p != w; p = &(*p)->next)
		;
	*p = w->next;
	w->pool->waiting--;
	free(w);
}

void pools_calm(struct pools *ps)
{
	ps->calm_ns = loop_now_ns() + CALM_NS;
	if (!ps->retry_ns)
		refill_soon(ps, CALM_NS);
}

int pools_new(struct core *core, struct pools **out, struct err *err)
{
	const struct config *c = &core->config;
	struct pool_settings set = {.target = c->pool,
		.memory_mib = c->pool_memory_mib,
		.vcpus = 1,
		.on_exhausted = strcmp(c->on_exhausted, "reject") == 0 ? POOL_REJECT
			: strcmp(c->on_exhausted, "wait") == 0         ? POOL_WAIT
								       : POOL_CREATE};
	struct pools *ps = calloc(1, sizeof(*ps));
	struct pool *pool;
	int r;

	if (!ps)
		return err_sys(err, ENOMEM, "pool");
	ps->core = core;
	r = loop_timer_new(core->loop, refill, ps, &ps->timer);
	if (r < 0) {
		free(ps);
		return err_sys(err, -r, "pool");
	}
	r = pools_set(ps, POOL_DEFAULT, &set, &pool, err);
	if (r < 0) {
		pools_free(ps);
		return r;
	}
	*out = ps;
	return 0;
}

void pools_stop(struct pools *ps)
{
	ps->stopped = true;
	loop_timer_cancel(ps->timer);
	for (struct pool *p = ps->first; p; p = p->next)
		drain(ps, p, 0);
}

void pools_free(struct pools *ps)
{
	if (!ps)
		return;
	pools_stop(ps);
	while (ps->first)
		pools_delete(ps, ps->first);
	loop_timer_free(ps->timer);
	free(ps);
}
