/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What db answers is answered: the queue's routes for workers and pages. The other files build on the first half.
 */
#include "services/master/master.h"

#include "lib/log.h"

#include <errno.h>
#include <string.h>

#define QUERY_BYTES    256
#define LIST_QUERY_MAX 2048

bool master_id_good(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= 18 && strspn(id, "0123456789") == len;
}

const char *master_pass_header(
	const struct httpd_req *req, const char *name, char *out, size_t size)
{
	const char *value = httpd_header(req, name);

	if (!value || (size_t)snprintf(out, size, "%s: %s", name, value) >= size)
		return NULL;
	return out;
}

static void relay_free(void *data)
{
	struct relay *r = data;

	upstream_cancel(r->call);
	if (r->end)
		r->end(r);
	free(r);
}

void *relay_new(struct httpd_req *req, size_t bytes, void (*end)(struct relay *relay))
{
	struct relay *r = calloc(1, bytes);

	if (!r)
		return NULL;
	*r = (struct relay){.m = master_of(req), .req = req, .end = end};
	httpd_set_data(req, r, relay_free);
	httpd_defer(req, NULL);
	return r;
}

void relay_ask(struct relay *r, struct upstream_request q)
{
	q.retry_ms = r->m->retry_ms;
	q.arg = r;
	if (upstream_start(r->m->s->upstream, &q, &r->call) < 0)
		httpd_reply_error(r->req, 500, "out of memory");
}

void relay_failed(struct relay *r, const struct httpc_response *resp)
{
	log_warn("a request could not be relayed", "path=\"%.100s\" error=\"%s\"",
		httpd_path(r->req), resp->error);
	httpd_add_header(r->req, "Retry-After", "1");
	httpd_replyf(
		r->req, resp->code == -ENOENT ? 503 : 502, MASTER_HTML, "Error: %s", resp->error);
}

void relay_answer(struct relay *r, const struct httpc_response *resp)
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

/* ---- what goes to db as it is */
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
	struct relay *r = relay_new(req, sizeof(*r), NULL);
	char lease[160], final[32];
	const char *headers[3] = {NULL};
	size_t n = 0;
	struct upstream_request q = {.key = MASTER_DB,
		.path = path,
		.idempotent = idempotent,
		.waits = timeout_ms == MASTER_WAIT_MS,
		.done = on_relayed};

	if (!r)
		return;
	if (master_pass_header(req, "X-Lease", lease, sizeof(lease)))
		headers[n++] = lease;
	if (master_pass_header(req, "X-Final", final, sizeof(final)))
		headers[n++] = final;
	q.http.method = httpd_method(req);
	q.http.headers = headers;
	q.http.body = httpd_body(req, &q.http.len);
	q.http.timeout_ms = timeout_ms;
	relay_ask(r, q);
}

void on_next(struct httpd_req *req)
{
	const char *query = strchr(httpd_target(req), '?');
	char path[QUERY_BYTES + 16];

	if (query && strlen(query) >= QUERY_BYTES) {
		httpd_reply_error(req, 400, "the query is too long");
		return;
	}
	snprintf(path, sizeof(path), "/task/next%s", query ? query : "");
	/* Not idempotent: a lease may have been given to the connection that broke. It runs out by itself. */
	relay_to_db(req, path, false, MASTER_WAIT_MS);
}

/* As db has them. */
void on_list(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id"), *query = strchr(httpd_target(req), '?');
	bool get = strcmp(httpd_route(req)->method, "GET") == 0;
	char path[LIST_QUERY_MAX + 64];

	if (id && !master_id_good(id)) {
		httpd_reply(req, 404, MASTER_HTML, "Task not found", 14);
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
	relay_to_db(req, path, get, MASTER_CALL_MS);
}

void on_change(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id"), *verb = strrchr(httpd_route(req)->pattern, '/');
	char path[64];

	if (!master_id_good(id)) {
		httpd_reply(req, 404, MASTER_HTML, "Task not found", 14);
		return;
	}
	snprintf(path, sizeof(path), "/task/%s%s", id, verb);
	relay_to_db(req, path, httpd_header(req, "X-Lease") != NULL, MASTER_CALL_MS);
}
