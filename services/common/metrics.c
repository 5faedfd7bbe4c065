/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/metrics.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
	int64_t ns;
	const char *text;
} bounds[METRICS_BUCKETS] = {
	{500000, "0.0005"},
	{1000000, "0.001"},
	{2500000, "0.0025"},
	{10000000, "0.01"},
	{50000000, "0.05"},
	{250000000, "0.25"},
	{1000000000, "1"},
	{5000000000, "5"},
	{15000000000, "15"},
	{30000000000, "30"},
};

void histogram_add(struct histogram *h, int64_t ns)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS && ns > bounds[i].ns)
		i++;
	h->bucket[i]++;
	h->count++;
	h->sum_ns += (uint64_t)ns;
}

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP micro_%s %s\n# TYPE micro_%s %s\n", name, help, name, type);
}

void metrics_sample(struct buf *out, const char *name, const char *labels, uint64_t value)
{
	if (*labels)
		buf_printf(out, "micro_%s{%s} %" PRIu64 "\n", name, labels, value);
	else
		buf_printf(out, "micro_%s %" PRIu64 "\n", name, value);
}

void metrics_counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metrics_head(out, name, "counter", help);
	metrics_sample(out, name, "", value);
}

void metrics_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metrics_head(out, name, "gauge", help);
	metrics_sample(out, name, "", value);
}

void metrics_histogram(
	struct buf *out, const char *name, const char *labels, const struct histogram *h)
{
	const char *comma = *labels ? "," : "", *open = *labels ? "{" : "",
		   *close = *labels ? "}" : "";
	uint64_t sum = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		sum += h->bucket[i];
		buf_printf(out, "micro_%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name, labels, comma,
			bounds[i].text, sum);
	}
	buf_printf(out, "micro_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma,
		h->count);
	buf_printf(out, "micro_%s_sum%s%s%s %.9f\n", name, open, labels, close,
		(double)h->sum_ns / 1e9);
	buf_printf(out, "micro_%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, h->count);
}

void metrics_process(struct buf *out)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru) < 0)
		return;
	metrics_head(out, "process_cpu_seconds_total", "counter", "CPU time used.");
	buf_printf(out, "micro_process_cpu_seconds_total %.6f\n",
		(double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
			(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
	metrics_gauge(out, "process_max_memory_bytes", "Peak of the resident memory.",
		(uint64_t)ru.ru_maxrss * 1024);
}
