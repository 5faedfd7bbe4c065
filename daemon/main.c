/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniterd: reads its options, takes its run folder, sets up the parts in the order of their needs and runs the loop. On
 * SIGTERM or SIGINT it ends all VMs, waits until every monitor is gone, and removes what it made.
 */
#include "daemon/api/api.h"
#include "daemon/app/app.h"
#include "daemon/build.h"
#include "daemon/cgroup.h"
#include "daemon/core.h"
#include "daemon/oom.h"
#include "daemon/events.h"
#include "daemon/fn/fn.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/kernel.h"
#include "daemon/monitor/reports.h"
#include "daemon/names.h"
#include "daemon/network/choose.h"
#include "daemon/network/network.h"
#include "daemon/operation.h"
#include "daemon/pool.h"
#include "daemon/reap.h"
#include "daemon/snapshot/snapshot.h"
#include "daemon/state/db.h"
#include "daemon/state/keep.h"
#include "daemon/template/template.h"
#include "daemon/trash.h"
#include "lib/httpc.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EXIT_FAILED    1
#define EXIT_USAGE     2
#define STOP_GRACE_NS  (5 * NS_PER_S)
#define CHECK_ENDED_NS (5 * NS_PER_MS)
#define FILES_MAX      65536 /* some five descriptors per VM, two pipes per forwarded connection */

struct daemon {
	struct core core;
	struct api *api;
	struct loop_timer *ended_timer;
	int run_lock;
	bool api_stopped;
	unsigned adopted; /* VMs that an earlier manager started */
};

static int check_host(const struct core *core, struct err *err)
{
	if (geteuid() != 0)
		return err_set(err, EPERM, "uigniterd makes taps and a bridge: run it as root");
	if (access("/dev/net/tun", R_OK | W_OK) < 0 && core->monitor != &monitor_process)
		return err_sys(err, errno,
			"/dev/net/tun can not be used: load the module tun (modprobe tun)");
	return 0;
}

static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("cannot raise the limit of open files", "error=%d", errno);
}

static int make_state_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", path);
	return 0;
}

/* --- the end ---------------------------------------------------------------------------------------------------- */
/* Nothing holds anything any more, and all answers are sent. */
static void check_ended(void *arg)
{
	struct daemon *d = arg;

	if (d->core.shell_count == 0 && d->api_stopped)
		loop_stop(d->core.loop, 0);
	else
		loop_timer_set(d->ended_timer, CHECK_ENDED_NS);
}

static void api_has_stopped(void *arg)
{
	struct daemon *d = arg;

	d->api_stopped = true;
}

static void end(void *arg, int signo)
{
	struct daemon *d = arg;

	if (d->core.ending) {
		log_warn("killing what has not ended", "signal=%d", signo);
		instances_stop_all(d->core.instances, 0);
		return;
	}
	log_info("ending", "signal=%d vms=%u", signo, instances_count(d->core.instances));
	d->core.ending = true;
	builds_stop(d->core.builds);
	operations_stop(d->core.operations);
	fns_stop(d->core.fns);
	templates_stop(d->core.templates);
	pools_stop(d->core.pools);
	instances_stop_all(d->core.instances, STOP_GRACE_NS);
	events_end(d->core.events);
	api_stop(d->api, api_has_stopped, d);
	check_ended(d);
}

/* --- the start -------------------------------------------------------------------------------------------------- */
static bool in_use(void *arg, const char *name)
{
	return instances_use_shell(arg, name);
}

static int choose_subnet(struct config *c, struct err *err)
{
	char base[IPV4_TEXT_BYTES];
	int r = c->subnet_text ? 0 : subnet_choose(c->netns, c->run_dir, &c->subnet, err);

	if (r < 0 || c->subnet_text)
		return r;
	ipv4_format(c->subnet.base, base);
	if (asprintf(&c->subnet_text, "%s/%u", base, c->subnet.prefix) < 0) {
		c->subnet_text = NULL;
		return err_sys(err, ENOMEM, "subnet");
	}
	return 0;
}

static int start_network(struct core *core, struct err *err)
{
	const struct config *c = &core->config;
	int r = choose_subnet(&core->config, err);

	r = r < 0 ? r : reap_run_dir(c->run_dir, in_use, core->instances, err);
	if (r < 0)
		return r;
	cgroups_reap(core->cgroups, in_use, core->instances);
	return network_new(&(struct network_config){.netns = c->netns,
				   .run_dir = c->run_dir,
				   .subnet = c->subnet,
				   .subnet6 = c->subnet6,
				   .quarantine_ns = c->quarantine_s * NS_PER_S,
				   .nat = c->nat != 0,
				   .in_use = in_use,
				   .arg = core->instances},
		&core->network, err);
}

/* Without them calls that are missing are known when the program has ended. */
static void start_reports(struct core *core)
{
	int r = reports_new(core->loop, &core->reports);

	if (r < 0)
		log_warn(
			"monitors' reports are read at the end only", "error=\"%s\"", strerror(-r));
}

/* VMs run without names as well. */
static void start_names(struct core *core)
{
	struct err err = {0};

	if (names_new(core, &core->names, &err) < 0)
		log_warn("instances have no names", "error=\"%s\"", err.msg);
}

