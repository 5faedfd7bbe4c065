/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler answers 204, 200 with JSON, or 400 with a fault_message, in Firecracker's words where it has some. The tag of a
 * route says in which phase it is allowed; check_phase() looks at it for all.
 */
#include "vmm/control.h"

#include "abi/identity.h"
#include "abi/platform.h"
#include "lib/err.h"
#include "lib/httpd.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "vmm/report.h"
#include "vmm/snapshot/behind.h"
#include "vmm/snapshot/load.h"
#include "vmm/snapshot/save.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BODY_MAX_BYTES  51200u /* Firecracker's limit */
#define JSON_DEPTH_MAX  8u
#define WAIT_MAX_MS     3600000
#define WAIT_DEFAULT_MS 60000
#define FINISH_GRACE_MS 1000
#define CONNECTIONS_MAX 16u
#define IDLE_TIMEOUT_S  3600u
#define JSON_TYPE       "application/json"

struct waiter {
	struct control *control;
	struct httpd_req *req;
	struct loop_timer *timer;
	const uint64_t *milestone; /* of the VM; NULL: waits for the end */
	struct waiter *next;
};

struct control {
	struct control_config config;
	struct httpd *httpd;
	struct waiter *waiters;
	struct snapshot_behind *behind; /* owned; a snapshot that is being written; NULL: none */
	struct httpd_req *behind_req;   /* who waits for that; NULL: gone */
	struct snapshot_files behind_files; /* for the answer */
	uint64_t stood_ns;
};

enum phase { PHASE_ANY, PHASE_BEFORE, PHASE_AFTER };

#define NOT_BEFORE "The requested operation is not supported before starting the microVM."
#define NOT_AFTER  "The requested operation is not supported after starting the microVM."

static struct vm *vm_of(struct httpd_req *req)
{
	return ((struct control *)httpd_arg(req))->config.vm;
}

static void fault(struct httpd_req *req, const char *what, const char *msg)
{
	_cleanup_json_ json_t *body = json_pack("{s:s++}", "fault_message", what, msg, "");
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (text)
		httpd_reply_take(req, 400, JSON_TYPE, text, strlen(text));
	else
		httpd_reply(req, 400, JSON_TYPE, "{}", 2);
}

/* The disk says no: who made the files wants to tell that from a fault of the request. Our addition to Firecracker's answer. */
static void fault_errno(struct httpd_req *req, const struct err *err)
{
	_cleanup_json_ json_t *body =
		json_pack("{s:s, s:i}", "fault_message", err->msg, "errno", err->code);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (text)
		httpd_reply_take(req, 400, JSON_TYPE, text, strlen(text));
	else
		fault(req, err->msg, "");
}

static void reply_json(struct httpd_req *req, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (text)
		httpd_reply_take(req, 200, JSON_TYPE, text, strlen(text));
	else
		fault(req, "out of memory", "");
}

static void done(struct httpd_req *req, int r, const struct err *err)
{
	if (r < 0)
		fault(req, err->msg, "");
	else
		httpd_reply(req, 204, NULL, NULL, 0);
}

/* The body as an object, new reference; NULL when the answer (400) has been given. An empty body is {} if allowed. */
static json_t *body_of(struct httpd_req *req, bool empty_ok)
{
	struct err err = {0};
	json_t *body;
	size_t len;
	const char *text = httpd_body(req, &len);

	if (len == 0 && empty_ok)
		return json_object();
	if (jsonx_parse_object(text, len, JSON_DEPTH_MAX, &body, &err) == 0)
		return body;
	fault(req, "An error occurred when deserializing the json body of a request: ", err.msg);
	return NULL;
}

static void get_instance(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);

	reply_json(req,
		json_pack("{s:s, s:s, s:s, s:s}", "id", c->config.id, "state",
			vm_state_name(vm_state(c->config.vm)), "vmm_version", UIGNITER_VERSION,
			"app_name", "uvmm"));
}

static void get_version(struct httpd_req *req)
{
	reply_json(req, json_pack("{s:s}", "firecracker_version", UIGNITER_VERSION));
}

static void get_machine(struct httpd_req *req)
{
	reply_json(req, config_machine_json(&vm_of(req)->config));
}

static void get_config(struct httpd_req *req)
{
	reply_json(req, config_json(&vm_of(req)->config));
}

/* What a shell is made from has changed: the next start makes a new one. */
static void configured(struct httpd_req *req, int r, const struct err *err)
{
	if (r == 0)
		vm_unprepare(vm_of(req));
	done(req, r, err);
}

