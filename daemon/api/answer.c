/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/answer.h"

#include "daemon/id.h"
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#define JSON_TYPE    "application/json"
#define REAL_DIGITS  12
#define PROBLEM_TYPE "application/problem+json"

static const struct {
	unsigned status;
	const char *title, *code; /* of the glue's own errors */
} statuses[] = {
	{400, "Bad Request", "bad_request"},
	{401, "Unauthorized", "unauthorized"},
	{403, "Forbidden", "forbidden"},
	{404, "Not Found", "not_found"},
	{405, "Method Not Allowed", "method_not_allowed"},
	{409, "Conflict", "conflict"},
	{413, "Content Too Large", "too_large"},
	{415, "Unsupported Media Type", "unsupported_media_type"},
	{429, "Too Many Requests", "too_many"},
	{500, "Internal Server Error", "internal"},
	{502, "Bad Gateway", "bad_gateway"},
	{503, "Service Unavailable", "unavailable"},
	{504, "Gateway Timeout", "not_ready"},
	{507, "Insufficient Storage", "disk_full"},
};

void answer_json(struct httpd_req *req, unsigned status, json_t *root)
{
	char *text =
		root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS)) : NULL;

	json_decref(root);
	if (!text)
		answer_problem(req, 500, "internal", "there is no memory for the answer");
	else
		httpd_reply_take(req, status, JSON_TYPE, text, strlen(text));
}

void answer_caller(const struct httpd_req *req, char out[CALLER_TEXT_BYTES])
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	httpd_peer(req, out, CALLER_TEXT_BYTES);
	if (strcmp(out, "unix") == 0 &&
		getsockopt(httpd_fd(req), SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		snprintf(out, CALLER_TEXT_BYTES, "uid=%u pid=%d", cred.uid, (int)cred.pid);
}

static void problem(struct httpd_req *req, unsigned status, const char *code, const char *pointer,
	const char *vm_id, const char *detail)
{
	char type[128], id[ID_TEXT_BYTES], caller[CALLER_TEXT_BYTES];
	const char *title = "Error";
	json_t *root;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status)
			title = statuses[i].title;
	}
	id_new(id);
	snprintf(type, sizeof(type), "urn:uigniter:problem:%s", code);
	root = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", title, "status",
		(int)status, "detail", detail, "code", code, "request_id", id);
	if (root && pointer)
		json_object_set_new(root, "errors",
			json_pack("[{s:s, s:s}]", "pointer", pointer, "detail", detail));
	if (root && vm_id)
		json_object_set_new(root, "vm_id", json_string(vm_id));
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	answer_caller(req, caller);
	log_info("refused",
		"request_id=%s caller=\"%s\" method=%s path=\"%.200s\" status=%u code=%s "
		"detail=\"%.300s\"",
		id, caller, httpd_method(req), httpd_path(req), status, code, detail);
	httpd_add_header(req, "X-Request-Id", id);
	if (text)
		httpd_reply_take(req, status, PROBLEM_TYPE, text, strlen(text));
	else
		httpd_reply(req, status, NULL, NULL, 0);
}

void answer_problem(struct httpd_req *req, unsigned status, const char *code, const char *fmt, ...)
{
	char detail[ERR_MSG_BYTES * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem(req, status, code, NULL, NULL, detail);
}

void answer_vm_problem(struct httpd_req *req, unsigned status, const char *code, const char *vm_id,
	const char *fmt, ...)
{
	char detail[ERR_MSG_BYTES * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem(req, status, code, NULL, vm_id, detail);
}

void answer_retry(struct httpd_req *req, unsigned status, const char *code, unsigned retry_s,
	const char *fmt, ...)
{
	char detail[ERR_MSG_BYTES * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	httpd_add_headerf(req, "Retry-After", "%u", retry_s);
	problem(req, status, code, NULL, NULL, detail);
}

void answer_unknown(struct httpd_req *req, const char *what, const char *name, const char *list)
{
	answer_problem(req, 404, "not_found", "there is no %s \"%.240s\" (GET /%s lists them)",
		what, name, list);
}

void answer_check(struct httpd_req *req, const struct check *check)
{
	problem(req, 400, "invalid_field", check->pointer, NULL, check->err.msg);
}

void answer_items(struct httpd_req *req, json_t *items)
{
	answer_json(req, 200, json_pack("{s:o, s:n}", "items", items, "next_cursor"));
}

void answer_refused(struct httpd_req *req, const struct check *check)
{
	switch (check->err.code) {
	case EBUSY:
		answer_problem(req, 409, "conflict", "%s", check->err.msg);
		return;
	case EAGAIN:
	case ENOMEM:
		answer_retry(req, 503, "unavailable", 10, "%s", check->err.msg);
		return;
	default:
		answer_check(req, check);
	}
}

/* What the glue says, and what to do: it knows nothing of this API. */
static void add_remedy(
	const struct httpd_req *req, unsigned status, const char *sentence, char *out, size_t size)
{
	const struct httpd_route *route = httpd_route(req);

	if (status == 404)
		snprintf(out, size, "%s (GET /openapi.json says what there is)", sentence);
	else if (status == 405)
		snprintf(out, size, "%s (the header Allow says which are)", sentence);
	else if (status == 413 && route)
		snprintf(out, size, "%s: at most %llu bytes", sentence,
			(unsigned long long)(route->body_max ?: HTTPD_BODY_MAX_BYTES));
	else if (status == 507)
		snprintf(out, size,
			"%s on the manager's disk: remove images (POST /image/prune?all=true), or "
			"make room",
			sentence);
	else
		snprintf(out, size, "%s", sentence);
}

void answer_glue_error(struct httpd_req *req, unsigned status, const char *sentence)
{
	const char *code = "internal";
	char detail[256];

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status)
			code = statuses[i].code;
	}
	add_remedy(req, status, sentence, detail, sizeof(detail));
	problem(req, status, code, NULL, NULL, detail);
}