static int start(struct daemon *d, struct err *err)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	struct core *core = &d->core;
	const struct config *c = &core->config;
	int r = monitor_choose(core, c->monitor, &core->monitor, err);

	r = r < 0 ? r : check_host(core, err);
	r = r < 0 ? r : reap_take_run_dir(c->run_dir, &d->run_lock, err);
	r = r < 0 ? r : make_state_dir(c->state_dir, err);
	if (r < 0)
		return r;
	r = loop_new(&core->loop);
	r = r < 0 ? r : loop_signals(core->loop, signals, end, d);
	r = r < 0 ? r : loop_timer_new(core->loop, check_ended, d, &d->ended_timer);
	if (r < 0)
		return err_sys(err, -r, "cannot make the loop");
	core->events = events_new();
	if (!core->events)
		return err_sys(err, ENOMEM, "events");
	start_reports(core);
	r = httpc_new(core->loop, 0, &core->httpc, err);
	r = r < 0 ? r : cgroups_new(c->cgroup, core->loop, &core->cgroups, err);
	r = r < 0 ? r : images_new(c->state_dir, &core->images, err);
	r = r < 0 ? r : kernels_new(c->state_dir, c->libos, &core->kernels, err);
	r = r < 0 ? r : state_db_open(c->state_dir, &core->state, err);
	if (r == 0 && keep_new(core->state, core->loop, &core->keep) < 0)
		r = err_sys(err, ENOMEM, "state");
	r = r < 0 ? r : events_begin_era(core->events, core->state, core->keep, err);
	if (r == 0 && trash_new(core->loop, &core->trash) < 0)
		r = err_sys(err, ENOMEM, "folders");
	r = r < 0 ? r : snapshots_new(core, &core->snapshots, err);
	r = r < 0 ? r : instances_new(core, &core->instances, err);
	r = r < 0 ? r : start_network(core, err);
	if (r < 0)
		return r;
	start_names(core);
	d->adopted = instances_adopt(core->instances);
	snapshots_adopt(core->snapshots);
	r = network_live(core->network, err);
	if (r < 0)
		return r;
	r = images_collect(core->images, true, &(struct collected){0});
	if (r < 0)
		return err_sys(err, -r, "cannot look for files of images that nobody uses");
	r = operations_new(core, &core->operations, err);
	r = r < 0 ? r : builds_new(core, &core->builds, err);
	r = r < 0 ? r : pools_new(core, &core->pools, err);
	r = r < 0 ? r : templates_new(core, &core->templates, err);
	r = r < 0 ? r : apps_new(core, &core->apps, err);
	r = r < 0 ? r : fns_new(core, &core->fns, err);
	return r < 0 ? r : api_new(core, &d->api, err);
}

static void fini(struct daemon *d)
{
	struct core *core = &d->core;

	if (core->images)
		images_keep(core->images);
	api_free(d->api);
	builds_free(steal_ptr(&core->builds));
	fns_free(steal_ptr(&core->fns));
	apps_free(steal_ptr(&core->apps));
	templates_free(steal_ptr(&core->templates));
	pools_free(core->pools);
	snapshots_free(steal_ptr(&core->snapshots));
	instances_free(core->instances);
	operations_free(core->operations);
	httpc_free(core->httpc);
	reports_free(core->reports);
	names_free(core->names);
	network_free(core->network);
	cgroups_free(core->cgroups);
	keep_free(core->keep);
	trash_free(core->trash);
	state_db_close(core->state);
	events_free(core->events);
	images_free(core->images);
	kernels_free(core->kernels);
	if (core->loop) {
		loop_timer_free(d->ended_timer);
		loop_free(core->loop);
	}
	if (d->run_lock >= 0) {
		subnet_forget(core->config.run_dir);
		reap_end(core->config.run_dir);
		close(d->run_lock);
	}
	config_fini(&core->config);
}

int main(int argc, char **argv)
{
	struct daemon d = {.run_lock = -1};
	struct err err = {0};
	int r = config_load(argc, argv, &d.core.config, &err);

	if (r > 0)
		return 0;
	log_init("uigniterd", d.core.config.level);
	log_set_format(d.core.config.log_format);
	if (r < 0) {
		fprintf(stderr, "uigniterd: %s\n", err.msg);
		return EXIT_USAGE;
	}
	d.core.started_ns = loop_now_ns();
	d.core.oom_kills = oom_kills(AT_FDCWD, OOM_HOST_FILE);
	raise_files();
	r = start(&d, &err);
	if (r < 0) {
		if (d.core.config.log_format == LOG_FORMAT_JSON)
			log_error("cannot start", "error=\"%s\"", err.msg);
		else
			fprintf(stderr, "uigniterd: cannot start: %s\n", err.msg);
		if (d.core.instances && instances_count(d.core.instances) > 0)
			return EXIT_FAILED; /* its VMs go on; the next manager takes them over */
	} else {
		log_info("serving",
			"version=%s socket=%s listen=%s monitor=%s netns=%s subnet=%s pool=%u "
			"taken_over=%u",
			UIGNITER_VERSION, d.core.config.socket, d.core.config.listen,
			d.core.monitor->name, d.core.config.netns ? d.core.config.netns : "-",
			d.core.config.subnet_text, d.core.config.pool, d.adopted);
		r = loop_run(d.core.loop);
		log_info("ended", "result=%d", r);
	}
	fini(&d);
	return r < 0 ? EXIT_FAILED : 0;
}