static void set_machine(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct err err = {0};

	if (body)
		configured(req,
			config_machine(&vm_of(req)->config, body,
				strcmp(httpd_method(req), "PATCH") == 0, &err),
			&err);
}

static void put_boot_source(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct err err = {0};

	if (body)
		configured(req, config_boot(&vm_of(req)->config, body, &err), &err);
}

static void put_net(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct err err = {0};

	if (body)
		configured(req, config_net(&vm_of(req)->config, httpd_param(req, "id"), body, &err),
			&err);
}

/* Drives are made at the start: a prepared shell stays as it is. */
static void put_drive(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct err err = {0};

	if (body)
		done(req, config_drive(&vm_of(req)->config, httpd_param(req, "id"), body, &err),
			&err);
}

static void patch_drive(struct httpd_req *req)
{
	fault(req, "this monitor can not change a drive of a running microVM", "");
}

static void put_entropy(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct err err = {0};

	if (body)
		done(req, config_entropy(&vm_of(req)->config, body, &err), &err);
}

static void put_vsock(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct err err = {0};

	if (body)
		done(req, config_vsock(&vm_of(req)->config, body, &err), &err);
}

static void put_prepare(struct httpd_req *req)
{
	struct vm *vm = vm_of(req);
	struct err err = {0};

	done(req, vm_state(vm) == VM_EMPTY ? vm_prepare(vm, &err) : 0, &err);
}

static void put_start(struct httpd_req *req)
{
	uint64_t now = (uint64_t)loop_now_ns();
	_cleanup_json_ json_t *body = body_of(req, true);
	struct vm *vm = vm_of(req);
	struct err err = {0};
	enum vm_state state = vm_state(vm);
	int r;

	if (!body)
		return;
	if (state > VM_LOADED) {
		fault(req, NOT_AFTER, "");
		return;
	}
	r = state == VM_LOADED ? config_start_loaded(&vm->config, body, &err)
			       : config_start(&vm->config, body, &err);
	if (r == 0 && json_object_get(body, "guest_mac"))
		vm_set_mac(vm);
	if (r == 0)
		r = vm_start(vm, now, &err);
	done(req, r, &err);
}

/* Memory of this process under two descriptors, for who can open them (/proc/PID/fd/N) before the guest goes on. */
static int make_anonymous(struct vm *vm, struct snapshot_files *files, struct err *err)
{
	struct config_snapshot *s = &vm->config.snapshot;

	if (s->state_fd < 0)
		s->state_fd = memfd_create("snapshot", MFD_CLOEXEC);
	if (s->mem_fd < 0)
		s->mem_fd = memfd_create("snapshot-memory", MFD_CLOEXEC);
	if (s->state_fd < 0 || s->mem_fd < 0)
		return err_sys(err, errno, "memory for a snapshot");
	files->state_fd = s->state_fd;
	files->mem_fd = s->mem_fd;
	return 0;
}

static void answer_create(struct httpd_req *req, const struct snapshot_files *files,
	uint64_t stood_ns, int r, const struct err *err)
{
	json_t *body = NULL;

	if (r == 0 && (files->anonymous || files->resume))
		body = json_object();
	if (body && files->anonymous)
		json_object_update_new(body,
			json_pack("{s:i, s:i, s:i}", "pid", (int)getpid(), "state_fd",
				files->state_fd, "mem_fd", files->mem_fd));
	if (body && files->resume)
		json_object_set_new(body, "paused_us", json_integer((json_int_t)(stood_ns / 1000)));
	if (body)
		reply_json(req, body);
	else if (r < 0)
		fault_errno(req, err);
	else
		done(req, r, err);
}

static void on_written(void *arg, const struct err *err)
{
	struct control *c = arg;
	struct httpd_req *req = c->behind_req;

	snapshot_behind_free(c->behind);
	c->behind = NULL;
	c->behind_req = NULL;
	if (req)
		answer_create(req, &c->behind_files, c->stood_ns, -err->code, err);
}

static void forget_behind(struct httpd_req *req)
{
	((struct control *)httpd_arg(req))->behind_req = NULL;
}

static uint64_t go_on(struct vm *vm)
{
	uint64_t from = vm->times.pause_ns;

	vm_resume(vm);
	return (uint64_t)loop_now_ns() - from;
}

/* True: the machine goes on, and the answer comes when the files are there. Without a child they are written while it stands. */
static bool write_behind(struct control *c, struct httpd_req *req, struct snapshot_files *files)
{
	struct vm *vm = c->config.vm;
	struct err err = {0};

	if (snapshot_behind(vm, files->state_fd, files->mem_fd, on_written, c, &c->behind, &err) <
		0) {
		log_warn("a snapshot is written while its VM stands", "error=\"%s\"", err.msg);
		return false;
	}
	c->stood_ns = go_on(vm);
	c->behind_files = *files;
	c->behind_req = req;
	httpd_defer(req, forget_behind);
	return true;
}

