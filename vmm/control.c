/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: routes, and in which phase of the machine each is allowed (its tag, which check_phase() looks at for all); how a
 * handler answers; listening and the end. The handlers are in control_config.c, control_run.c, control_snapshot.c and control_wait.c.
 */
#include "vmm/control_impl.h"

#include "lib/err.h"
#include "lib/loop.h"
#include "vmm/snapshot/behind.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define BODY_MAX_BYTES  51200u /* Firecracker's limit */
#define JSON_DEPTH_MAX  8u
#define FINISH_GRACE_MS 1000
#define CONNECTIONS_MAX 16u
#define IDLE_TIMEOUT_S  3600u
#define JSON_TYPE       "application/json"

enum phase { PHASE_ANY, PHASE_BEFORE, PHASE_AFTER };

struct vm *control_vm(struct httpd_req *req)
{
	return ((struct control *)httpd_arg(req))->config.vm;
}

void control_fault(struct httpd_req *req, const char *what, const char *msg)
{
	_cleanup_json_ json_t *body = json_pack("{s:s++}", "fault_message", what, msg, "");
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (text)
		httpd_reply_take(req, 400, JSON_TYPE, text, strlen(text));
	else
		httpd_reply(req, 400, JSON_TYPE, "{}", 2);
}

void control_fault_errno(struct httpd_req *req, const struct err *err)
{
	_cleanup_json_ json_t *body =
		json_pack("{s:s, s:i}", "fault_message", err->msg, "errno", err->code);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (text)
		httpd_reply_take(req, 400, JSON_TYPE, text, strlen(text));
	else
		control_fault(req, err->msg, "");
}

void control_reply(struct httpd_req *req, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (text)
		httpd_reply_take(req, 200, JSON_TYPE, text, strlen(text));
	else
		control_fault(req, "out of memory", "");
}

void control_done(struct httpd_req *req, int r, const struct err *err)
{
	if (r < 0)
		control_fault(req, err->msg, "");
	else
		httpd_reply(req, 204, NULL, NULL, 0);
}

json_t *control_body(struct httpd_req *req, bool empty_ok)
{
	struct err err = {0};
	json_t *body;
	size_t len;
	const char *text = httpd_body(req, &len);

	if (len == 0 && empty_ok)
		return json_object();
	if (jsonx_parse_object(text, len, JSON_DEPTH_MAX, &body, &err) == 0)
		return body;
	control_fault(req, CONTROL_BAD_BODY, err.msg);
	return NULL;
}

/* Runs before the body is read: a request in the wrong phase is answered here. */
static void check_phase(struct httpd_req *req)
{
	bool before = vm_state(control_vm(req)) <= VM_READY;

	if (httpd_route(req)->tag == PHASE_BEFORE && !before)
		control_fault(req, CONTROL_NOT_AFTER, "");
	else if (httpd_route(req)->tag == PHASE_AFTER && before)
		control_fault(req, CONTROL_NOT_BEFORE, "");
}

#define ROUTE(m, p, when, fn)                                                                      \
	{                                                                                          \
		.method = (m), .pattern = (p), .begin = check_phase, .handler = (fn),              \
		.body_max = BODY_MAX_BYTES, .tag = (when)                                          \
	}

static const struct httpd_route routes[] = {
	ROUTE("GET", "/", PHASE_ANY, control_get_instance),
	ROUTE("GET", "/version", PHASE_ANY, control_get_version),
	ROUTE("GET", "/vm/config", PHASE_ANY, control_get_config),
	ROUTE("GET", "/machine-config", PHASE_ANY, control_get_machine),
	ROUTE("PUT", "/machine-config", PHASE_BEFORE, control_set_machine),
	ROUTE("PATCH", "/machine-config", PHASE_BEFORE, control_set_machine),
	ROUTE("PUT", "/boot-source", PHASE_BEFORE, control_put_boot_source),
	ROUTE("PUT", "/network-interfaces/{id}", PHASE_BEFORE, control_put_net),
	ROUTE("PUT", "/drives/{id}", PHASE_BEFORE, control_put_drive),
	ROUTE("PATCH", "/drives/{id}", PHASE_AFTER, control_patch_drive),
	ROUTE("PUT", "/entropy", PHASE_BEFORE, control_put_entropy),
	ROUTE("PUT", "/vsock", PHASE_BEFORE, control_put_vsock),
	ROUTE("PUT", "/actions", PHASE_ANY, control_put_action),
	ROUTE("PATCH", "/vm", PHASE_AFTER, control_patch_vm),
	ROUTE("PUT", "/uigniter/prepare", PHASE_BEFORE, control_put_prepare),
	ROUTE("PUT", "/snapshot/create", PHASE_AFTER, control_put_snapshot_create),
	ROUTE("PUT", "/snapshot/load", PHASE_BEFORE, control_put_snapshot_load),
	ROUTE("PUT", "/uigniter/start", PHASE_ANY, control_put_start),
	ROUTE("PUT", "/uigniter/record", PHASE_AFTER, control_put_record),
	ROUTE("PUT", "/uigniter/stop", PHASE_ANY, control_put_stop),
	ROUTE("GET", "/uigniter/status", PHASE_ANY, control_get_status),
	ROUTE("GET", "/uigniter/wait", PHASE_ANY, control_get_wait),
};

static void on_unknown(struct httpd_req *req)
{
	const char *path = httpd_path(req);
	char what[256];

	snprintf(what, sizeof(what), "Invalid request method and/or path: %.16s %.200s.",
		httpd_method(req), *path == '/' ? path + 1 : path);
	control_fault(req, what, "");
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
