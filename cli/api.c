/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the manager's API over lib/httpc, and how its answers become results and sentences. */
#include "cli/api.h"

#include "lib/token.h"
#include "lib/httpc.h"
#include "lib/jsonx.h"
#include "lib/loop.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ANSWER_MAX_BYTES (16 * MIB)
#define JSON_DEPTH       16
#define PAGES_MAX        1000
#define NAME_MAX_BYTES   255

struct api {
	char *host;
	const char *unix_path; /* into host; NULL: TCP */
	char *token;           /* "Authorization: Bearer ..." for TCP, or NULL */
	char *base;            /* "http://address:port" */
	struct loop *loop;
	struct httpc *client;
};

struct call {
	struct api *api;
	char *body;
	struct buf problem; /* body of a refusal while on_data takes the rest */
	int (*on_data)(void *arg, const void *data, size_t len);
	void (*done)(void *arg, int rc, json_t *answer, const struct err *err);
	void *arg;
};

/* --- address --------------------------------------------------------------------------------------------------- */
static int parse_host(struct api *api, struct err *err)
{
	const char *h = api->host, *address;

	if (!strncmp(h, "unix://", 7) && h[7] == '/') {
		api->unix_path = h + 7;
		api->base = strdup("http://localhost");
		return api->base ? 0 : -ENOMEM;
	}
	address = !strncmp(h, "tcp://", 6) ? h + 6 : !strncmp(h, "http://", 7) ? h + 7 : NULL;
	if (!address || !*address || address[strcspn(address, "/?#@ ")])
		return err_set(err, EINVAL,
			"\"%s\" is no address of a manager, such as unix:///path or "
			"tcp://127.0.0.1:6666",
			h);
	return asprintf(&api->base, "http://%s", address) < 0 ? -ENOMEM : 0;
}

/* UIGNITER_TOKEN_FILE: never over a Unix socket, which needs none. */
static int read_token(struct api *a, struct err *err)
{
	const char *path = getenv("UIGNITER_TOKEN_FILE");
	char *token _cleanup_free_ = NULL;
	int rc;

	if (a->unix_path || !path || !*path)
		return 0;
	rc = token_read(path, &token, err);
	if (!rc && asprintf(&a->token, "Authorization: Bearer %s", token) < 0) {
		a->token = NULL;
		rc = err_set(err, ENOMEM, "out of memory");
	}
	return rc;
}

int api_open(const char *host, struct api **api, struct err *err)
{
	struct api *a _cleanup_(api_closep) = calloc(1, sizeof(*a));
	int rc;

	if (!a || !(a->host = strdup(host)))
		return err_set(err, ENOMEM, "out of memory");
	rc = parse_host(a, err);
	if (!rc)
		rc = read_token(a, err);
	if (!rc)
		rc = loop_new(&a->loop);
	if (!rc)
		rc = httpc_new(a->loop, 0, &a->client, err);
	if (rc)
		return rc;
	*api = steal_ptr(&a);
	return 0;
}

void api_close(struct api *api)
{
	if (!api)
		return;
	httpc_free(api->client);
	loop_free(api->loop);
	free(api->token);
	free(api->base);
	free(api->host);
	free(api);
}

struct loop *api_loop(struct api *api)
{
	return api->loop;
}

/* --- answers --------------------------------------------------------------------------------------------------- */
/* The problem's stable code says more than the status: an unknown image of POST /vm/run is 400 as in the original. */
static int errno_of(const char *code, int status)
{
	static const struct {
		const char *code;
		int status, number;
	} table[] = {{"not_found", 404, ENOENT}, {"name_taken", 409, EEXIST},
		{"conflict", 409, EEXIST}, {"not_ready", 504, ETIMEDOUT},
		{"bad_request", 400, EINVAL}, {"unsupported_media_type", 415, EINVAL}};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (code && !strcmp(code, table[i].code))
			return table[i].number;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (status == table[i].status)
			return table[i].number;
	return EIO;
}

/* The API's remedies name its own routes; here they name commands. */
static int add_detail(struct buf *out, const char *detail)
{
	static const struct {
		const char *route, *command;
	} remedies[] = {{"(GET /image lists them)", "(see: uigniter image ls)"},
		{"(GET /vm lists them)", "(see: uigniter ps -a)"},
		{"(GET /template lists them)", "(see: uigniter template ls)"},
		{"(GET /fn lists them)", "(see: uigniter fn ls)"},
		{"(GET /app lists them)", "(see: uigniter app ls)"},
		{"(GET /kernel lists them)", "(see: uigniter kernel ls)"},
		{"(GET /operation lists them)", "(see: uigniter task ls)"},
		{"use ?force=true", "use --force"}};

	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		const char *at = strstr(detail, remedies[i].route);

		if (at)
			return buf_printf(out, "%.*s%s%s", (int)(at - detail), detail,
				remedies[i].command, at + strlen(remedies[i].route));
	}
	return buf_addstr(out, detail);
}

