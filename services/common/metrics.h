/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as text (Prometheus exposition format 0.0.4). Counters live where they are counted; a service writes them on
 * request. Names are prefixed "micro_".
 */
#ifndef SERVICES_COMMON_METRICS_H
#define SERVICES_COMMON_METRICS_H

#include "lib/buf.h"

#include <stdint.h>

#define METRICS_BUCKETS 10

/* Durations; the upper bounds are fixed: 0.5 ms to 30 s. */
struct histogram {
	uint64_t bucket[METRICS_BUCKETS + 1]; /* the last one: above all bounds */
	uint64_t count, sum_ns;
};

void histogram_add(struct histogram *h, int64_t ns);

/* Head of a family; type: "counter", "gauge", "histogram". */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);
/* One sample; labels: "" or `a="b",c="d"`, already escaped. */
void metrics_sample(struct buf *out, const char *name, const char *labels, uint64_t value);
/* Head and the one sample of a family without labels. */
void metrics_counter(struct buf *out, const char *name, const char *help, uint64_t value);
void metrics_gauge(struct buf *out, const char *name, const char *help, uint64_t value);
/* Samples of one histogram; the head is the caller's. */
void metrics_histogram(
	struct buf *out, const char *name, const char *labels, const struct histogram *h);
/* Memory, CPU time, descriptors and start time of this process, as far as the system tells. */
void metrics_process(struct buf *out);

#endif
