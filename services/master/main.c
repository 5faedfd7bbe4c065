/* SPDX-License-Identifier: Apache-2.0 */
/*
 * master: the broker. A picture that is uploaded becomes a task of db and an input of storage; what workers and pages ask
 * for is relayed. It has no state of its own beyond the requests in flight: any number of masters may run.
 *
 * What is to be done with the picture (services/common/picture_params.h) comes as fields of the form or arguments of the query, is
 * checked here, kept by db and read by the worker.
 *
 *   POST /task: db POST /task -> storage POST /upload/{id} -> db POST /task/{id}/ready -> 200, Location, X-Task-Id
 *
 * Each upload carries its own id (the original's was one for all). Every step may be repeated on another instance: a task
 * that was created twice is an orphan, which db collects.
 */
#include "services/common/image_form.h"
#include "services/common/service.h"

#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define HTML           "text/html; charset=utf-8"
#define JSON           "application/json; charset=utf-8"
#define DB             "dbendpoint"
#define STORAGE        "storageendpoint"
#define CALL_MS        20000
#define LONG_POLL_MS   75000
#define DOWNLOADS_MAX  32 /* each is held in memory while it passes */
#define ID_BYTES       20
#define QUERY_BYTES    256
#define LIST_QUERY_MAX 2048

struct master {
	struct service *s;
	struct image_budget budget;
	int64_t retry_ms;
	unsigned int downloads;
	uint64_t uploads, relayed;
};

static struct master *master_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

static bool id_good(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= 18 && strspn(id, "0123456789") == len;
}

/* A header of the client, passed on, or NULL. out takes "Name: value". */
static const char *pass_header(
	const struct httpd_req *req, const char *name, char *out, size_t size)
{
	const char *value = httpd_header(req, name);

	if (!value || (size_t)snprintf(out, size, "%s: %s", name, value) >= size)
		return NULL;
	return out;
}

/* --- uploads ------------------------------------------------------------------------------------------------------------ */
struct upload {
	struct master *m;
	struct httpd_req *req;
	struct image_form *form;
	struct upstream_call *call;
	struct httpc_part part;
	char id[ID_BYTES];
};

static void upload_free(void *data)
{
	struct upload *u = data;

	upstream_cancel(u->call);
	service_worked(u->m->s);
	free(u);
}

static void upload_failed(struct upload *u, const char *what, const struct httpc_response *resp)
{
	/* What the client did wrong stays its fault. */
	unsigned int status = resp->status == 400 || resp->status == 413 || resp->status == 415 ||
			resp->status == 503 || resp->status == 507
		? (unsigned int)resp->status
		: 500;

	if (resp->code < 0)
		log_warn("an upload failed", "step=\"%s\" error=\"%s\"", what, resp->error);
	else
		log_warn("an upload failed", "step=\"%s\" status=%d", what, resp->status);
	if (status == 503)
		httpd_add_header(u->req, "Retry-After", "1");
	if (resp->code < 0)
		httpd_replyf(u->req, status, HTML, "%s: %s", what, resp->error);
	else
		httpd_replyf(u->req, status, HTML, "%s: %.200s", what,
			resp->len ? resp->body : "no answer");
}

static void upload_ask(struct upload *u, struct upstream_request q)
{
	q.retry_ms = u->m->retry_ms;
	q.idempotent = true;
	q.http.method = "POST";
	q.http.timeout_ms = CALL_MS;
	q.arg = u;
	if (upstream_start(u->m->s->upstream, &q, &u->call) < 0)
		httpd_reply_error(u->req, 500, "out of memory");
}

static void upload_done(struct upload *u)
{
	httpd_add_headerf(u->req, "Location", "/task/%s", u->id);
	httpd_add_header(u->req, "X-Task-Id", u->id);
	httpd_reply(u->req, 200, NULL, NULL, 0);
}

static void on_ready_set(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct upload *u = arg;

	(void)instances;
	u->call = NULL;
	/* 409: the first of two tries came through and the task is already beyond. */
	if (resp->status != 200 && resp->status != 409) {
		upload_failed(u, "Error creating task", resp);
		return;
	}
	u->m->uploads++;
	upload_done(u);
}

static void on_uploaded(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct upload *u = arg;
	char path[64];

	(void)instances;
	u->call = NULL;
	if (resp->status != 200) {
		upload_failed(u, "Error uploading image", resp);
		return;
	}
	snprintf(path, sizeof(path), "/task/%s/ready", u->id);
	upload_ask(u, (struct upstream_request){.key = DB, .path = path, .done = on_ready_set});
}