/* The sentence of a problem: its detail, else its title, else the status. */
int api_problem(int status, const json_t *problem, struct err *err)
{
	const char *code = json_string_value(json_object_get(problem, "code"));
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	struct buf text _cleanup_buf_ = {0};

	if (!detail)
		detail = json_string_value(json_object_get(problem, "title"));
	if (detail && !add_detail(&text, detail))
		return err_set(err, errno_of(code, status), "%s", text.data);
	return err_set(
		err, errno_of(code, status), "the manager answered with HTTP status %d", status);
}

/* *answer: the problem itself, if it is one. */
static int problem(int status, const char *body, size_t len, json_t **answer, struct err *err)
{
	if (jsonx_parse_object(body, len, JSON_DEPTH, answer, NULL))
		*answer = NULL;
	return api_problem(status, *answer, err);
}

static int transport_error(const struct api *api, const struct httpc_response *r, struct err *err)
{
	if (r->code == -EACCES)
		return err_set(err, ECONNREFUSED,
			"you may not use the manager's socket %s (become a member of its group, or "
			"root)",
			api->host);
	if (r->code == -ECONNREFUSED || r->code == -ENOENT)
		return err_set(err, ECONNREFUSED,
			"the manager is not reachable at %s (start uigniterd, or name its address "
			"with -H)",
			api->host);
	if (r->code == -ETIMEDOUT || r->code == -EHOSTUNREACH)
		return err_set(err, ETIMEDOUT, "the manager did not answer in time");
	return err_set(err, r->code == -ECANCELED ? ECANCELED : EIO, "%s",
		*r->error ? r->error : "the connection broke off");
}

static int answer_of(
	const struct call *c, const struct httpc_response *r, json_t **answer, struct err *err)
{
	if (!r->status || r->code)
		return transport_error(c->api, r, err);
	if (r->status >= 400 && c->on_data)
		return problem(r->status, c->problem.data ? c->problem.data : "", c->problem.len,
			answer, err);
	if (r->status >= 400)
		return problem(r->status, r->body, r->len, answer, err);
	if (c->on_data || !r->len)
		return 0;
	if (jsonx_parse(r->body, r->len, JSON_DEPTH, answer, err))
		return err_set(err, EIO, "the manager's answer is no JSON (is %s a manager?)",
			c->api->host);
	return 0;
}

static void call_free(struct call *c)
{
	buf_fini(&c->problem);
	free(c->body);
	free(c);
}

static void on_done(void *arg, const struct httpc_response *r)
{
	struct call *c = arg;
	json_t *answer _cleanup_json_ = NULL;
	struct err err = {0};
	int rc = answer_of(c, r, &answer, &err);

	c->done(c->arg, rc, answer, &err);
	call_free(c);
}

static int on_piece(void *arg, int status, const void *data, size_t len)
{
	struct call *c = arg;

	return status < 400 ? c->on_data(c->arg, data, len) : buf_add(&c->problem, data, len);
}

/* --- calls ----------------------------------------------------------------------------------------------------- */
static int start(struct call *c, const struct api_request *q, const char *url)
{
	const char *headers[5] = {NULL};
	size_t n = 0;
	struct httpc_request h = {.method = q->method,
		.url = url,
		.unix_path = c->api->unix_path,
		.headers = headers,
		.body = c->body,
		.len = c->body ? strlen(c->body) : 0,
		.body_fd = q->body_fd,
		.body_fd_len = q->body_bytes,
		.timeout_ms = q->limit_ms,
		.max_bytes = ANSWER_MAX_BYTES,
		.on_data = q->on_data ? on_piece : NULL,
		.done = on_done,
		.arg = c};

	if (!c->body && (q->body_bytes || (q->method && !strcmp(q->method, "PUT"))))
		headers[n++] = "Content-Type: application/octet-stream";
	else if (c->body || (q->method && !strcmp(q->method, "POST")))
		headers[n++] = "Content-Type: application/json";
	for (size_t i = 0; i < ARRAY_SIZE(q->header); i++)
		if (q->header[i])
			headers[n++] = q->header[i];
	headers[n] = c->api->token;
	return httpc_start(c->api->client, &h, NULL);
}

