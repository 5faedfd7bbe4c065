/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/report.h"

#include "abi/platform.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "vmm/stat.h"
#include "vmm/steps.h"
#include "vmm/vm.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIGNAL_EXIT_BASE                                                                           \
	128 /* exit code of a program that was ended by a signal, as a shell counts */
#define FAULT_LINE_BYTES 256

/* Time from the request to then, in us; JSON null when it was not reached. */
static json_t *since(const struct vm *vm, const uint64_t *then)
{
	uint64_t from = stat_get(&vm->times.request_ns), to = stat_get(then);

	return from && to ? json_integer((json_int_t)((to - from) / 1000)) : json_null();
}

static json_t *exit_code(const struct vm *vm, enum vm_end_reason end)
{
	switch (end) {
	case END_EXIT:
		return json_integer(vm->end_code);
	case END_SIGNAL:
		return json_integer(SIGNAL_EXIT_BASE + (json_int_t)vm->end_code);
	case END_NOEXEC: /* as a shell counts: 127 there is no such program, 126 it cannot be run */
		return json_integer((vm->end_code & 0xfff) == ENOENT ? 127 : 126);
	case END_NONE:
	case END_POWEROFF:
	case END_PANIC:
	case END_TRIPLE_FAULT:
	case END_KILLED:
	case END_ERROR:
		break;
	}
	return json_null();
}

static json_t *count(const uint64_t *counter)
{
	return json_integer((json_int_t)stat_get(counter));
}

static json_t *counts(const struct vm *vm)
{
	const struct devices *d = &vm->devices;
	const struct vcpu *c = &vm->vcpu;

	return json_pack(
		"{s:{s:o, s:o, s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"exits", "mmio", count(&c->exits[EXIT_MMIO]), "io", count(&c->exits[EXIT_IO]),
		"hlt", count(&c->exits[EXIT_HLT]), "upcalls", count(&vm->upcall.delivered),
		"interrupted", count(&c->exits[EXIT_INTR]), "unknown_address",
		count(&vm->bus.unknown), "waits", count(&d->waits), "wait_sleeps",
		count(&d->wait_sleeps), "loop_wakeups", count(&d->loop_wakeups), "look_rests",
		count(&vm->upcall.rests), "net_kicks", count(&d->net.virtio.kicks), "console_kicks",
		count(&d->console.virtio.kicks), "rx_packets", count(&d->net.rx_packets),
		"rx_bytes", count(&d->net.rx_bytes), "tx_packets", count(&d->net.tx_packets),
		"tx_bytes", count(&d->net.tx_bytes), "tx_drops", count(&d->net.tx_drops),
		"console_bytes", count(&d->console.bytes), "console_lost", count(&d->console.lost),
		"returned_bytes", count(&vm->returned_bytes), "ram_ready_bytes",
		count(&vm->ram_ready));
}

static const char *const call_names[UIG_CALLS_MAX] = {
#define CALL(nr, name) [nr] = #name,
#include "abi/linux_calls.def"
#undef CALL
};

/* Numbers come from the guest, the words from here. */
static json_t *missing_calls(const struct vm *vm)
{
	json_t *list = json_array();

	for (unsigned nr = 0; nr < UIG_CALLS_MAX; nr++) {
		uint64_t word = __atomic_load_n(&vm->missing_calls[nr / 64], __ATOMIC_RELAXED);

		if (!(word >> nr % 64 & 1))
			continue;
		json_array_append_new(list,
			call_names[nr] ? json_string(call_names[nr]) : json_sprintf("%u", nr));
	}
	return list;
}

json_t *report_json(struct vm *vm, const char *id)
{
	enum vm_state state = vm_state(vm);
	bool ended = state == VM_ENDED; /* only then may the fields of the end be read */
	enum vm_end_reason end = ended ? vm->end : END_NONE;
	uint64_t port = stat_get(&vm->listen_port);
	struct rusage usage = {0};

	getrusage(RUSAGE_SELF, &usage);
	return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I, "
			 "s:o, s:o, s:I, s:o, s:o}",
		"id", id, "state", vm_state_name(state), "reason", ended ? vm_end_name(end) : NULL,
		"detail", ended ? vm->end_detail : NULL, "exit_code", exit_code(vm, end), "signal",
		end == END_SIGNAL ? json_integer(vm->end_code) : json_null(), "prepare_us",
		(json_int_t)(stat_get(&vm->times.prepare_ns) / 1000), "start_us",
		since(vm, &vm->times.run_ns), "libos_us",
		since(vm, &vm->times.milestone_ns[UIG_MS_LIBOS]), "boot_us",
		since(vm, &vm->times.milestone_ns[UIG_MS_PROGRAM]), "listen_us",
		since(vm, &vm->times.milestone_ns[UIG_MS_LISTEN]), "run_us",
		since(vm, &vm->times.end_ns), "vcpu_cpu_us",
		(json_int_t)(vcpu_cpu_ns(&vm->vcpu) / 1000), "peak_rss_kib",
		(json_int_t)usage.ru_maxrss, "missing_calls", missing_calls(vm), "counts",
		counts(vm), "request_ns", (json_int_t)stat_get(&vm->times.request_ns),
		"listen_port", port ? json_integer((json_int_t)port) : json_null(), "steps",
		steps_json(vm));
}

void report_write(struct vm *vm, const char *id, int fd)
{
	_cleanup_json_ json_t *report = report_json(vm, id);
	_cleanup_free_ char *text = report ? json_dumps(report, JSON_COMPACT) : NULL;
	size_t n = text ? strlen(text) : 0;

	if (fd < 0 || !text)
		return;
	text[n] = '\n'; /* over the NUL: one write, so that a reader of a pipe gets a whole line */
	if (write(fd, text, n + 1) != (ssize_t)(n + 1))
		log_warn("report was not written", "error=\"%s\"", strerror(errno));
}

void report_replace(struct vm *vm, const char *id, int fd)
{
	if (fd >= 0 && (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		log_warn("the report before was not removed", "error=\"%s\"", strerror(errno));
	report_write(vm, id, fd);
}

unsigned report_missing(const struct vm *vm)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vm->missing_calls); i++)
		n += (unsigned)__builtin_popcountll(
			__atomic_load_n(&vm->missing_calls[i], __ATOMIC_RELAXED));
	return n;
}

int report_exit_status(const struct vm *vm)
{
	return vm->end == END_ERROR;
}

/* The handler has no time to build anything: the line is ready. */
static char fault_line[FAULT_LINE_BYTES];
static int fault_bytes, fault_fd = -1;
static pid_t fault_pid;

static void on_sigbus(int signo)
{
	static const char say[] = "uvmm: SIGBUS: a file under guest memory was cut\n";

	(void)signo;
	if (getpid() != fault_pid) /* of a child: it tells by its end */
		_exit(1);
	if (write(STDERR_FILENO, say, sizeof(say) - 1) < 0 || fault_fd < 0)
		_exit(1);
	if (write(fault_fd, fault_line, (size_t)fault_bytes) < 0)
		_exit(1);
	_exit(1);
}

void report_on_sigbus(const char *id, int fd)
{
	struct sigaction sa = {.sa_handler = on_sigbus};

	fault_fd = fd;
	fault_pid = getpid();
	fault_bytes = snprintf(fault_line, sizeof(fault_line),
		"{\"id\":\"%.64s\",\"state\":\"Ended\",\"reason\":\"error\",\"detail\":\"SIGBUS: a "
		"file under guest memory "
		"was cut\"}\n",
		id);
	sigaction(SIGBUS, &sa, NULL);
}