static bool is_jpeg(const struct image_form *form)
{
	return (unsigned char)form->image.data[0] == 0xff; /* else a PNG: the form was checked */
}

static void on_created(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct upload *u = arg;
	struct image_form *form = u->form;
	const char *state;
	char path[64];

	(void)instances;
	u->call = NULL;
	if (resp->status != 200 || !id_good(resp->body)) {
		upload_failed(u, "Error creating task", resp);
		return;
	}
	snprintf(u->id, sizeof(u->id), "%s", resp->body);
	state = httpc_header(resp, "X-Task-State");
	/* A key that was seen before: the picture of that time is there, unless its upload broke off. */
	if (state && strcmp(state, "-1") != 0) {
		upload_done(u);
		return;
	}
	snprintf(path, sizeof(path), "/upload/%s?kind=input", u->id);
	u->part = (struct httpc_part){.name = "image",
		.filename = form->filename[0] ? form->filename : "image",
		.type = is_jpeg(form) ? "image/jpeg" : "image/png",
		.data = form->image.data,
		.len = form->image.len};
	upload_ask(u,
		(struct upstream_request){.key = STORAGE,
			.path = path,
			.hash = u->id,
			.http = {.parts = &u->part, .part_count = 1},
			.done = on_uploaded});
}

/* The client's ?priority and ?delay and its Idempotency-Key are db's to judge. */
static void create_task(struct upload *u)
{
	static const char *const queries[] = {"priority", "delay"};
	struct upstream_request q = {.key = DB, .done = on_created};
	char path[64] = "/task", params[PICTURE_PARAMS_BYTES + 20], key[200];
	const char *headers[3] = {NULL};
	size_t n = 0, at = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		const char *value = httpd_query(u->req, queries[i]);
		size_t len = value ? strlen(value) : 0;

		if (len && (len > 18 || strspn(value, "0123456789") != len)) {
			httpd_replyf(u->req, 400, HTML, "%s must be a number", queries[i]);
			return;
		}
		if (len)
			at += (size_t)snprintf(path + at, sizeof(path) - at, "%c%s=%s",
				strchr(path, '?') ? '&' : '?', queries[i], value);
	}
	if (u->form->params_text[0]) {
		snprintf(params, sizeof(params), "X-Task-Params: %s", u->form->params_text);
		headers[n++] = params;
	}
	if (pass_header(u->req, "Idempotency-Key", key, sizeof(key)))
		headers[n++] = key;
	q.path = path;
	q.http.headers = headers;
	upload_ask(u, q);
}

static void on_upload_begin(struct httpd_req *req)
{
	image_form_begin(req, &master_of(req)->budget);
}

static void on_upload(struct httpd_req *req)
{
	struct image_form *form = image_form_take(req);
	struct upload *u;

	if (!form)
		return;
	u = calloc(1, sizeof(*u));
	if (!u)
		return;
	*u = (struct upload){.m = master_of(req), .req = req, .form = form};
	form->more = u;
	form->more_free = upload_free;
	httpd_defer(req, NULL);
	create_task(u);
}

/* --- relays ------------------------------------------------------------------------------------------------------------- */
struct relay {
	struct master *m;
	struct httpd_req *req;
	struct upstream_call *call;
	bool download;
	/* of a download: */
	char id[ID_BYTES];
	const char *kind; /* asked for; NULL: the result, else the input */
	size_t skip;
	enum { FIND_FIRST, FIND_RESULT, FIND_INPUT } find;
};

static void relay_free(void *data)
{
	struct relay *r = data;

	upstream_cancel(r->call);
	if (r->download) {
		r->m->downloads--;
		service_worked(r->m->s);
	}
	free(r);
}

static struct relay *relay_new(struct httpd_req *req)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL; /* no answer: 500 */
	r->m = master_of(req);
	r->req = req;
	httpd_set_data(req, r, relay_free);
	httpd_defer(req, NULL);
	return r;
}

static void relay_failed(struct relay *r, const struct httpc_response *resp)
{
	log_warn("a request could not be relayed", "path=\"%.100s\" error=\"%s\"",
		httpd_path(r->req), resp->error);
	httpd_add_header(r->req, "Retry-After", "1");
	httpd_replyf(r->req, resp->code == -ENOENT ? 503 : 502, HTML, "Error: %s", resp->error);
}