static void put_snapshot_create(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);
	_cleanup_json_ json_t *body = body_of(req, true);
	struct vm *vm = vm_of(req);
	struct snapshot_files files;
	struct err err = {0};
	uint64_t stood_ns = 0;
	int r;

	if (!body)
		return;
	r = c->behind ? err_set(&err, EBUSY, "a snapshot is being written already")
		      : config_snapshot_create(&vm->config, body, &files, &err);
	if (r < 0) {
		done(req, r, &err);
		return;
	}
	r = snapshot_can_save(vm, &err);
	if (r == 0 && files.anonymous)
		r = make_anonymous(vm, &files, &err);
	if (r < 0 || !files.resume || !write_behind(c, req, &files)) {
		if (r == 0)
			r = snapshot_save(vm, files.state_fd, files.mem_fd, &err);
		if (files.resume)
			stood_ns = go_on(vm);
		answer_create(req, &files, stood_ns, r, &err);
	}
	if (!files.anonymous)
		snapshot_files_close(&files);
}

/* As with Firecracker, a machine that half a snapshot may stand in is of no more use: the process ends behind the answer. */
static void put_snapshot_load(struct httpd_req *req)
{
	uint64_t now = (uint64_t)loop_now_ns();
	_cleanup_json_ json_t *body = body_of(req, false);
	struct vm *vm = vm_of(req);
	struct snapshot_load_request want;
	struct err err = {0};
	int r;

	if (!body)
		return;
	r = config_snapshot_load(&vm->config, body, vm_state(vm) != VM_EMPTY, &want, &err);
	if (r < 0) {
		done(req, r, &err);
		return;
	}
	r = snapshot_load(vm,
		&(struct snapshot_source){
			.state = want.state, .memory = want.memory, .verify = want.verify},
		&err);
	if (r == 0 && vm->config.have_mac && json_object_get(body, "guest_mac"))
		vm_set_mac(vm);
	if (r == 0 && want.resume)
		r = vm_start(vm, now, &err);
	malloc_trim(0); /* a clone's share of memory is counted in pages */
	if (r < 0)
		vm_end(vm, END_ERROR, 0, "the snapshot can not be loaded: %s", err.msg);
	if (r < 0)
		fault_errno(req, &err);
	else
		done(req, r, &err);
}

/* Behind the answer of a clone: what it has touched for that is its working set. */
static void put_record(struct httpd_req *req)
{
	struct vm *vm = vm_of(req);
	struct err err = {0};
	enum vm_state state = vm_state(vm);

	if (state != VM_RUNNING && state != VM_PAUSED)
		err_set(&err, EINVAL, "the microVM does not run");
	else
		vm_record_workset(vm);
	done(req, -err.code, &err);
}

static void put_action(struct httpd_req *req)
{
	uint64_t now = (uint64_t)loop_now_ns();
	struct control *c = httpd_arg(req);
	_cleanup_json_ json_t *body = body_of(req, false);
	bool before = vm_state(c->config.vm) <= VM_READY;
	const char *action = NULL;
	struct err err = {0};

	if (!body)
		return;
	if (jsonx_str(body, "action_type", 32, &action, &err) < 0 || json_object_size(body) != 1)
		fault(req, "An error occurred when deserializing the json body of a request: ",
			err.code ? err.msg : "unknown field, expected `action_type`");
	else if (strcmp(action, "InstanceStart") == 0 && before)
		done(req, vm_start(c->config.vm, now, &err), &err);
	else if (strcmp(action, "InstanceStart") == 0)
		fault(req, NOT_AFTER, "");
	else if (strcmp(action, "SendCtrlAltDel") != 0 && strcmp(action, "FlushMetrics") != 0)
		fault(req,
			"An error occurred when deserializing the json body of a request: unknown "
			"variant, "
			"expected one of `FlushMetrics`, `InstanceStart`, `SendCtrlAltDel`",
			"");
	else if (before)
		fault(req, NOT_BEFORE, "");
	else {
		if (strcmp(action, "SendCtrlAltDel") == 0)
			vm_raise(c->config.vm, UIG_EVENT_TERM);
		done(req, 0, &err);
	}
}

