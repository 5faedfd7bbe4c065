/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health checks: from inside the instances' network, again and again as long as an instance runs.
 *
 *                 a check passes             `retries` checks failed one after the other
 *   STARTING ---------------------> HEALTHY <--------------------------> UNHEALTHY
 *       |                                         a check passes             ^
 *       +--------- `retries` failed, those in the start period not counted --+
 *
 * TCP: the port takes a connection. HTTP: GET gives a status from 200 to 399; no more than the first line is read. What is checked says nothing
 * for longer than the timeout: that is a failure too. In the start period checks follow each other fast, so that one that is well is known to be soon.
 */
#ifndef DAEMON_INSTANCE_HEALTH_H
#define DAEMON_INSTANCE_HEALTH_H

#include "daemon/check.h"

#include <stdint.h>

#define HEALTH_PATH_BYTES 256
#define HEALTH_LINE_BYTES 64 /* that are read of an answer */

struct loop;
struct network;
struct health;

enum health_kind { HEALTH_NONE, HEALTH_TCP, HEALTH_HTTP };

struct health_spec {
	enum health_kind kind;
	uint16_t port;
	char path[HEALTH_PATH_BYTES]; /* HTTP */
	unsigned interval_ms, timeout_ms, retries, start_period_ms;
	bool ends; /* what is unhealthy is ended, since something will start it again */
};

enum health_state { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };
extern const char *const health_state_names[]; /* NULL behind the last */

/* --- health_spec.c: pure --- */
/* The field of a request, schema HealthCheck; null and a missing one leave kind HEALTH_NONE. 0 or -EINVAL with check. */
int health_take(
	struct check *check, const char *field, const json_t *value, struct health_spec *spec);
/* The same back: a new reference; null for HEALTH_NONE. */
json_t *health_spec_json(const struct health_spec *spec);

struct health_tally {
	enum health_state state;
	unsigned failures; /* one after the other */
};
/* The result of a check of an instance that runs since age_ns. true: the state has changed. */
bool health_count(
	struct health_tally *tally, const struct health_spec *spec, bool good, int64_t age_ns);

/* The status of the first line of an HTTP answer; -EAGAIN: it may still come; -EPROTO: that is none. */
int health_status(const char *data, size_t len);

/* --- health.c --- */
/* fn is called from the loop when the state changes; why (borrowed) says how the last check failed, "" when it did not. fn may free the checks. 0
 * or -errno. */
typedef void health_fn(void *arg, enum health_state state, const char *why);
int health_new(struct loop *loop, const struct network *net, uint32_t ip,
	const struct health_spec *spec, health_fn *fn, void *arg, struct health **health);
void health_free(struct health *health); /* NULL is fine */
/* No checks from now on; what the last one said stays. */
void health_rest(struct health *health);
/* How the last check failed; "". */
const char *health_why(const struct health *health);

#endif
