/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/upstream.h"

#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define PAUSE_MIN_NS (20 * NS_PER_MS)
#define PAUSE_MAX_NS (500 * NS_PER_MS)
#define HEADERS_MAX  16

struct upstream {
	struct loop *loop;
	struct httpc *http;
	struct registry *reg;
	struct balance_policies policies;
	struct balancer *balancer;
	uint64_t failures, retries;
	struct upstream_call *calls;
};

struct upstream_call {
	struct upstream *up;
	struct upstream_request q; /* with own copies of path, rank, hash, headers */
	char *path, *rank, *hash;  /* owned */
	char *headers[HEADERS_MAX + 1];
	struct endpoints list;
	uint32_t tried_mask; /* of list, in this round */
	bool fresh;          /* the next lookup passes the cache */
	int64_t end_ns, pause_ns;
	struct balance_ticket ticket; /* of the request under way */
	struct registry_wait *wait;
	struct httpc_call *call;
	struct loop_timer *timer;
	struct upstream_call *prev, *next;
};

int upstream_new(struct loop *loop, struct httpc *http, struct registry *reg,
	const struct balance_policies *policies, struct upstream **out)
{
	struct upstream *up = calloc(1, sizeof(*up));

	if (!up)
		return -ENOMEM;
	*up = (struct upstream){.loop = loop, .http = http, .reg = reg, .policies = *policies};
	if (balancer_new((uint32_t)loop_now_ns(), &up->balancer) < 0) {
		free(up);
		return -ENOMEM;
	}
	*out = up;
	return 0;
}

void upstream_free(struct upstream *up)
{
	if (!up)
		return;
	while (up->calls)
		upstream_cancel(up->calls);
	balancer_free(up->balancer);
	free(up);
}

uint64_t upstream_failures(const struct upstream *up)
{
	return up->failures;
}

uint64_t upstream_retries(const struct upstream *up)
{
	return up->retries;
}

const struct balancer *upstream_balancer(const struct upstream *up)
{
	return up->balancer;
}

/* Which instance next; -1: all have been tried in this round. */
static int choose(struct upstream_call *c)
{
	size_t order[ENDPOINTS_MAX], left[ENDPOINTS_MAX], n = 0;
	struct balance_question q = {.policy = balance_policy(&c->up->policies, c->q.key),
		.list = &c->list,
		.from = left,
		.key = c->hash,
		.may_probe = c->q.retry_ms > 0};

	if (c->rank)
		endpoints_rank(&c->list, c->rank, order);
	for (size_t i = 0; i < c->list.count; i++) {
		size_t at = c->rank ? order[(i + c->q.skip) % c->list.count] : i;

		if (!(c->tried_mask & (1u << at)))
			left[n++] = at;
	}
	if (!n)
		return -1;
	q.n = n;
	return (int)(c->rank ? balancer_first(c->up->balancer, &q, loop_now_ns())
			     : balancer_choose(c->up->balancer, &q, loop_now_ns()));
}

static void call_free(struct upstream_call *c)
{
	struct upstream *up = c->up;

	if (c->prev)
		c->prev->next = c->next;
	else
		up->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	registry_cancel(c->wait);
	httpc_cancel(c->call);
	balancer_end(up->balancer, &c->ticket, BALANCE_DROPPED, false, loop_now_ns());
	loop_timer_free(c->timer);
	for (char **h = c->headers; *h; h++)
		free(*h);
	free(c->path);
	free(c->rank);
	free(c->hash);
	free(c);
}

static void finish(struct upstream_call *c, const struct httpc_response *resp)
{
	void (*done)(void *, const struct httpc_response *, size_t) = c->q.done;
	void *arg = c->q.arg;
	size_t n = c->list.count;

	/* done() may start the next call; this one must not be cancelled by it any more. */
	done(arg, resp, n);
	call_free(c);
}

static void look_up(struct upstream_call *c);

/* Later, after a growing pause with jitter; or gives up with this answer. */
static void again(struct upstream_call *c, const struct httpc_response *resp)
{
	/* The clock's last digits are chance enough to keep clients apart. */
	int64_t pause = c->pause_ns / 2 + loop_now_ns() % (c->pause_ns / 2);

	if (loop_now_ns() + pause >= c->end_ns) {
		c->up->failures++;
		finish(c, resp);
		return;
	}
	c->pause_ns = c->pause_ns * 2 < PAUSE_MAX_NS ? c->pause_ns * 2 : PAUSE_MAX_NS;
	c->fresh = true;
	loop_timer_set(c->timer, pause);
}