static void relay_answer(struct relay *r, const struct httpc_response *resp)
{
	static const char *const passed[] = {"X-Lease", "X-Lease-Expires", "X-Lease-Ms",
		"X-Attempt", "X-Task-Params", "X-Worker", "X-Kind", "Retry-After",
		"Content-Disposition", "Accept-Ranges", "Content-Range", "ETag", "Last-Modified"};

	if (resp->code < 0) {
		relay_failed(r, resp);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++) {
		const char *value = httpc_header(resp, passed[i]);

		if (value)
			httpd_add_header(r->req, passed[i], value);
	}
	r->m->relayed++;
	httpd_reply(r->req, (unsigned int)resp->status, httpc_header(resp, "Content-Type"),
		resp->body, resp->len);
}

static void on_relayed(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct relay *r = arg;

	(void)instances;
	r->call = NULL;
	relay_answer(r, resp);
}

static void relay_to_db(
	struct httpd_req *req, const char *path, bool idempotent, unsigned int timeout_ms)
{
	struct relay *r = relay_new(req);
	char lease[160], final[32];
	const char *headers[3] = {NULL};
	struct upstream_request q = {
		.key = DB, .path = path, .idempotent = idempotent, .done = on_relayed, .arg = r};
	size_t len, n = 0;

	if (!r)
		return;
	if (pass_header(req, "X-Lease", lease, sizeof(lease)))
		headers[n++] = lease;
	if (pass_header(req, "X-Final", final, sizeof(final)))
		headers[n++] = final;
	q.retry_ms = r->m->retry_ms;
	q.http.method = httpd_method(req);
	q.http.headers = headers;
	q.http.body = httpd_body(req, &len);
	q.http.len = len;
	q.http.timeout_ms = timeout_ms;
	q.waits = timeout_ms == LONG_POLL_MS;
	if (upstream_start(r->m->s->upstream, &q, &r->call) < 0)
		httpd_reply_error(req, 500, "out of memory");
}

static void on_next(struct httpd_req *req)
{
	const char *query = strchr(httpd_target(req), '?');
	char path[QUERY_BYTES + 16];

	if (query && strlen(query) >= QUERY_BYTES) {
		httpd_reply_error(req, 400, "the query is too long");
		return;
	}
	snprintf(path, sizeof(path), "/task/next%s", query ? query : "");
	/* Not idempotent: a lease may have been given to the connection that broke. It runs out by itself. */
	relay_to_db(req, path, false, LONG_POLL_MS);
}

/* Lists of tasks and of dead ones, and what may be done to those: as db has them. */
static void on_list(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id"), *query = strchr(httpd_target(req), '?');
	bool get = strcmp(httpd_route(req)->method, "GET") == 0;
	char path[LIST_QUERY_MAX + 64];

	if (id && !id_good(id)) {
		httpd_reply(req, 404, HTML, "Task not found", 14);
		return;
	}
	if (query && strlen(query) > LIST_QUERY_MAX) {
		httpd_reply_error(req, 400, "the query is too long");
		return;
	}
	if (id)
		snprintf(path, sizeof(path), "/dead/%s%s", id,
			strcmp(httpd_method(req), "DELETE") == 0 ? "" : "/retry");
	else
		snprintf(path, sizeof(path), "%s%s", httpd_route(req)->pattern,
			get && query ? query : "");
	relay_to_db(req, path, get, CALL_MS);
}

static void on_change(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id"), *verb = strrchr(httpd_route(req)->pattern, '/');
	char path[64];

	if (!id_good(id)) {
		httpd_reply(req, 404, HTML, "Task not found", 14);
		return;
	}
	snprintf(path, sizeof(path), "/task/%s%s", id, verb);
	relay_to_db(req, path, httpd_header(req, "X-Lease") != NULL, CALL_MS);
}

/* --- GET /task/{id}/ready ----------------------------------------------------------------------------------------------- */
static void on_state(void *arg, const struct httpc_response *resp, size_t instances)
{
	_cleanup_json_ json_t *json = NULL;
	struct relay *r = arg;
	int64_t state;
	const char *text;

	(void)instances;
	r->call = NULL;
	if (resp->code < 0) {
		relay_failed(r, resp);
		return;
	}
	if (resp->status == 404) {
		httpd_reply(r->req, 404, NULL, NULL, 0);
		return;
	}
	if (resp->status != 200 || jsonx_parse_object(resp->body, resp->len, 4, &json, NULL) < 0 ||
		jsonx_int(json, "state", -10, 10, &state, NULL) < 0) {
		httpd_reply(r->req, 502, HTML, "Error: db does not answer as it should", 38);
		return;
	}
	text = state == 2 ? "true" : "false";
	httpd_reply(r->req, 200, JSON, text, strlen(text));
}

