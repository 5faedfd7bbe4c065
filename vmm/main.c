/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvmm: one process is one virtual machine. This file wires the parts together and holds the end of the VM: the
 * first SIGTERM (or a stop request) asks the guest, the second one or the end of the grace period kills it; when it has
 * ended, rings are drained, the report is written, long polls are answered, and the process ends.
 *
 * This thread is the device loop; the vCPU has a thread of its own (vmm/vcpu.h).
 */
#include "abi/identity.h"
#include "abi/platform.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "vmm/control.h"
#include "vmm/options.h"
#include "vmm/report.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/snapshot/snapshot.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define RECORD_LOOK_NS   (100 * NS_PER_MS)
#define RECORD_LOOKS_MAX 100u
#define RECORD_PACKETS   4u /* a neighbour asked, a connection accepted, an answer, its end */

struct uvmm {
	struct options options;
	struct loop *loop;
	struct vm vm;
	struct control *control;
	struct loop_io *notify_io;
	struct loop_timer *grace, *record;
	unsigned record_looks;
	int console_fd, report_fd; /* owned when opened here */
	unsigned missing;          /* calls, of the report that is written */
	bool stopping, ended;
};

static void on_done(void *arg)
{
	struct uvmm *u = arg;

	loop_stop(u->loop, report_exit_status(&u->vm));
}

/* A file of its own holds the newest report; what was given open gets that of the end as a line. */
static void tell(struct uvmm *u)
{
	if (u->options.report)
		report_replace(&u->vm, u->options.id, u->report_fd);
	else if (u->ended)
		report_write(&u->vm, u->options.id, u->report_fd);
}

/* Who looks at a VM while it runs wants to see what its program lacks. */
static void tell_missing(struct uvmm *u)
{
	unsigned missing = report_missing(&u->vm);

	if (missing == u->missing)
		return;
	u->missing = missing;
	tell(u);
}

static void on_end(struct uvmm *u)
{
	u->ended = true;
	loop_timer_cancel(u->grace);
	loop_timer_cancel(u->record);
	vm_settle(&u->vm);
	if (u->vm.times.run_ns)
		vm_record_workset(&u->vm);
	tell(u);
	log_info("vm ended", "id=%s reason=%s detail=\"%s\"", u->options.id, vm_end_name(u->vm.end),
		u->vm.end_detail);
	if (u->vm.end == END_ERROR)
		log_error("vm failed", "id=%s detail=\"%s\"", u->options.id, u->vm.end_detail);
	if (!u->control) {
		on_done(u);
		return;
	}
	control_news(u->control);
	control_finish(u->control, on_done, u);
}

static void look_later(struct uvmm *u)
{
	if (u->vm.record_fd >= 0)
		loop_timer_set(u->record, RECORD_LOOK_NS);
}

/* A clone has been listening before it began: its start is over with its first answer, and there may be none for a while. */
static void on_record(void *arg)
{
	struct uvmm *u = arg;

	if (stat_get(&u->vm.devices.net.tx_packets) < RECORD_PACKETS &&
		u->record_looks++ < RECORD_LOOKS_MAX)
		look_later(u);
	else
		vm_record_workset(&u->vm);
}

static void on_notify(void *arg, uint32_t events)
{
	struct uvmm *u = arg;
	eventfd_t count;

	eventfd_read(u->vm.notify_fd, &count);
	if (u->ended)
		return;
	if (vm_state(&u->vm) == VM_ENDED)
		on_end(u);
	else if (u->control)
		control_news(u->control);
	tell_missing(u);
	if (u->vm.generation > 1)
		look_later(u);
	else if (stat_get(&u->vm.times.milestone_ns[UIG_MS_LISTEN]))
		vm_record_workset(&u->vm);
}

static void on_grace_over(void *arg)
{
	struct uvmm *u = arg;

	vm_kill(&u->vm, "the guest did not end in time");
}

static void stop(void *arg, int64_t grace_ms)
{
	struct uvmm *u = arg;
	enum vm_state state = vm_state(&u->vm);

	if (state == VM_ENDED)
		return;
	if (u->stopping || state != VM_RUNNING || grace_ms == 0) {
		vm_kill(&u->vm, "stopped");
		return;
	}
	u->stopping = true;
	vm_raise(&u->vm, UIG_EVENT_TERM);
	loop_timer_set(u->grace, (grace_ms < 0 ? u->options.grace_ms : grace_ms) * NS_PER_MS);
}

