/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a kind of service, whichever instance that is: the address is looked up, one of the live instances is chosen,
 * and where it is safe a failed request is tried again elsewhere, with the address looked up anew. Who chooses, and who passes
 * over what fails, is balance.h.
 *
 *   start -> look up -> choose -> request --ok--> done()
 *              ^  ^                  |
 *              |  +-- pause <--------+ failed: not sent, or idempotent, or 503; until retry_ms is over
 */
#ifndef SERVICES_COMMON_UPSTREAM_H
#define SERVICES_COMMON_UPSTREAM_H

#include "lib/httpc.h"
#include "services/common/balance.h"
#include "services/common/registry.h"

struct upstream;
struct upstream_call;

struct upstream_request {
	const char *key;  /* registry key, borrowed for ever (a constant) */
	const char *path; /* with query; copied */
	const char *
		rank; /* not NULL: instances are preferred in the order of endpoints_rank(); copied */
	size_t skip; /* with rank: so many of that order are passed over (another instance than the first) */
	const char *hash; /* for BALANCE_HASH, when rank is NULL; copied; may be NULL */
	bool waits;       /* a long poll: how long it takes says nothing about the instance */
	bool idempotent;  /* may be sent again when it broke off */
	int64_t retry_ms; /* for how long failures are retried; 0: not at all */
	/* As in httpc_request: url, done and arg are not used. Headers are copied; bodies and parts are borrowed until
	 * done() or upstream_cancel(). */
	struct httpc_request http;
	/* Called once from the loop. resp->code is -ENOENT when no instance is registered. instances: how many were known. */
	void (*done)(void *arg, const struct httpc_response *resp, size_t instances);
	void *arg;
};

/* policies are copied. 0 or -errno. */
int upstream_new(struct loop *loop, struct httpc *http, struct registry *reg,
	const struct balance_policies *policies, struct upstream **up);
void upstream_free(struct upstream *up); /* cancels all; NULL is fine */
/* 0 or -errno; call is valid until done() or upstream_cancel(). */
int upstream_start(
	struct upstream *up, const struct upstream_request *q, struct upstream_call **call);
void upstream_cancel(struct upstream_call *call); /* NULL is fine */
/* Failures and repetitions so far, for metrics. */
uint64_t upstream_failures(const struct upstream *up);
uint64_t upstream_retries(const struct upstream *up);
const struct balancer *upstream_balancer(const struct upstream *up);

#endif