static void patch_vm(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = body_of(req, false);
	struct vm *vm = vm_of(req);
	const char *state = NULL;
	struct err err = {0};
	int r = 0;

	if (!body)
		return;
	if (jsonx_str(body, "state", 16, &state, &err) < 0 || json_object_size(body) != 1 ||
		(strcmp(state, "Paused") != 0 && strcmp(state, "Resumed") != 0)) {
		fault(req, "An error occurred when deserializing the json body of a request: ",
			err.code ? err.msg : "expected `state`: one of `Paused`, `Resumed`");
		return;
	}
	/* A state that is there already is no error (Firecracker). */
	if (strcmp(state, "Paused") == 0 && vm_state(vm) != VM_PAUSED && vm_state(vm) != VM_LOADED)
		r = vm_pause(vm);
	else if (strcmp(state, "Resumed") == 0 && vm_state(vm) != VM_RUNNING)
		r = vm_resume(vm);
	if (r < 0)
		err_set(&err, -r, "the microVM has ended");
	done(req, r, &err);
}

static void put_stop(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);
	_cleanup_json_ json_t *body = body_of(req, true);
	struct err err = {0};
	int64_t grace = -1;

	if (!body)
		return;
	if (jsonx_opt_int(body, "grace_ms", 0, WAIT_MAX_MS, &grace, &err) == 0)
		c->config.stop(c->config.arg, grace);
	done(req, -err.code, &err);
}

static void get_status(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);

	reply_json(req, report_json(c->config.vm, c->config.id));
}

static void waiter_free(struct waiter *w)
{
	struct waiter **p = &w->control->waiters;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	loop_timer_free(w->timer);
	free(w);
}

static bool reached(const struct waiter *w)
{
	return w->milestone ? stat_get(w->milestone) != 0
			    : vm_state(w->control->config.vm) == VM_ENDED;
}

/* Answers with the status and whether what was waited for has come, and forgets the waiter. */
static void answer(struct waiter *w)
{
	json_t *body = report_json(w->control->config.vm, w->control->config.id);

	if (body)
		json_object_set_new(body, "reached", json_boolean(reached(w)));
	reply_json(w->req, body);
	waiter_free(w);
}

static void on_timeout(void *arg)
{
	answer(arg);
}

static void on_gone(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);

	for (struct waiter *w = c->waiters; w; w = w->next) {
		if (w->req == req) {
			waiter_free(w);
			return;
		}
	}
}

static int64_t timeout_of(const char *text)
{
	char *end = NULL;
	long long ms;

	if (!text)
		return WAIT_DEFAULT_MS;
	errno = 0;
	ms = strtoll(text, &end, 10);
	return errno || end == text || *end || ms < 0 || ms > WAIT_MAX_MS ? -1 : ms;
}

static int milestone_of(const struct vm *vm, const char *name, const uint64_t **milestone)
{
	static const struct {
		const char *name;
		unsigned which;
	} table[] = {{"libos", UIG_MS_LIBOS}, {"program", UIG_MS_PROGRAM},
		{"listen", UIG_MS_LISTEN}, {"idle", UIG_MS_IDLE}, {"exit", 0}};

	for (size_t i = 0; name && i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].name, name) == 0) {
			*milestone =
				table[i].which ? &vm->times.milestone_ns[table[i].which] : NULL;
			return 0;
		}
	}
	return -EINVAL;
}

static void get_wait(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);
	int64_t ms = timeout_of(httpd_query(req, "timeout_ms"));
	const uint64_t *milestone;
	struct waiter *w;

	if (milestone_of(c->config.vm, httpd_query(req, "for"), &milestone) < 0 || ms < 0) {
		fault(req,
			"for must be one of libos, program, listen, idle, exit; timeout_ms 0 to "
			"3600000",
			"");
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w || loop_timer_new(c->config.loop, on_timeout, w, &w->timer) < 0) {
		free(w);
		fault(req, "out of memory", "");
		return;
	}
	w->control = c;
	w->req = req;
	w->milestone = milestone;
	w->next = c->waiters;
	c->waiters = w;
	if (reached(w) || vm_state(c->config.vm) == VM_ENDED || ms == 0) {
		answer(w);
		return;
	}
	loop_timer_set(w->timer, ms * NS_PER_MS);
	httpd_defer(req, on_gone);
}

void control_news(struct control *c)
{
	bool ended = vm_state(c->config.vm) == VM_ENDED;
	struct waiter *next;

	if (ended && c->behind)
		on_written(c, &(struct err){.code = EIO, .msg = "the microVM has ended"});
	for (struct waiter *w = c->waiters; w; w = next) {
		next = w->next;
		if (ended || reached(w))
			answer(w);
	}
}