static bool not_sent(int code)
{
	return code == -ECONNREFUSED || code == -EHOSTUNREACH || code == -ENOENT || code == -EACCES;
}

static void try_next(struct upstream_call *c, const struct httpc_response *last);

/* By its own limit, not by that of a connection. */
static bool timed_out(const struct upstream_call *c)
{
	return c->q.http.timeout_ms &&
		loop_now_ns() - c->ticket.from_ns >= c->q.http.timeout_ms * NS_PER_MS;
}

static void on_response(void *arg, const struct httpc_response *resp)
{
	struct upstream_call *c = arg;
	bool busy = resp->code == 0 && resp->status == 503;
	bool broke = resp->code == -EIO || (resp->code == -ETIMEDOUT && c->q.retry_ms);

	c->call = NULL;
	if (resp->code == -ETIMEDOUT && timed_out(c))
		log_warn("no answer in time", "kind=%s path=\"%.100s\"", c->q.key, c->path);
	balancer_end(c->up->balancer, &c->ticket,
		not_sent(resp->code)             ? BALANCE_AWAY
			: resp->code < 0 || busy ? BALANCE_BAD
						 : BALANCE_GOOD,
		!c->q.waits, loop_now_ns());
	if (not_sent(resp->code) || busy || (broke && c->q.idempotent))
		try_next(c, resp);
	else
		finish(c, resp);
}

static void try_next(struct upstream_call *c, const struct httpc_response *last)
{
	struct httpc_request q = c->q.http;
	char url[ENDPOINT_BYTES + 1024];
	int i = c->q.retry_ms || !c->tried_mask ? choose(c) : -1;

	if (i < 0 || (c->tried_mask && loop_now_ns() >= c->end_ns)) {
		again(c, last);
		return;
	}
	if (c->tried_mask)
		c->up->retries++;
	c->tried_mask |= 1u << i;
	snprintf(url, sizeof(url), "http://%s%s", c->list.item[i].text, c->path);
	q.url = url;
	q.headers = (const char *const *)c->headers;
	q.done = on_response;
	q.arg = c;
	if (httpc_start(c->up->http, &q, &c->call) < 0) {
		again(c, last);
		return;
	}
	c->ticket = balancer_begin(c->up->balancer, c->list.item[i].text, loop_now_ns());
}

static void on_list(void *arg, const struct endpoints *list)
{
	static const struct httpc_response unknown = {
		.code = -ENOENT, .error = "no instance is registered", .body = ""};
	struct upstream_call *c = arg;

	c->wait = NULL;
	c->list = *list;
	c->tried_mask = 0;
	if (c->list.count)
		try_next(c, &unknown);
	else
		again(c, &unknown);
}

static void look_up(struct upstream_call *c)
{
	static const struct httpc_response failed = {
		.code = -ENOMEM, .error = "out of memory", .body = ""};
	bool fresh = c->fresh;

	c->fresh = false;
	if (registry_get(c->up->reg, c->q.key, fresh, on_list, c, &c->wait) < 0)
		again(c, &failed);
}

static void on_timer(void *arg)
{
	look_up(arg);
}

static int copy(struct upstream_call *c)
{
	const char *const *h = c->q.http.headers;

	c->path = strdup(c->q.path);
	c->rank = c->q.rank ? strdup(c->q.rank) : NULL;
	c->hash = c->q.hash ? strdup(c->q.hash) : NULL;
	if (!c->path || (c->q.rank && !c->rank) || (c->q.hash && !c->hash))
		return -ENOMEM;
	for (size_t i = 0; h && h[i]; i++) {
		if (i == HEADERS_MAX)
			return -E2BIG;
		c->headers[i] = strdup(h[i]);
		if (!c->headers[i])
			return -ENOMEM;
	}
	return loop_timer_new(c->up->loop, on_timer, c, &c->timer);
}

int upstream_start(
	struct upstream *up, const struct upstream_request *q, struct upstream_call **out)
{
	struct upstream_call *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct upstream_call){.up = up, .q = *q, .pause_ns = PAUSE_MIN_NS, .next = up->calls};
	c->end_ns = loop_now_ns() + q->retry_ms * NS_PER_MS;
	if (c->next)
		c->next->prev = c;
	up->calls = c;
	r = copy(c);
	if (r < 0) {
		call_free(c);
		return r;
	}
	*out = c;
	/* From the loop, so that done() never comes before this returns; a known address needs no detour. */
	loop_timer_set(c->timer, 0);
	return 0;
}

void upstream_cancel(struct upstream_call *call)
{
	if (call)
		call_free(call);
}