static void on_is_ready(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id");
	struct upstream_request q = {.key = DB, .idempotent = true, .done = on_state};
	struct relay *r;
	char path[48];

	if (!id_good(id)) {
		httpd_reply(req, 404, NULL, NULL, 0);
		return;
	}
	r = relay_new(req);
	if (!r)
		return;
	snprintf(path, sizeof(path), "/task/%s", id);
	q.path = path;
	q.arg = r;
	q.retry_ms = r->m->retry_ms;
	q.http.timeout_ms = CALL_MS;
	if (upstream_start(r->m->s->upstream, &q, &r->call) < 0)
		httpd_reply_error(req, 500, "out of memory");
}

/* --- GET /task/{id}/download -------------------------------------------------------------------------------------------- */
static void download(struct relay *r);

/*
 * One storage: its answer is the answer. With several, pictures lie where they could be stored: when the preferred one has
 * no result, the others are asked for the result, and then all for the input.
 */
static void on_downloaded(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct relay *r = arg;
	const char *kind = resp->code == 0 ? httpc_header(resp, "X-Kind") : NULL;
	bool have = resp->code == 0 && resp->status != 404 && resp->status < 500;

	r->call = NULL;
	if (instances <= 1 ||
		(have &&
			!(r->find == FIND_FIRST && !r->kind && kind &&
				strcmp(kind, "input") == 0))) {
		relay_answer(r, resp);
		return;
	}
	if (r->find == FIND_FIRST)
		r->find = r->kind && strcmp(r->kind, "input") == 0 ? FIND_INPUT : FIND_RESULT;
	if (++r->skip >= instances) {
		if (r->find == FIND_INPUT || r->kind) {
			relay_answer(r, resp);
			return;
		}
		r->find = FIND_INPUT;
		r->skip = 0;
	}
	download(r);
}

static void download(struct relay *r)
{
	static const char *const kinds[] = {[FIND_RESULT] = "result", [FIND_INPUT] = "input"};
	const char *kind = r->find == FIND_FIRST ? r->kind : kinds[r->find];
	struct upstream_request q = {.key = STORAGE,
		.rank = r->id,
		.skip = r->skip,
		.idempotent = true,
		.done = on_downloaded,
		.arg = r};
	const char *headers[3] = {NULL};
	char path[64], range[128], match[160];
	size_t n = 0;

	if (pass_header(r->req, "Range", range, sizeof(range)))
		headers[n++] = range;
	if (pass_header(r->req, "If-None-Match", match, sizeof(match)))
		headers[n++] = match;
	snprintf(path, sizeof(path), "/download/%s%s%s", r->id, kind ? "?kind=" : "",
		kind ? kind : "");
	q.path = path;
	q.retry_ms = r->m->retry_ms;
	q.http.method = httpd_method(r->req);
	q.http.headers = headers;
	q.http.timeout_ms = CALL_MS;
	q.http.max_bytes = r->m->budget.max_image_bytes + IMAGE_FORM_OVERHEAD;
	if (upstream_start(r->m->s->upstream, &q, &r->call) < 0)
		httpd_reply_error(r->req, 500, "out of memory");
}

static void on_download(struct httpd_req *req)
{
	struct master *m = master_of(req);
	const char *id = httpd_param(req, "id"), *kind = httpd_query(req, "kind");
	struct relay *r;

	if (!id_good(id)) {
		httpd_reply(req, 404, HTML, "Image not found", 15);
		return;
	}
	if (kind && strcmp(kind, "input") != 0 && strcmp(kind, "result") != 0) {
		httpd_reply(req, 400, HTML, "kind must be input or result", 28);
		return;
	}
	if (m->downloads >= DOWNLOADS_MAX) {
		httpd_add_header(req, "Retry-After", "1");
		httpd_reply(req, 503, HTML, "Too many downloads at a time", 28);
		return;
	}
	r = relay_new(req);
	if (!r)
		return;
	m->downloads++;
	r->download = true;
	r->kind = kind;
	snprintf(r->id, sizeof(r->id), "%s", id);
	download(r);
}

