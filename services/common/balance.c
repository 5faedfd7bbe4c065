/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/balance.h"

#include "lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_MAX 64
#define FORGIVEN_NS                                                                                \
	(60 * NS_PER_S) /* so long after an ejection the next begins with the first back-off */
#define IMPATIENT_NS  (5 * NS_PER_S) /* after the back-off: any request is a probe */
#define EWMA_TAU_NS   (5 * NS_PER_S)
#define EWMA_LEAST_NS 1000

struct balance_peer {
	char text[ENDPOINT_BYTES];
	unsigned int in_flight, failures, ejections, probes;
	int64_t ejected_until_ns; /* 0: CLOSED */
	int64_t ejected_ns;       /* the last time */
	int64_t ewma_ns, ewma_at_ns;
	int64_t credit; /* of BALANCE_WEIGHTED */
	uint64_t used;  /* number of the request that it got last */
};

struct balancer {
	uint64_t requests, ejections;
	uint32_t random;
	size_t count;
	struct balance_peer peer[PEERS_MAX];
};

int balancer_new(uint32_t seed, struct balancer **out)
{
	struct balancer *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->random = seed | 1;
	*out = b;
	return 0;
}

void balancer_free(struct balancer *b)
{
	free(b);
}

static uint32_t next_random(struct balancer *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 17;
	b->random ^= b->random << 5;
	return b->random;
}

/* NULL: the table is full of busy ones, and this one goes uncounted. */
static struct balance_peer *peer_of(struct balancer *b, const char *text)
{
	struct balance_peer *oldest = NULL;

	for (size_t i = 0; i < b->count; i++) {
		struct balance_peer *p = &b->peer[i];

		if (strcmp(p->text, text) == 0)
			return p;
		if (!p->in_flight && (!oldest || p->used < oldest->used))
			oldest = p;
	}
	if (b->count < PEERS_MAX)
		oldest = &b->peer[b->count++];
	if (!oldest)
		return NULL;
	*oldest = (struct balance_peer){0};
	snprintf(oldest->text, sizeof(oldest->text), "%s", text);
	return oldest;
}

/* --- standing ----------------------------------------------------------------------------------------------------- */
static bool is_probe(const struct balance_peer *p, bool may_probe, int64_t now)
{
	int64_t from = p ? p->ejected_until_ns : 0;

	return from && !p->probes && now >= (may_probe ? from : from + IMPATIENT_NS);
}

static bool is_well(const struct balance_peer *p, bool may_probe, int64_t now)
{
	return !p || !p->ejected_until_ns || is_probe(p, may_probe, now);
}

static void eject(struct balancer *b, struct balance_peer *p, int64_t now)
{
	int64_t pause = BALANCE_BACKOFF_NS;

	if (!p->ejected_until_ns && now - p->ejected_ns > FORGIVEN_NS)
		p->ejections = 0;
	p->ejected_ns = now;
	for (unsigned int i = 0; i < p->ejections && pause < BALANCE_BACKOFF_MAX_NS; i++)
		pause *= 2;
	if (pause > BALANCE_BACKOFF_MAX_NS)
		pause = BALANCE_BACKOFF_MAX_NS;
	/* Many clients must not come back at the same moment. */
	pause -= (int64_t)(next_random(b) % 256) * (pause / 4) / 256;
	p->ejected_until_ns = now + pause;
	p->ejections++;
	p->failures = 0;
	b->ejections++;
}

/* --- policies ----------------------------------------------------------------------------------------------------- */
/* The candidates that are well, as the policies see them. */
struct field {
	struct balancer *b;
	const struct endpoints *list;
	size_t n, at[ENDPOINTS_MAX]; /* indexes of list */
	struct balance_peer *peer[ENDPOINTS_MAX];
	int64_t now;
};

static unsigned int weight_of(const struct field *f, size_t i)
{
	unsigned int weight = f->list->item[f->at[i]].weight;

	return weight ? weight : 1;
}

static uint64_t used(const struct field *f, size_t i)
{
	return f->peer[i] ? f->peer[i]->used : 0;
}

/* What one more request would cost there; the lower the better. */
typedef uint64_t cost_fn(const struct field *f, size_t i);

static uint64_t cost_of_turn(const struct field *f, size_t i)
{
	return used(f, i);
}

static uint64_t cost_of_load(const struct field *f, size_t i)
{
	return ((uint64_t)(f->peer[i] ? f->peer[i]->in_flight : 0) + 1) * 1000000 / weight_of(f, i);
}