int api_start(struct api *api, const struct api_request *q, struct err *err)
{
	struct call *c = calloc(1, sizeof(*c));
	char *url _cleanup_free_ = NULL;
	int rc = -ENOMEM;

	if (c) {
		*c = (struct call){
			.api = api, .on_data = q->on_data, .done = q->done, .arg = q->arg};
		buf_init(&c->problem, MIB);
		c->body = q->body ? json_dumps(q->body, JSON_COMPACT) : NULL;
		if ((c->body || !q->body) && asprintf(&url, "%s%s", api->base, q->path) >= 0)
			rc = start(c, q, url);
	}
	if (!rc)
		return 0;
	if (c)
		call_free(c);
	return err_sys(err, -rc, "cannot call the manager");
}

struct waiting {
	struct loop *loop;
	const struct api_request *request;
	int rc;
	json_t *answer;
	struct err *err;
};

static void on_waited(void *arg, int rc, json_t *answer, const struct err *err)
{
	struct waiting *w = arg;

	w->rc = rc;
	w->answer = json_incref(answer);
	if (rc && w->err)
		*w->err = *err;
	loop_stop(w->loop, 1);
}

static int on_waiting_data(void *arg, const void *data, size_t len)
{
	const struct waiting *w = arg;

	return w->request->on_data(w->request->arg, data, len);
}

int api_call(struct api *api, const struct api_request *request, json_t **answer, struct err *err)
{
	struct waiting w = {.loop = api->loop, .request = request, .err = err};
	struct api_request q = *request;
	int rc;

	q.on_data = request->on_data ? on_waiting_data : NULL;
	q.done = on_waited;
	q.arg = &w;
	rc = api_start(api, &q, err);
	if (!rc)
		rc = loop_run(api->loop);
	if (rc < 0)
		return err && err->code ? rc : err_sys(err, -rc, "cannot wait for the manager");
	if (answer)
		*answer = w.answer;
	else
		json_decref(w.answer);
	return w.rc;
}

int api_list(struct api *api, const char *path, json_t **items, struct err *err)
{
	json_t *all _cleanup_json_ = json_array();
	struct buf page _cleanup_buf_ = {0};
	int rc = all ? buf_addstr(&page, path) : -ENOMEM;

	for (int i = 0; !rc && i < PAGES_MAX; i++) {
		json_t *answer _cleanup_json_ = NULL;
		const char *cursor;

		rc = api_call(api, &(struct api_request){.path = page.data}, &answer, err);
		if (rc)
			return rc;
		if (!json_is_array(json_object_get(answer, "items")))
			return err_set(err, EIO,
				"the manager's answer has no items (is %s a manager?)", api->host);
		if (json_array_extend(all, json_object_get(answer, "items")))
			return err_set(err, ENOMEM, "out of memory");
		cursor = json_string_value(json_object_get(answer, "next_cursor"));
		if (!cursor) {
			*items = steal_ptr(&all);
			return 0;
		}
		page.len = 0;
		rc = buf_printf(
			&page, "%s%ccursor=%s", path, strchr(path, '?') ? '&' : '?', cursor);
	}
	return err_set(err, rc ? -rc : E2BIG, "the manager's list does not end");
}

/* --- paths ----------------------------------------------------------------------------------------------------- */
/* Parts of letters, digits and ._-, each beginning with a letter or digit; parts are joined by one of joints. */
static bool is_name(const char *s, const char *joints)
{
	bool start = true;

	if (strlen(s) > NAME_MAX_BYTES)
		return false;
	for (; *s; s++) {
		if (isalnum((unsigned char)*s))
			start = false;
		else if (!start && strchr(joints, *s))
			start = true;
		else if (start || !strchr("._-", *s))
			return false;
	}
	return !start;
}

int api_vm_path(struct buf *out, const char *name, const char *suffix, struct err *err)
{
	out->len = 0;
	if (!is_name(name, ""))
		return err_set(err, ENOENT, "there is no such instance (see: uigniter ps -a)");
	if (buf_printf(out, "/vm/%s%s", name, suffix))
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

int api_image_path(struct buf *out, const char *name, struct err *err)
{
	out->len = 0;
	if (!is_name(name, "/:"))
		return err_set(err, ENOENT, "there is no such image (see: uigniter image ls)");
	if (buf_printf(out, "/image/%s", name))
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

int api_kernel_path(struct buf *out, const char *name, struct err *err)
{
	out->len = 0;
	if (!is_name(name, ""))
		return err_set(err, ENOENT, "there is no such kernel (see: uigniter kernel ls)");
	if (buf_printf(out, "/kernel/%s", name))
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}
