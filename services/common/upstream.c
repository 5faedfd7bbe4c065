/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers are remembered by address in a small table: requests in flight, and until when a failing one is passed over.
 * A peer in disgrace is still taken when there is no other.
 */
#include "services/common/upstream.h"

#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define PEERS_MAX    64
#define DISGRACE_NS  (2 * NS_PER_S)
#define PAUSE_MIN_NS (20 * NS_PER_MS)
#define PAUSE_MAX_NS (500 * NS_PER_MS)
#define HEADERS_MAX  16

struct peer {
	char text[ENDPOINT_BYTES];
	unsigned int in_flight;
	int64_t bad_until_ns, used_ns;
};

struct upstream {
	struct loop *loop;
	struct httpc *http;
	struct registry *reg;
	enum balance balance;
	uint64_t turn, failures, retries;
	uint32_t random;
	struct peer peer[PEERS_MAX];
	size_t peers;
	struct upstream_call *calls;
};

struct upstream_call {
	struct upstream *up;
	struct upstream_request q; /* with own copies of path, rank, headers */
	char *path, *rank;         /* owned */
	char *headers[HEADERS_MAX + 1];
	struct endpoints list;
	uint32_t tried_mask; /* of list, in this round */
	bool fresh;          /* the next lookup passes the cache */
	int64_t end_ns, pause_ns;
	struct peer *peer; /* of the request under way */
	struct registry_wait *wait;
	struct httpc_call *call;
	struct loop_timer *timer;
	struct upstream_call *prev, *next;
};

int balance_parse(const char *text, enum balance *out)
{
	static const char *const names[] = {
		[BALANCE_ROUND_ROBIN] = "round_robin",
		[BALANCE_LEAST] = "least_in_flight",
		[BALANCE_TWO] = "two_choices",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum balance)i;
			return 0;
		}
	}
	return -EINVAL;
}

int upstream_new(struct loop *loop, struct httpc *http, struct registry *reg, enum balance balance,
	struct upstream **out)
{
	struct upstream *up = calloc(1, sizeof(*up));

	if (!up)
		return -ENOMEM;
	*up = (struct upstream){.loop = loop, .http = http, .reg = reg, .balance = balance};
	up->random = (uint32_t)loop_now_ns() | 1;
	*out = up;
	return 0;
}

void upstream_free(struct upstream *up)
{
	if (!up)
		return;
	while (up->calls)
		upstream_cancel(up->calls);
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

static uint32_t next_random(struct upstream *up)
{
	up->random ^= up->random << 13;
	up->random ^= up->random >> 17;
	up->random ^= up->random << 5;
	return up->random;
}

static struct peer *peer_of(struct upstream *up, const char *text)
{
	struct peer *oldest = NULL;

	for (size_t i = 0; i < up->peers; i++) {
		struct peer *p = &up->peer[i];

		if (strcmp(p->text, text) == 0)
			return p;
		if (!p->in_flight && (!oldest || p->used_ns < oldest->used_ns))
			oldest = p;
	}
	if (up->peers < PEERS_MAX)
		oldest = &up->peer[up->peers++];
	if (!oldest)
		return NULL; /* all in use: this one goes uncounted */
	*oldest = (struct peer){0};
	snprintf(oldest->text, sizeof(oldest->text), "%s", text);
	return oldest;
}

static bool is_good(struct upstream *up, const char *text, int64_t now)
{
	const struct peer *p = peer_of(up, text);

	return !p || p->bad_until_ns <= now;
}

static unsigned int load(struct upstream *up, const struct endpoints *list, size_t i)
{
	const struct peer *p = peer_of(up, list->item[i].text);

	return p ? p->in_flight : 0;
}

/* The first candidate in the given order that is in good standing, else the first. */
static size_t first_good(
	struct upstream *up, const struct endpoints *list, const size_t *order, size_t n)
{
	int64_t now = loop_now_ns();

	for (size_t i = 0; i < n; i++) {
		if (is_good(up, list->item[order[i]].text, now))
			return order[i];
	}
	return order[0];
}

static size_t least_loaded(
	struct upstream *up, const struct endpoints *list, const size_t *order, size_t n)
{
	size_t best = order[0];

	for (size_t i = 1; i < n; i++) {
		if (load(up, list, order[i]) < load(up, list, best))
			best = order[i];
	}
	return best;
}

/* Rotates the candidates by turn, then lets the policy choose among those in good standing. */
static size_t choose_free(
	struct upstream *up, const struct endpoints *list, const size_t *from, size_t n)
{
	size_t order[ENDPOINTS_MAX], good = 0, start = up->turn++ % n;
	int64_t now = loop_now_ns();

	for (size_t i = 0; i < n; i++) {
		size_t c = from[(start + i) % n];

		if (is_good(up, list->item[c].text, now))
			order[good++] = c;
	}
	if (!good)
		return from[start];
	switch (up->balance) {
	case BALANCE_ROUND_ROBIN:
		break;
	case BALANCE_LEAST:
		return least_loaded(up, list, order, good);
	case BALANCE_TWO: {
		size_t two[2] = {order[next_random(up) % good], order[next_random(up) % good]};

		return least_loaded(up, list, two, 2);
	}
	}
	return order[0];
}

/* Which instance next; -1: all have been tried in this round. */
static int choose(struct upstream_call *c)
{
	size_t order[ENDPOINTS_MAX], left[ENDPOINTS_MAX], n = 0;

	if (c->rank)
		endpoints_rank(&c->list, c->rank, order);
	for (size_t i = 0; i < c->list.count; i++) {
		size_t at = c->rank ? order[(i + c->q.skip) % c->list.count] : i;

		if (!(c->tried_mask & (1u << at)))
			left[n++] = at;
	}
	if (!n)
		return -1;
	return (int)(c->rank ? first_good(c->up, &c->list, left, n)
			     : choose_free(c->up, &c->list, left, n));
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
	if (c->peer)
		c->peer->in_flight--;
	loop_timer_free(c->timer);
	for (char **h = c->headers; *h; h++)
		free(*h);
	free(c->path);
	free(c->rank);
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
	int64_t pause = c->pause_ns / 2 + next_random(c->up) % (uint32_t)(c->pause_ns / 2);

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
	return code == -ECONNREFUSED || code == -ENOENT || code == -EACCES;
}

static void try_next(struct upstream_call *c, const struct httpc_response *last);

static void on_response(void *arg, const struct httpc_response *resp)
{
	struct upstream_call *c = arg;
	bool busy = resp->code == 0 && resp->status == 503;
	bool broke = resp->code == -EIO || (resp->code == -ETIMEDOUT && c->q.retry_ms);

	c->call = NULL;
	if (c->peer) {
		c->peer->in_flight--;
		if (resp->code < 0 || busy)
			c->peer->bad_until_ns = loop_now_ns() + DISGRACE_NS;
		else
			c->peer->bad_until_ns = 0;
		c->peer = NULL;
	}
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
	c->peer = peer_of(c->up, c->list.item[i].text);
	if (c->peer) {
		c->peer->in_flight++;
		c->peer->used_ns = loop_now_ns();
	}
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
	if (!c->path || (c->q.rank && !c->rank))
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
