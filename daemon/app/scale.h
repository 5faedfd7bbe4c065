/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many replicas a service is to have, from what another service says of itself: pure.
 *
 *   scale:
 *     min: 1, max: 4               required; 1 <= max, min <= max
 *     target: 0.5                  required; the metric is to be at most this
 *     metric: {service: db, port: 9001, path: /metrics, name: micro_tasks_oldest_ready_seconds}     path is /metrics when it is not said
 *     interval_ms: 500             from one look to the next
 *     down_after_s: 10             so long at half of the target or below, and one replica goes
 *
 *   above the target: one more, above twice the target: twice as many, at most once in SCALE_UP_PAUSE_NS
 */
#ifndef DAEMON_APP_SCALE_H
#define DAEMON_APP_SCALE_H

#include "daemon/check.h"

#include <stddef.h>
#include <stdint.h>

#define SCALE_UP_PAUSE_NS   (INT64_C(1000000000))
#define SCALE_METRIC_BYTES  128
#define SCALE_PATH_BYTES    128
#define SCALE_SERVICE_BYTES 25

struct scale_spec {
	unsigned min, max; /* max 0: the service is not scaled */
	double target;
	unsigned interval_ms, down_after_s;
	unsigned port;
	char service[SCALE_SERVICE_BYTES], path[SCALE_PATH_BYTES], name[SCALE_METRIC_BYTES];
};

/* The field "scale" of a service; null and a missing one leave spec as it is. 0 or -EINVAL with check. */
int scale_take(struct check *check, const json_t *value, struct scale_spec *spec);

struct scale_state {
	int64_t up_ns;    /* when there were more the last time; 0: never */
	int64_t below_ns; /* since when the metric is low; 0: it is not */
};
/* How many there are to be from now on, replicas of them being wanted so far. value: what the metric says. */
unsigned scale_decide(const struct scale_spec *spec, struct scale_state *state, unsigned replicas,
	double value, int64_t now_ns);

/*
 * The sum of the samples of that name in a text of metrics (Prometheus exposition format). 0; -ENOENT: there is none; -EPROTO: what
 * stands there is no number that is at least 0.
 */
int scale_metric(const char *text, size_t len, const char *name, double *value);

/* The same in an HTTP answer that is complete. -EPROTO also for any status but 200. */
int scale_answer(const char *answer, size_t len, const char *name, double *value);

#endif
