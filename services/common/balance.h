/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which instance of a service a request goes to: policies, and the ejection of instances that fail. Pure: no clock, no
 * sockets; chance comes from a seed.
 *
 *            failures in a row (BALANCE_FAILURES), or nobody there        the back-off is over
 *   CLOSED ----------------------------------------------------> EJECTED -----------------------> HALF_OPEN
 *     ^  ^                                                        |   ^                             |    |
 *     |  +--- answers all the same (no other was there) ----------+   +---- the probe fails: the ---+    |
 *     |                                                                     back-off doubles             |
 *     +------------------------------- the probe is answered --------------------------------------------+
 *
 * HALF_OPEN takes one request at a time, for the first seconds only one that may be repeated elsewhere. When all are ejected, the one whose
 * back-off ends first is taken: a guess is better than none.
 */
#ifndef SERVICES_COMMON_BALANCE_H
#define SERVICES_COMMON_BALANCE_H

#include "services/common/endpoint.h"

#include <stdbool.h>

#define BALANCE_FAILURES       3
#define BALANCE_BACKOFF_NS     (INT64_C(1000000000))
#define BALANCE_BACKOFF_MAX_NS (INT64_C(30000000000))

enum balance {
	BALANCE_ROUND_ROBIN, /* the one that was not asked for the longest time */
	BALANCE_WEIGHTED,    /* smoothly, in proportion to their weights */
	BALANCE_LEAST,       /* requests in flight from here, by weight */
	BALANCE_TWO,         /* the better of two random ones */
	BALANCE_FASTEST, /* time of answers (a moving average that forgets) times requests in flight */
	BALANCE_HASH,    /* the same for the same key, as long as it is well */
};

/* What became of a request. */
enum balance_result {
	BALANCE_GOOD,
	BALANCE_BAD,     /* broke off, timed out, or 503 */
	BALANCE_AWAY,    /* nobody there: no second try is needed to know it */
	BALANCE_DROPPED, /* given up by us: says nothing */
};

struct balancer;

/* Of a request under way. */
struct balance_ticket {
	struct balance_peer *peer; /* NULL: not counted */
	int64_t from_ns;
	bool probe;
};

/* 0 or -ENOMEM. */
int balancer_new(uint32_t seed, struct balancer **balancer);
void balancer_free(struct balancer *balancer); /* NULL is fine */

struct balance_question {
	enum balance policy;
	const struct endpoints *list;
	const size_t *from; /* indexes of list that may be chosen; n of them, at least one */
	size_t n;
	const char *key; /* of BALANCE_HASH; NULL: as BALANCE_ROUND_ROBIN */
	bool may_probe;  /* the request can be repeated elsewhere */
};
/* One of q->from. */
size_t balancer_choose(struct balancer *balancer, const struct balance_question *q, int64_t now_ns);
/* The first of q->from, in their order, that is well; else the first. */
size_t balancer_first(struct balancer *balancer, const struct balance_question *q, int64_t now_ns);

struct balance_ticket balancer_begin(
	struct balancer *balancer, const char *endpoint, int64_t now_ns);
/* timed: what the request took says something about the instance (it did not wait for an event there). */
void balancer_end(struct balancer *balancer, struct balance_ticket *ticket,
	enum balance_result result, bool timed, int64_t now_ns);

/* For metrics: ejections so far; instances that are not CLOSED now. */
uint64_t balancer_ejections(const struct balancer *balancer);
size_t balancer_ejected(const struct balancer *balancer);

/* Policies by kind of service. */
#define BALANCE_KINDS_MAX 3
struct balance_policies {
	enum balance any;
	struct {
		const char *key; /* registry key */
		enum balance policy;
	} kind[BALANCE_KINDS_MAX];
	size_t count;
};

/*
 * "POLICY", "KIND=POLICY", or several with commas between; KIND is db, storage or master. Policies: round_robin, weighted,
 * least_in_flight, two_choices, fastest, hash. What is not said is round_robin, of storage hash. 0 or -EINVAL with a sentence.
 */
int balance_policies_parse(const char *text, struct balance_policies *out, struct err *err);
enum balance balance_policy(const struct balance_policies *policies, const char *key);

#endif