/* An old average counts for less and less, so that one that was slow is tried again. */
static uint64_t cost_of_time(const struct field *f, size_t i)
{
	const struct balance_peer *p = f->peer[i];
	int64_t idle, ns;

	if (!p || !p->ewma_ns)
		return p ? p->in_flight : 0;
	idle = f->now - p->ewma_at_ns;
	ns = p->ewma_ns / 1000 * (EWMA_TAU_NS / 1000) / ((EWMA_TAU_NS + idle) / 1000) * 1000;
	return (uint64_t)(ns > EWMA_LEAST_NS ? ns : EWMA_LEAST_NS) * (p->in_flight + 1);
}

/* Among equals the one that waits for the longest time. */
static size_t cheapest(const struct field *f, cost_fn *cost)
{
	size_t best = 0;

	for (size_t i = 1; i < f->n; i++) {
		uint64_t a = cost(f, i), b = cost(f, best);

		if (a < b || (a == b && used(f, i) < used(f, best)))
			best = i;
	}
	return best;
}

/* Each gains its weight, the richest is taken and pays for all: a row such as a a b a c a a for weights 5, 1, 1. */
static size_t smoothly(const struct field *f)
{
	int64_t total = 0;
	size_t best = 0;

	for (size_t i = 0; i < f->n; i++) {
		total += weight_of(f, i);
		if (f->peer[i])
			f->peer[i]->credit += weight_of(f, i);
		if (f->peer[i] && (!f->peer[best] || f->peer[i]->credit > f->peer[best]->credit))
			best = i;
	}
	if (f->peer[best])
		f->peer[best]->credit -= total;
	return best;
}

static size_t of_two(const struct field *f)
{
	size_t a = next_random(f->b) % f->n, b = f->n > 1 ? next_random(f->b) % (f->n - 1) : a;

	if (f->n > 1 && b >= a)
		b++;
	return cost_of_load(f, b) < cost_of_load(f, a) ? b : a;
}

static size_t by_key(const struct field *f, const char *key)
{
	size_t order[ENDPOINTS_MAX];

	endpoints_rank(f->list, key, order);
	for (size_t o = 0; o < f->list->count; o++) {
		for (size_t i = 0; i < f->n; i++) {
			if (f->at[i] == order[o])
				return i;
		}
	}
	return 0;
}

static size_t by_policy(const struct field *f, const struct balance_question *q)
{
	switch (q->policy) {
	case BALANCE_ROUND_ROBIN:
		break;
	case BALANCE_WEIGHTED:
		return smoothly(f);
	case BALANCE_LEAST:
		return cheapest(f, cost_of_load);
	case BALANCE_TWO:
		return of_two(f);
	case BALANCE_FASTEST:
		return cheapest(f, cost_of_time);
	case BALANCE_HASH:
		if (q->key)
			return by_key(f, q->key);
		break;
	}
	return cheapest(f, cost_of_turn);
}

/* --- the choice --------------------------------------------------------------------------------------------------- */
static size_t first_back(struct balancer *b, const struct balance_question *q)
{
	size_t best = q->from[0];
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < q->n; i++) {
		const struct balance_peer *p = peer_of(b, q->list->item[q->from[i]].text);
		int64_t until = p ? p->ejected_until_ns : 0;

		if (until < least) {
			least = until;
			best = q->from[i];
		}
	}
	return best;
}

size_t balancer_choose(struct balancer *b, const struct balance_question *q, int64_t now)
{
	struct field f = {.b = b, .list = q->list, .now = now};

	for (size_t i = 0; i < q->n; i++) {
		struct balance_peer *p = peer_of(b, q->list->item[q->from[i]].text);

		/* One whose time has come is looked at with the next request, whatever the policy thinks of it. */
		if (is_probe(p, q->may_probe, now) && !(q->policy == BALANCE_HASH && q->key))
			return q->from[i];
		if (!is_well(p, q->may_probe, now))
			continue;
		f.at[f.n] = q->from[i];
		f.peer[f.n++] = p;
	}
	return f.n ? f.at[by_policy(&f, q)] : first_back(b, q);
}

size_t balancer_first(struct balancer *b, const struct balance_question *q, int64_t now)
{
	for (size_t i = 0; i < q->n; i++) {
		if (is_well(peer_of(b, q->list->item[q->from[i]].text), q->may_probe, now))
			return q->from[i];
	}
	return q->from[0];
}

/* --- results ------------------------------------------------------------------------------------------------------ */
struct balance_ticket balancer_begin(struct balancer *b, const char *endpoint, int64_t now)
{
	struct balance_peer *p = peer_of(b, endpoint);
	struct balance_ticket t = {.peer = p, .from_ns = now};