/* Runs before the body is read: a request in the wrong phase is answered here. */
static void check_phase(struct httpd_req *req)
{
	bool before = vm_state(vm_of(req)) <= VM_READY;

	if (httpd_route(req)->tag == PHASE_BEFORE && !before)
		fault(req, NOT_AFTER, "");
	else if (httpd_route(req)->tag == PHASE_AFTER && before)
		fault(req, NOT_BEFORE, "");
}

#define ROUTE(m, p, when, fn)                                                                      \
	{                                                                                          \
		.method = (m), .pattern = (p), .begin = check_phase, .handler = (fn),              \
		.body_max = BODY_MAX_BYTES, .tag = (when)                                          \
	}

static const struct httpd_route routes[] = {
	ROUTE("GET", "/", PHASE_ANY, get_instance),
	ROUTE("GET", "/version", PHASE_ANY, get_version),
	ROUTE("GET", "/vm/config", PHASE_ANY, get_config),
	ROUTE("GET", "/machine-config", PHASE_ANY, get_machine),
	ROUTE("PUT", "/machine-config", PHASE_BEFORE, set_machine),
	ROUTE("PATCH", "/machine-config", PHASE_BEFORE, set_machine),
	ROUTE("PUT", "/boot-source", PHASE_BEFORE, put_boot_source),
	ROUTE("PUT", "/network-interfaces/{id}", PHASE_BEFORE, put_net),
	ROUTE("PUT", "/drives/{id}", PHASE_BEFORE, put_drive),
	ROUTE("PATCH", "/drives/{id}", PHASE_AFTER, patch_drive),
	ROUTE("PUT", "/entropy", PHASE_BEFORE, put_entropy),
	ROUTE("PUT", "/vsock", PHASE_BEFORE, put_vsock),
	ROUTE("PUT", "/actions", PHASE_ANY, put_action),
	ROUTE("PATCH", "/vm", PHASE_AFTER, patch_vm),
	ROUTE("PUT", "/uigniter/prepare", PHASE_BEFORE, put_prepare),
	ROUTE("PUT", "/snapshot/create", PHASE_AFTER, put_snapshot_create),
	ROUTE("PUT", "/snapshot/load", PHASE_BEFORE, put_snapshot_load),
	ROUTE("PUT", "/uigniter/start", PHASE_ANY, put_start),
	ROUTE("PUT", "/uigniter/record", PHASE_AFTER, put_record),
	ROUTE("PUT", "/uigniter/stop", PHASE_ANY, put_stop),
	ROUTE("GET", "/uigniter/status", PHASE_ANY, get_status),
	ROUTE("GET", "/uigniter/wait", PHASE_ANY, get_wait),
};

static void on_unknown(struct httpd_req *req)
{
	const char *path = httpd_path(req);
	char what[256];

	snprintf(what, sizeof(what), "Invalid request method and/or path: %.16s %.200s.",
		httpd_method(req), *path == '/' ? path + 1 : path);
	fault(req, what, "");
}

static void on_http_error(struct httpd_req *req, unsigned int status, const char *sentence)
{
	_cleanup_json_ json_t *body = json_pack("{s:s}", "fault_message", sentence);
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	httpd_reply(req, status == 413 ? 413 : 400, JSON_TYPE, text ? text : "{}",
		text ? strlen(text) : 2);
}

static int listen_on(struct control *c, struct err *err)
{
	int r = 0;

	if (c->config.sock_path)
		r = httpd_listen_unix(c->httpd, c->config.sock_path, 0600, err);
	if (r == 0 && c->config.sock_fd >= 0)
		r = httpd_listen_fd(c->httpd, c->config.sock_fd, err);
	return r;
}

int control_new(const struct control_config *config, struct control **out, struct err *err)
{
	struct control *c = calloc(1, sizeof(*c));
	struct httpd_config http = {
		.loop = config->loop,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.arg = c,
		.fallback = on_unknown,
		.error = on_http_error,
		.max_connections = CONNECTIONS_MAX,
		.idle_timeout_s = IDLE_TIMEOUT_S,
	};
	int r;

	if (!c)
		return err_set(err, ENOMEM, "out of memory");
	c->config = *config;
	json_object_seed(0); /* it opens /dev/urandom: now, and not at the first request */
	r = httpd_new(&http, &c->httpd, err);
	if (r == 0)
		r = listen_on(c, err);
	if (r < 0) {
		control_free(c);
		return r;
	}
	*out = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	snapshot_behind_free(c->behind);
	httpd_free(c->httpd); /* deferred requests get on_gone() */
	free(c);
}

void control_finish(struct control *c, void (*fn)(void *arg), void *arg)
{
	httpd_stop(c->httpd, FINISH_GRACE_MS, fn, arg);
}