static void on_signal(void *arg, int signo)
{
	stop(arg, -1);
}

static int open_output(const char *path, int flags, int given, struct err *err)
{
	int fd;

	if (!path || strcmp(path, "-") == 0)
		return given;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0640);
	return fd < 0 ? err_sys(err, errno, "%s", path) : fd;
}

static int open_outputs(struct uvmm *u, struct err *err)
{
	u->console_fd = open_output(u->options.console, O_APPEND, STDOUT_FILENO, err);
	if (u->console_fd < 0)
		return u->console_fd;
	if (u->options.report_fd >= 0)
		fcntl(u->options.report_fd, F_SETFD, FD_CLOEXEC);
	u->report_fd = u->options.report_fd;
	if (u->options.report) {
		u->report_fd = open_output(u->options.report, O_TRUNC, -1, err);
		if (u->report_fd < 0)
			return u->report_fd;
	}
	return 0;
}

/* Signals are blocked here, before there is a second thread. */
static int set_up_loop(struct uvmm *u, struct err *err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};
	int r = loop_new(&u->loop);

	if (r == 0)
		r = loop_signals(u->loop, signals, on_signal, u);
	if (r == 0)
		r = loop_timer_new(u->loop, on_grace_over, u, &u->grace);
	if (r == 0)
		r = loop_timer_new(u->loop, on_record, u, &u->record);
	signal(SIGPIPE, SIG_IGN);
	return r < 0 ? err_sys(err, -r, "event loop") : 0;
}

static int set_up_control(struct uvmm *u, struct err *err)
{
	struct control_config config = {
		.loop = u->loop,
		.vm = &u->vm,
		.id = u->options.id,
		.sock_path = u->options.api_sock,
		.sock_fd = u->options.api_fd,
		.stop = stop,
		.arg = u,
	};

	return u->options.no_api ? 0 : control_new(&config, &u->control, err);
}

static int set_up(struct uvmm *u, uint64_t started_ns, struct err *err)
{
	int r = set_up_loop(u, err);

	if (r == 0)
		r = open_outputs(u, err);
	if (r < 0)
		return r;
	report_on_sigbus(u->options.id, u->report_fd);
	r = vm_init(&u->vm, &u->options.config, u->loop, u->console_fd,
		u->options.console_max_bytes, err);
	if (r == 0) {
		r = loop_io_add(u->loop, u->vm.notify_fd, EPOLLIN, on_notify, u, &u->notify_io);
		if (r < 0)
			err_sys(err, -r, "event loop");
	}
	if (r == 0 && u->options.prepare && !u->options.bare)
		r = vm_prepare(&u->vm, err);
	if (r == 0)
		r = set_up_control(u, err);
	if (r == 0 && u->options.start)
		r = vm_start(&u->vm, started_ns, err);
	return r;
}

static int run(struct uvmm *u, uint64_t started_ns)
{
	struct err err = {0};
	int r = set_up(u, started_ns, &err);

	if (r < 0) {
		log_error("can not start", "id=%s error=\"%s\"", u->options.id, err.msg);
		vm_end(&u->vm, END_ERROR, 0, "%s", err.msg);
		report_write(&u->vm, u->options.id, u->report_fd);
		return 1;
	}
	r = loop_run(u->loop);
	return r < 0 ? 1 : r;
}

int main(int argc, char **argv)
{
	uint64_t started_ns = (uint64_t)loop_now_ns();
	static struct uvmm u;
	struct err err = {0};
	int r = options_parse(argc, argv, &u.options, &err);

	log_init("uvmm", u.options.log_level);
	if (r < 0) {
		fprintf(stderr, "uvmm: %s\n", err.msg);
		return 1;
	}
	if (u.options.help || u.options.version) {
		if (u.options.help)
			options_help();
		else
			printf("uvmm %s\n", UIGNITER_VERSION);
		return 0;
	}
	if (u.options.verify) {
		r = snapshot_verify_files(u.options.verify, u.options.seal, &err);
		if (r < 0)
			fprintf(stderr, "uvmm: %s\n", err.msg);
		return r < 0;
	}
	u.report_fd = u.vm.notify_fd = -1;
	mallopt(M_ARENA_MAX, 1); /* each thread's own would be 20 KiB of every VM */
	r = run(&u, started_ns);
	/* The kernel takes everything back faster than we could; only what outlives the process is cleared up. */
	control_free(u.control);
	if (!sandbox_wanted())
		config_vsock_fini(&u.vm.config, true);
	_exit(r);
}