	if (!p)
		return t;
	t.probe = p->ejected_until_ns != 0;
	p->probes += t.probe;
	p->in_flight++;
	p->used = ++b->requests;
	return t;
}

/* What is slower than the average counts at once, what is faster by and by. */
static void add_time(struct balance_peer *p, int64_t took, int64_t now)
{
	int64_t passed = (now - p->ewma_at_ns) / 1000, tau = EWMA_TAU_NS / 1000;

	if (!p->ewma_ns || took > p->ewma_ns)
		p->ewma_ns = took;
	else
		p->ewma_ns -=
			(p->ewma_ns - took) / 1000 * (passed + tau / 20) / (passed + tau) * 1000;
	p->ewma_at_ns = now;
}

void balancer_end(struct balancer *b, struct balance_ticket *t, enum balance_result result,
	bool timed, int64_t now)
{
	struct balance_peer *p = t->peer;

	t->peer = NULL;
	if (!p)
		return;
	p->in_flight--;
	p->probes -= t->probe;
	switch (result) {
	case BALANCE_GOOD:
		p->failures = 0;
		if (t->probe)
			p->ejected_until_ns = 0;
		if (timed)
			add_time(p, now - t->from_ns, now);
		break;
	case BALANCE_BAD:
	case BALANCE_AWAY:
		/* What was sent before the ejection says nothing new. */
		if (p->ejected_until_ns && !t->probe)
			break;
		if (t->probe || result == BALANCE_AWAY || ++p->failures >= BALANCE_FAILURES)
			eject(b, p, now);
		break;
	case BALANCE_DROPPED:
		break;
	}
}

uint64_t balancer_ejections(const struct balancer *b)
{
	return b->ejections;
}

size_t balancer_ejected(const struct balancer *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++)
		n += b->peer[i].ejected_until_ns != 0;
	return n;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */
static int parse_policy(const char *text, size_t len, enum balance *out)
{
	static const char *const names[] = {
		[BALANCE_ROUND_ROBIN] = "round_robin",
		[BALANCE_WEIGHTED] = "weighted",
		[BALANCE_LEAST] = "least_in_flight",
		[BALANCE_TWO] = "two_choices",
		[BALANCE_FASTEST] = "fastest",
		[BALANCE_HASH] = "hash",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == len && memcmp(text, names[i], len) == 0) {
			*out = (enum balance)i;
			return 0;
		}
	}
	return -EINVAL;
}

static size_t kind_index(const struct balance_policies *p, const char *key)
{
	size_t i = 0;

	while (i < p->count && strcmp(p->kind[i].key, key) != 0)
		i++;
	return i;
}

static void set_kind(struct balance_policies *p, const char *key, enum balance policy)
{
	size_t i = kind_index(p, key);

	p->kind[i].key = key;
	p->kind[i].policy = policy;
	if (i == p->count)
		p->count++;
}

static int parse_item(const char *s, size_t len, struct balance_policies *p)
{
	static const char *const kinds[BALANCE_KINDS_MAX][2] = {{"db=", "dbendpoint"},
		{"storage=", "storageendpoint"}, {"master=", "masterendpoint"}};
	enum balance policy;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i][0]);

		if (len <= n || memcmp(s, kinds[i][0], n) != 0)
			continue;
		if (parse_policy(s + n, len - n, &policy) < 0)
			return -EINVAL;
		set_kind(p, kinds[i][1], policy);
		return 0;
	}
	return parse_policy(s, len, &p->any);
}

int balance_policies_parse(const char *text, struct balance_policies *out, struct err *err)
{
	struct balance_policies p = {.any = BALANCE_ROUND_ROBIN};

	/* A picture's place follows from its number: masters and workers agree without asking each other. */
	set_kind(&p, "storageendpoint", BALANCE_HASH);
	while (*text) {
		size_t len = strcspn(text, ",");

		if (parse_item(text, len, &p) < 0)
			return err_set(err, EINVAL,
				"\"%.*s\" is not [db=|storage=|master=]POLICY (round_robin, "
				"weighted, "
				"least_in_flight, two_choices, fastest, hash)",
				len > 60 ? 60 : (int)len, text);
		text += len + (text[len] == ',');
	}
	*out = p;
	return 0;
}

enum balance balance_policy(const struct balance_policies *p, const char *key)
{
	size_t i = kind_index(p, key);

	return i < p->count ? p->kind[i].policy : p->any;
}
