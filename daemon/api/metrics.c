/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: Prometheus text exposition, version 0.0.4. */
#include "daemon/api/api.h"
#include "daemon/core.h"
#include "daemon/fn/fn.h"
#include "daemon/instance/instance.h"
#include "daemon/names.h"
#include "daemon/pool.h"
#include "daemon/snapshot/snapshot.h"
#include "lib/buf.h"
#include "lib/loop.h"

static const char *const start_bucket_le[] = {
	"0.001", "0.002", "0.005", "0.01", "0.05", "0.2", "1", "+Inf"};
_Static_assert(ARRAY_SIZE(start_bucket_le) == ARRAY_SIZE(((struct counters *)0)->start_bucket),
	"one name a bucket");

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buf *b, const char *name, const char *type, const char *help,
	unsigned long long value)
{
	head(b, name, type, help);
	buf_printf(b, "%s %llu\n", name, value);
}

static void vms(struct buf *b, const struct core *core)
{
	unsigned count[VM_CRASHED + 1] = {0};

	for (const struct instance *i = instances_first(core->instances); i; i = i->next)
		count[i->state]++;
	head(b, "uigniter_vms", "gauge", "VMs by state.");
	for (size_t s = 0; s < ARRAY_SIZE(count); s++)
		buf_printf(b, "uigniter_vms{state=\"%s\"} %u\n", instance_state_names[s], count[s]);
}

static void pool_gauge(struct buf *b, const struct core *core, const char *name, const char *type,
	const char *help, uint64_t (*value)(const struct pool *pool))
{
	head(b, name, type, help);
	for (const struct pool *p = pools_first(core->pools); p; p = p->next)
		buf_printf(b, "%s{profile=\"%s\"} %llu\n", name, p->name,
			(unsigned long long)value(p));
}

static uint64_t of_ready(const struct pool *p)
{
	return p->ready;
}

static uint64_t of_preparing(const struct pool *p)
{
	return p->preparing;
}

static uint64_t of_target(const struct pool *p)
{
	return p->set.target;
}

static uint64_t of_hits(const struct pool *p)
{
	return p->hits;
}

static uint64_t of_misses(const struct pool *p)
{
	return p->misses;
}

static uint64_t of_deaths(const struct pool *p)
{
	return p->deaths;
}

static void pools(struct buf *b, const struct core *core)
{
	pool_gauge(b, core, "uigniter_pool_ready", "gauge", "Prepared VMs.", of_ready);
	pool_gauge(b, core, "uigniter_pool_preparing", "gauge", "VMs under preparation.",
		of_preparing);
	pool_gauge(b, core, "uigniter_pool_target", "gauge", "VMs to keep prepared.", of_target);
	pool_gauge(b, core, "uigniter_pool_hits_total", "counter", "Runs that found a prepared VM.",
		of_hits);
	pool_gauge(b, core, "uigniter_pool_misses_total", "counter", "Runs that found none.",
		of_misses);
	pool_gauge(b, core, "uigniter_pool_deaths_total", "counter",
		"Prepared VMs that died unused.", of_deaths);
}

/* --- functions ----------------------------------------------------------------------------------------------- */
static uint64_t of_instances(const struct fn *fn)
{
	const struct instance *i = NULL;
	unsigned unused;
	uint64_t n = 0;

	while ((i = fn_instance_next(fn, i, &unused)))
		n++;
	return n;
}

static uint64_t of_queued(const struct fn *fn)
{
	return fn_queued(fn);
}

static uint64_t of_in_flight(const struct fn *fn)
{
	return fn_in_flight(fn);
}

static uint64_t of_requests(const struct fn *fn)
{
	return fn_counters(fn)->requests;
}

static uint64_t of_cold(const struct fn *fn)
{
	return fn_counters(fn)->cold;
}

static uint64_t of_rejected(const struct fn *fn)
{
	return fn_counters(fn)->rejected;
}

static uint64_t of_failed(const struct fn *fn)
{
	return fn_counters(fn)->failed;
}

static uint64_t of_retries(const struct fn *fn)
{
	return fn_counters(fn)->retries;
}

static uint64_t of_starts(const struct fn *fn)
{
	return fn_counters(fn)->starts;
}

static uint64_t of_start_failures(const struct fn *fn)
{
	return fn_counters(fn)->start_failures;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(const struct fn *fn);
} fn_metrics[] = {
	{"uigniter_fn_instances", "gauge", "Instances of the function.", of_instances},
	{"uigniter_fn_queued", "gauge", "Requests that wait for an instance.", of_queued},
	{"uigniter_fn_in_flight", "gauge", "Requests that instances work on.", of_in_flight},
	{"uigniter_fn_requests_total", "counter", "Requests taken.", of_requests},
	{"uigniter_fn_cold_total", "counter", "Requests that waited for a start.", of_cold},
	{"uigniter_fn_rejected_total", "counter", "Requests answered with 429 or 503.",
		of_rejected},
	{"uigniter_fn_failed_total", "counter", "Requests answered with 502 or 504, or broken off.",
		of_failed},
	{"uigniter_fn_retries_total", "counter", "Connections to instances that were tried again.",
		of_retries},
	{"uigniter_fn_starts_total", "counter", "Instances started.", of_starts},
	{"uigniter_fn_start_failures_total", "counter", "Instances that failed.",
		of_start_failures},
};

