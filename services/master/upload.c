/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture that is uploaded becomes a task. What is to be done with it (services/common/picture_params.h) comes as fields of the form or arguments
 * of the query, is checked with the form, kept by db and read by the worker.
 *
 *   CREATE: db POST /task --id--> STORE: storage POST /upload/{id} --200--> SET: db POST /task/{id}/ready --200, 409--> 200, Location, X-Task-Id
 *     |   |                                  |                                   |
 *     |   +-- its key was seen before, and the picture is there --> 200          |
 *     +--------------------------------------+-----------------------------------+--> failed: the client's own fault, else 500, 503
 *
 * Each upload carries its own id (the original's was one for all). Every step may be repeated on another instance: a task that was created
 * twice is an orphan, which db collects. The upload belongs to its form, and goes with the request.
 */
#include "services/master/master.h"

#include "lib/log.h"

#include <string.h>

struct upload {
	struct master *m;
	struct httpd_req *req;
	struct image_form *form;
	struct upstream_call *call;
	struct httpc_part part;
	char id[MASTER_ID_BYTES];
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
		httpd_replyf(u->req, status, MASTER_HTML, "%s: %s", what, resp->error);
	else
		httpd_replyf(u->req, status, MASTER_HTML, "%s: %.200s", what,
			resp->len ? resp->body : "no answer");
}

static void upload_ask(struct upload *u, struct upstream_request q)
{
	q.retry_ms = u->m->retry_ms;
	q.idempotent = true;
	q.http.method = "POST";
	q.http.timeout_ms = MASTER_CALL_MS;
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
	upload_ask(
		u, (struct upstream_request){.key = MASTER_DB, .path = path, .done = on_ready_set});
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
	if (resp->status != 200 || !master_id_good(resp->body)) {
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
		(struct upstream_request){.key = MASTER_STORAGE,
			.path = path,
			.hash = u->id,
			.http = {.parts = &u->part, .part_count = 1},
			.done = on_uploaded});
}

/* The client's ?priority and ?delay and its Idempotency-Key are db's to judge. */
static void create_task(struct upload *u)
{
	static const char *const queries[] = {"priority", "delay"};
	struct upstream_request q = {.key = MASTER_DB, .done = on_created};
	char path[64] = "/task", params[PICTURE_PARAMS_BYTES + 20], key[200];
	const char *headers[3] = {NULL};
	size_t n = 0, at = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		const char *value = httpd_query(u->req, queries[i]);
		size_t len = value ? strlen(value) : 0;

		if (len && (len > 18 || strspn(value, "0123456789") != len)) {
			httpd_replyf(u->req, 400, MASTER_HTML, "%s must be a number", queries[i]);
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
	if (master_pass_header(u->req, "Idempotency-Key", key, sizeof(key)))
		headers[n++] = key;
	q.path = path;
	q.http.headers = headers;
	upload_ask(u, q);
}

void on_upload_begin(struct httpd_req *req)
{
	image_form_begin(req, &master_of(req)->budget);
}

void on_upload(struct httpd_req *req)
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
