/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/registry_backend.h"
#include "services/common/registry_watch.h"

#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define KEYS_MAX     8
#define CACHE_NS     (5 * NS_PER_S)
#define RETRY_MIN_NS (20 * NS_PER_MS)
#define RETRY_MAX_NS NS_PER_S
#define LEAVE_MS     500

struct registry_wait {
	registry_fn *fn;
	void *arg;
	struct registry_wait **prevp, *next;
};

struct entry {
	struct registry *reg;
	char key[REGISTRY_KEY_BYTES];
	struct endpoints list;
	int64_t fetched_ns; /* 0: never */
	bool fixed;
	struct registry_op *op; /* under way */
	struct registry_wait *waits;
};

struct registry {
	struct loop *loop;
	struct httpc *http;
	struct registry_address address;
	bool has_address;
	int ttl_s;
	size_t count;
	struct entry entry[KEYS_MAX];
};

struct registrar {
	struct registry *reg;
	struct registry_claim claim;
	struct registry_watch *watch;
	struct loop_timer *timer;
	struct registry_op *op;
	int64_t retry_ns,
		brief_ns; /* the next pause after a failure; after a watch that did not last */
	bool registered, complained, leaving;
	void (*fn)(void *arg);
	void *arg;
};

int registry_new(struct loop *loop, struct httpc *http, const struct registry_address *address,
	struct registry **out)
{
	struct registry *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return -ENOMEM;
	reg->loop = loop;
	reg->http = http;
	reg->ttl_s = REGISTRY_TTL_S;
	if (address) {
		reg->address = *address;
		reg->has_address = true;
	}
	*out = reg;
	return 0;
}

void registry_set_ttl(struct registry *reg, int seconds)
{
	reg->ttl_s = seconds;
}

void registry_cancel(struct registry_wait *wait)
{
	if (!wait)
		return;
	*wait->prevp = wait->next;
	if (wait->next)
		wait->next->prevp = wait->prevp;
	free(wait);
}

void registry_free(struct registry *reg)
{
	if (!reg)
		return;
	for (size_t i = 0; i < reg->count; i++) {
		if (reg->entry[i].op)
			reg->address.backend->cancel(reg->entry[i].op);
		while (reg->entry[i].waits)
			registry_cancel(reg->entry[i].waits);
	}
	free(reg);
}

static struct entry *find(struct registry *reg, const char *key)
{
	size_t len = strlen(key);
	struct entry *e;

	for (size_t i = 0; i < reg->count; i++) {
		if (strcmp(reg->entry[i].key, key) == 0)
			return &reg->entry[i];
	}
	if (reg->count == KEYS_MAX || len >= REGISTRY_KEY_BYTES)
		return NULL;
	e = &reg->entry[reg->count++];
	e->reg = reg;
	memcpy(e->key, key, len + 1);
	return e;
}

int registry_set(struct registry *reg, const char *key, const struct endpoint *endpoint)
{
	struct entry *e = find(reg, key);

	if (!e)
		return -ENOSPC;
	e->fixed = true;
	e->list.count = 1;
	e->list.item[0] = *endpoint;
	return 0;
}

static void tell(struct entry *e)
{
	struct registry_wait *waits = steal_ptr(&e->waits);

	/* fn may start and cancel other lookups: the list is taken over first, and each is unlinked before its call. */
	if (waits)
		waits->prevp = &waits;
	while (waits) {
		struct registry_wait *w = waits;
		registry_fn *fn = w->fn;
		void *arg = w->arg;

		registry_cancel(w);
		fn(arg, &e->list);
	}
}

static void on_list(void *arg, const struct registry_result *result)
{
	struct entry *e = arg;

	e->op = NULL;
	if (result->code == 0) {
		e->list = *result->list;
		e->fetched_ns = loop_now_ns();
	}
	tell(e);
}

static struct registry_call call_of(
	struct registry *reg, unsigned int timeout_ms, registry_done *done, void *arg)
{
	return (struct registry_call){.loop = reg->loop,
		.http = reg->http,
		.at = &reg->address.at,
		.timeout_ms = timeout_ms,
		.done = done,
		.arg = arg};
}

static int fetch(struct entry *e)
{
	struct registry_call call = call_of(e->reg, REGISTRY_CALL_MS, on_list, e);

	return e->op ? 0 : e->reg->address.backend->list(&call, e->key, &e->op);
}

int registry_get(struct registry *reg, const char *key, bool fresh, registry_fn *fn, void *arg,
	struct registry_wait **out)
{
	struct entry *e = find(reg, key);
	struct registry_wait *w;
	int r;