static void functions(struct buf *b, const struct fns *fns)
{
	for (size_t i = 0; i < ARRAY_SIZE(fn_metrics) && fns_first(fns); i++) {
		head(b, fn_metrics[i].name, fn_metrics[i].type, fn_metrics[i].help);
		for (const struct fn *fn = fns_first(fns); fn; fn = fn_next(fn))
			buf_printf(b, "%s{fn=\"%s\"} %llu\n", fn_metrics[i].name, fn_name(fn),
				(unsigned long long)fn_metrics[i].value(fn));
	}
}

static void starts(struct buf *b, const struct counters *c)
{
	uint64_t sum = 0;

	head(b, "uigniter_vm_start_seconds", "histogram",
		"Time from the request to the running VM.");
	for (size_t i = 0; i < ARRAY_SIZE(start_bucket_le); i++) {
		sum += c->start_bucket[i];
		buf_printf(b, "uigniter_vm_start_seconds_bucket{le=\"%s\"} %llu\n",
			start_bucket_le[i], (unsigned long long)sum);
	}
	buf_printf(b, "uigniter_vm_start_seconds_sum %.6f\nuigniter_vm_start_seconds_count %llu\n",
		(double)c->start_ns_sum / (double)NS_PER_S, (unsigned long long)c->start_count);
}

static void names(struct buf *b, const struct names *names)
{
	const struct dns_counters none = {0}, *c = names ? names_counters(names) : &none;

	single(b, "uigniter_dns_queries_total", "counter", "Questions for names.", c->queries);
	single(b, "uigniter_dns_tcp_queries_total", "counter", "Those of them that came by TCP.",
		c->tcp_queries);
	single(b, "uigniter_dns_nxdomain_total", "counter", "Names that do not exist.",
		c->nxdomain);
	single(b, "uigniter_dns_refused_total", "counter", "Names that are not ours.", c->refused);
	single(b, "uigniter_dns_errors_total", "counter", "Questions that can not be served.",
		c->failed);
	single(b, "uigniter_dns_dropped_total", "counter",
		"Datagrams that were not answered: foreign, no questions, too many.", c->dropped);
	single(b, "uigniter_dns_connections_dropped_total", "counter",
		"Connections that were not taken.", c->connections_dropped);
}

static void snapshots(struct buf *b, const struct core *core)
{
	const struct counters *c = &core->counters;
	unsigned long long n = 0;

	for (const struct snapshot *s = snapshots_first(core->snapshots); s; s = snapshot_next(s))
		n++;
	single(b, "uigniter_snapshots", "gauge", "Snapshots, with those being made.", n);
	single(b, "uigniter_snapshot_bytes", "gauge", "What they have of the disk.",
		snapshots_bytes(core->snapshots));
	single(b, "uigniter_snapshots_made_total", "counter", "Snapshots made.", c->snapshots_made);
	single(b, "uigniter_snapshot_failures_total", "counter", "Snapshots that were not made.",
		c->snapshots_failed);
	single(b, "uigniter_snapshot_runs_total", "counter", "VMs that went on from one.",
		c->snapshot_runs);
}

void system_metrics(struct httpd_req *req)
{
	const struct core *core = api_core(req);
	const struct counters *c = &core->counters;
	_cleanup_buf_ struct buf b;

	buf_init(&b, 0);
	vms(&b, core);
	pools(&b, core);
	functions(&b, core->fns);
	starts(&b, c);
	names(&b, core->names);
	snapshots(&b, core);
	single(&b, "uigniter_vm_runs_total", "counter", "VMs made.", c->runs);
	single(&b, "uigniter_vm_failures_total", "counter", "VMs that could not be started.",
		c->run_failures);
	single(&b, "uigniter_vm_ends_total", "counter", "VMs that ended, in any way.", c->ended);
	single(&b, "uigniter_vm_crashes_total", "counter", "VMs that crashed.", c->crashed);
	single(&b, "uigniter_http_requests_total", "counter", "Requests of the API.", c->requests);
	single(&b, "uigniter_http_errors_4xx_total", "counter", "Requests answered with 4xx.",
		c->requests_4xx);
	single(&b, "uigniter_http_errors_5xx_total", "counter", "Requests answered with 5xx.",
		c->requests_5xx);
	single(&b, "uigniter_addresses_free", "gauge", "Addresses of the subnet that are not used.",
		network_free_addresses(core->network));
	single(&b, "uigniter_shells", "gauge",
		"Monitors that hold anything, prepared, running or ending.", core->shell_count);
	single(&b, "uigniter_uptime_seconds", "gauge", "Seconds since the manager started.",
		(unsigned long long)((loop_now_ns() - core->started_ns) / NS_PER_S));
	httpd_reply(
		req, 200, "text/plain; version=0.0.4; charset=utf-8", b.data ? b.data : "", b.len);
}