static const struct httpd_route routes[] = {
	{.method = "POST",
		.pattern = "/task",
		.begin = on_upload_begin,
		.part = image_form_part,
		.handler = on_upload,
		.body_max = UINT64_MAX / 4},
	{.method = "GET", .pattern = "/task/next", .handler = on_next},
	{.method = "GET", .pattern = "/task/{id}/ready", .handler = on_is_ready},
	{.method = "GET", .pattern = "/task/{id}/download", .handler = on_download},
	{.method = "POST", .pattern = "/task/{id}/finish", .handler = on_change},
	{.method = "POST", .pattern = "/task/{id}/renew", .handler = on_change},
	{.method = "POST", .pattern = "/task/{id}/fail", .handler = on_change, .body_max = 4 * KIB},
	{.method = "GET", .pattern = "/tasks", .handler = on_list},
	{.method = "GET", .pattern = "/dead", .handler = on_list},
	{.method = "POST", .pattern = "/dead/retry", .handler = on_list},
	{.method = "POST", .pattern = "/dead/{id}/retry", .handler = on_list},
	{.method = "DELETE", .pattern = "/dead/{id}", .handler = on_list},
};

/* --- life ---------------------------------------------------------------------------------------------------------------- */
static int fixed(struct service *s, const char *env, const char *key, struct err *err)
{
	const char *value = env_str(env);
	struct endpoint e;

	if (!value)
		return 0;
	if (endpoint_parse(value, &e, err) < 0)
		return err_prefix(err, "%s", env);
	return registry_set(s->registry, key, &e);
}

static int master_start(struct service *s, struct err *err)
{
	struct master *m = calloc(1, sizeof(*m));
	int64_t image, held;

	s->data = m;
	if (!m)
		return err_set(err, ENOMEM, "out of memory");
	m->s = s;
	if (env_int("MICRO_MASTER_MAX_BYTES", 100, INT64_C(1) << 30, 16 * MIB, &image, err) < 0 ||
		env_int("MICRO_MASTER_HELD_BYTES", 100, INT64_C(1) << 40, 64 * MIB, &held, err) <
			0 ||
		env_int("MICRO_MASTER_RETRY_MS", 0, 600000, 3000, &m->retry_ms, err) < 0)
		return -EINVAL;
	m->budget.max_image_bytes = (uint64_t)image;
	m->budget.max_bytes = (uint64_t)held;
	if (fixed(s, "MICRO_DB_ENDPOINT", DB, err) < 0 ||
		fixed(s, "MICRO_STORAGE_ENDPOINT", STORAGE, err) < 0)
		return -EINVAL;
	if (!s->has_registry &&
		!(env_str("MICRO_DB_ENDPOINT") && env_str("MICRO_STORAGE_ENDPOINT")))
		return err_set(err, EINVAL,
			"where is the registry? Give host:port, or MICRO_DB_ENDPOINT and "
			"MICRO_STORAGE_ENDPOINT");
	return 0;
}

static void master_stop(struct service *s)
{
	free(s->data);
}

static void master_metrics(struct service *s, struct buf *out)
{
	struct master *m = s->data;

	metrics_counter(out, "master_uploads_total", "Pictures that became tasks.", m->uploads);
	metrics_counter(out, "master_relayed_total", "Answers relayed.", m->relayed);
	metrics_gauge(out, "master_held_bytes", "Pictures in memory.", m->budget.held_bytes);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_MASTER_MAX_BYTES", "of one picture (default 16777216)"},
		{"MICRO_MASTER_HELD_BYTES", "of all uploads in flight (default 67108864)"},
		{"MICRO_MASTER_RETRY_MS",
			"for how long failing services are tried again (default 3000)"},
		{"MICRO_DB_ENDPOINT", "host:port of db, instead of the registry's"},
		{"MICRO_STORAGE_ENDPOINT", "host:port of storage, instead of the registry's"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "master",
		.summary = "Broker between clients, queue, storage and workers.",
		.port_env = "MICRO_MASTER_PORT",
		.port = 9003,
		.key = "masterendpoint",
		.takes_registry = true,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.conn_memory_bytes = 128 * KIB, /* pictures, in few pieces */
		.keeps_memory = true,
		.max_connections = 512,
		.start = master_start,
		.stop = master_stop,
		.metrics = master_metrics,
		.error = image_form_error,
	};

	return service_main(&spec, argc, argv);
}