	*out = NULL;
	if (!e)
		return -ENOSPC;
	if (e->fixed || !reg->has_address ||
		(!fresh && e->list.count && loop_now_ns() - e->fetched_ns < CACHE_NS)) {
		fn(arg, &e->list);
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct registry_wait){.fn = fn, .arg = arg, .prevp = &e->waits, .next = e->waits};
	if (w->next)
		w->next->prevp = &w->next;
	e->waits = w;
	r = fetch(e);
	if (r < 0) {
		registry_cancel(w);
		return r;
	}
	*out = w;
	return 0;
}

/* --- registration ------------------------------------------------------------------------------------------------- */
static void left(struct registrar *r)
{
	void (*fn)(void *) = steal_ptr(&r->fn);

	if (fn)
		fn(r->arg);
}

static void beat_again(struct registrar *r)
{
	loop_timer_set(r->timer, r->retry_ns);
	r->retry_ns = r->retry_ns * 2 < RETRY_MAX_NS ? r->retry_ns * 2 : RETRY_MAX_NS;
}

/* It may come back empty: it is told again, and not when the time to live demands it. */
static void on_lost(void *arg, bool brief)
{
	struct registrar *r = arg;
	int64_t most = r->claim.ttl_s * NS_PER_S / 3;

	if (r->leaving || r->op)
		return;
	loop_timer_set(r->timer, !brief ? 0 : r->brief_ns < most ? r->brief_ns : most);
	r->brief_ns = !brief ? NS_PER_S : r->brief_ns < most ? r->brief_ns * 2 : most;
}

static void on_registered(void *arg, const struct registry_result *result)
{
	struct registrar *r = arg;
	bool ok = result->code == 0, news = ok != r->registered;

	r->op = NULL;
	if (r->leaving) {
		left(r);
		return;
	}
	r->registered = ok;
	if (news && ok)
		log_info("registered", "key=%s value=%s registry=%s", r->claim.key, r->claim.value,
			r->reg->address.text);
	else if (!ok && !r->complained)
		log_warn("registry does not answer", "key=%s registry=%s error=\"%.160s\"",
			r->claim.key, r->reg->address.text, result->why);
	r->complained = !ok;
	if (!ok) {
		beat_again(r);
		return;
	}
	r->retry_ns = RETRY_MIN_NS;
	loop_timer_set(r->timer, r->claim.ttl_s * NS_PER_S / 3);
	registry_watch_open(r->watch);
	left(r);
}

static void on_beat(void *arg)
{
	struct registrar *r = arg;

	struct registry_call call = call_of(r->reg, REGISTRY_CALL_MS, on_registered, r);

	if (r->leaving)
		left(r);
	else if (r->reg->address.backend->keep(&call, &r->claim, &r->op) < 0)
		beat_again(r);
}

int registrar_new(struct registry *reg, const char *key, const char *value,
	void (*first)(void *arg), void *arg, struct registrar **out)
{
	struct registrar *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct registrar){.reg = reg,
		.retry_ns = RETRY_MIN_NS,
		.brief_ns = NS_PER_S,
		.fn = first,
		.arg = arg};
	snprintf(r->claim.key, sizeof(r->claim.key), "%s", key);
	snprintf(r->claim.value, sizeof(r->claim.value), "%s", value);
	r->claim.ttl_s = reg->ttl_s;
	if (loop_timer_new(reg->loop, on_beat, r, &r->timer) < 0 ||
		registry_watch_new(reg->loop, &reg->address.at, on_lost, r, &r->watch) < 0) {
		registrar_free(r);
		return -ENOMEM;
	}
	loop_timer_set(r->timer, 0);
	*out = r;
	return 0;
}

static void cancel(struct registrar *r)
{
	if (r->op)
		r->reg->address.backend->cancel(steal_ptr(&r->op));
}

void registrar_leave(struct registrar *r, void (*done)(void *arg), void *arg)
{
	struct registry_call call = call_of(r->reg, LEAVE_MS, on_registered, r);

	cancel(r);
	loop_timer_cancel(r->timer);
	r->leaving = true;
	r->fn = done;
	r->arg = arg;
	if (!r->registered || r->reg->address.backend->drop(&call, &r->claim, &r->op) < 0)
		loop_timer_set(r->timer, 0);
}

void registrar_free(struct registrar *r)
{
	if (!r)
		return;
	cancel(r);
	registry_watch_free(r->watch);
	loop_timer_free(r->timer);
	free(r);
}
