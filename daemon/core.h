/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all parts of the manager share: one value, owned by main.c, everything on the loop's thread. Each part keeps
 * its own state behind its own type; this is only how they find each other.
 */
#ifndef DAEMON_CORE_H
#define DAEMON_CORE_H

#include "daemon/config.h"
#include "daemon/host_id.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct cgroups;
struct names;
struct network;
struct apps;
struct fns;
struct snapshots;
struct templates;
struct operations;
struct builds;
struct images;
struct instances;
struct pools;
struct shell;
struct keep;
struct kernels;
struct trash;
struct state_db;
struct events;
struct httpc;

/* Totals since the start, for /metrics. */
struct counters {
	uint64_t runs, run_failures, ended, crashed;
	uint64_t snapshots_made, snapshots_failed, snapshot_runs;
	uint64_t requests, requests_4xx, requests_5xx;
	uint64_t start_count, start_ns_sum;
	uint64_t start_bucket[8]; /* start_bucket_ms of metrics.c, the last one is unbounded */
};

struct core {
	struct config config;
	struct loop *loop;
	struct httpc *httpc;     /* client of the monitors' APIs */
	struct reports *reports; /* of monitors; NULL: nobody tells when they change */
	struct state_db *state;
	struct keep *keep; /* writes to it */
	struct trash *trash;
	struct cgroups *cgroups; /* NULL: there are none */
	struct events *events;
	struct network *network;
	struct names *names; /* NULL: there are none */
	struct images *images;
	struct kernels *kernels;
	struct instances *instances;
	struct apps *apps;           /* NULL before they are there, and at the end */
	struct fns *fns;             /* the same */
	struct templates *templates; /* the same */
	struct snapshots *snapshots;
	struct host_id host; /* host_id_own() */
	struct pools *pools;
	struct operations *operations;
	struct builds *builds; /* NULL before they are there, and at the end */
	struct shell *shells;  /* all that hold anything: a list, see monitor/monitor.h */
	unsigned shell_count;
	const struct monitor_ops *monitor; /* the default */
	bool ending;                       /* no new VMs */
	unsigned hurrying; /* instances on their way from their shell to readiness */
	struct counters counters;
	int64_t started_ns;
	uint64_t oom_kills; /* of this machine, then */
};

#endif
