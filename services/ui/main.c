/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ui: the web page. GET /?taskId=N shows the result as a data: URL, or "NO RESULT FOUND!"; GET /upload is the form;
 * POST /upload is relayed to a master. For the page's scripts: pictures as files, lists and dead letters as db has them, and
 * progress as a stream (events.c). What changes something is taken from our own page only, as far as a browser tells.
 */
#include "services/ui/page.h"
#include "services/ui/ui.h"

#include "lib/base64.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>

#define RETRY_MS  2000
#define VIEWS_MAX 16 /* each holds a picture, a page that again in base64 */
#define QUERY_MAX 2048
#define JPEG      "image/jpeg"

/* A page view, an upload or a question that waits for a master. */
struct pending {
	struct ui *ui;
	struct httpd_req *req;
	struct upstream_call *call;
	bool view, waits; /* waits: a long poll, in ui->waits */
	struct httpc_part part;
	struct pending *prev, *next;
	char id[20];
};

static void wait_begin(struct pending *p)
{
	p->waits = true;
	p->next = p->ui->waits;
	if (p->next)
		p->next->prev = p;
	p->ui->waits = p;
}

static void wait_end(struct pending *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		p->ui->waits = p->next;
	if (p->next)
		p->next->prev = p->prev;
}

static void pending_free(void *data)
{
	struct pending *p = data;

	upstream_cancel(p->call);
	if (p->view)
		p->ui->views--;
	if (p->waits)
		wait_end(p);
	free(p);
}

static bool id_good(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= 18 && strspn(id, "0123456789") == len;
}

static void ask(struct pending *p, const char *path, struct httpc_request http,
	void (*done)(void *arg, const struct httpc_response *resp, size_t instances))
{
	struct upstream_request q = {
		.key = UI_MASTER, .path = path, .http = http, .done = done, .arg = p};

	q.retry_ms = RETRY_MS;
	q.idempotent = !http.method;
	q.waits = p->waits;
	q.http.timeout_ms = p->waits ? UI_WAIT_MS : UI_CALL_MS;
	if (upstream_start(p->ui->s->upstream, &q, &p->call) < 0)
		httpd_reply_error(p->req, 500, "out of memory");
}

/* --- the page ------------------------------------------------------------------------------------------------------------ */
static void show(struct httpd_req *req, const struct buf *content)
{
	struct buf page = {0};

	if (page_render(&page, content->data ? content->data : "", content->len) < 0) {
		buf_fini(&page);
		httpd_reply_error(req, 500, "out of memory");
		return;
	}
	httpd_add_header(req, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; "
		"img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'");
	httpd_add_header(req, "X-Content-Type-Options", "nosniff");
	httpd_add_header(req, "Referrer-Policy", "no-referrer");
	httpd_add_header(req, "Cache-Control", "no-store");
	httpd_reply_take(req, 200, UI_HTML, page.data, page.len);
}

static void show_none(struct httpd_req *req)
{
	_cleanup_buf_ struct buf content = {0};

	buf_addstr(&content, "<section class=\"result\"><p>NO RESULT FOUND!</p></section>");
	show(req, &content);
}

static void on_picture(void *arg, const struct httpc_response *resp, size_t instances)
{
	_cleanup_buf_ struct buf content = {0};
	struct pending *p = arg;
	const char *type;

	(void)instances;
	p->call = NULL;
	if (resp->status != 200) {
		show_none(p->req);
		return;
	}
	type = httpc_header(resp, "Content-Type");
	buf_printf(&content,
		"<section class=\"result\"><h2>Task %s</h2><img alt=\"result of task %s\" "
		"src=\"data:%s;base64,",
		p->id, p->id, type && strcmp(type, JPEG) == 0 ? JPEG : "image/png");
	base64_add(&content, resp->body, resp->len);
	buf_addstr(&content, "\"></section>");
	show(p->req, &content);
}

static void on_view_ready(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct pending *p = arg;
	char path[64];

	(void)instances;
	p->call = NULL;
	if (resp->status != 200 || strcmp(resp->body, "true") != 0) {
		show_none(p->req);
		return;
	}
	snprintf(path, sizeof(path), "/task/%s/download", p->id);
	ask(p, path, (struct httpc_request){.max_bytes = p->ui->budget.max_image_bytes},
		on_picture);
}

static struct pending *pending_new(struct httpd_req *req, const char *id)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL; /* no answer: 500 */
	p->ui = ui_of(req);
	p->req = req;
	snprintf(p->id, sizeof(p->id), "%s", id);
	httpd_defer(req, NULL);
	return p;
}

/* As pending_new(), for a request that holds a picture in memory: of those there are at most VIEWS_MAX, another one gets 503 and NULL. */
static struct pending *view_new(struct httpd_req *req, const char *id)
{
	struct pending *p;

	if (ui_of(req)->views >= VIEWS_MAX) {
		httpd_add_header(req, "Retry-After", "1");
		httpd_reply_error(req, 503, "too many pictures at a time");
		return NULL;
	}
	p = pending_new(req, id);
	if (!p)
		return NULL;
	httpd_set_data(req, p, pending_free);
	p->view = true;
	p->ui->views++;
	return p;
}

static void on_form(struct httpd_req *req)
{
	struct buf none = {0};

	show(req, &none);
}

static void on_view(struct httpd_req *req)
{
	const char *id = httpd_query(req, "taskId");
	struct pending *p;
	char path[64];

	if (!id) {
		on_form(req);
		return;
	}
	if (!id_good(id)) {
		show_none(req);
		return;
	}
	p = view_new(req, id);
	if (!p)
		return;
	snprintf(path, sizeof(path), "/task/%s/ready", id);
	ask(p, path, (struct httpc_request){0}, on_view_ready);
}

/* --- relays -------------------------------------------------------------------------------------------------------------- */
static void on_relayed(void *arg, const struct httpc_response *resp, size_t instances)
{
	static const char *const passed[] = {"Location", "X-Task-Id", "Retry-After"};
	struct pending *p = arg;

	(void)instances;
	p->call = NULL;
	if (resp->code < 0) {
		log_warn("no master answers", "error=\"%s\"", resp->error);
		httpd_replyf(p->req, 502, UI_HTML, "Error: %s", resp->error);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++) {
		const char *value = httpc_header(resp, passed[i]);

		if (value)
			httpd_add_header(p->req, passed[i], value);
	}
	httpd_reply(p->req, (unsigned int)resp->status, httpc_header(resp, "Content-Type"),
		resp->body, resp->len);
}

/* With &wait=SECONDS: when the task is finished or dead, else after that time. */
static void on_is_ready(struct httpd_req *req)
{
	const char *id = httpd_query(req, "taskId"), *wait = httpd_query(req, "wait");
	struct pending *p;
	char path[80];

	if (!id || !id_good(id)) {
		httpd_reply(req, 404, NULL, NULL, 0);
		return;
	}
	p = pending_new(req, id);
	if (!p)
		return;
	httpd_set_data(req, p, pending_free);
	if (wait && id_good(wait) && !httpd_is_head(req) && !p->ui->s->draining)
		wait_begin(p);
	snprintf(path, sizeof(path), "/task/%s/ready%s%s", id, p->waits ? "?wait=" : "",
		p->waits ? wait : "");
	ask(p, path, (struct httpc_request){0}, on_relayed);
}

/* --- for the scripts ----------------------------------------------------------------------------------------------------- */
/* Whether a request that changes something comes from our own page, as far as the browser says; else 403 is answered. */
static bool is_own_site(struct httpd_req *req)
{
	const char *site = httpd_header(req, "Sec-Fetch-Site");

	if (!site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
		return true;
	httpd_reply_error(req, 403, "not from another site's page");
	return false;
}

static void on_file(struct httpd_req *req)
{
	const struct page_file *f = page_file(httpd_route(req)->pattern);
	const char *tag = httpd_header(req, "If-None-Match");

	httpd_add_header(req, "X-Content-Type-Options", "nosniff");
	httpd_add_header(req, "Cache-Control", "no-cache");
	httpd_add_header(req, "ETag", f->tag);
	if (tag && strcmp(tag, f->tag) == 0)
		httpd_reply(req, 304, NULL, NULL, 0);
	else
		httpd_reply(req, 200, f->type, f->data, f->len);
}

/* Lists and dead letters: the master checks what is in them. */
static void on_list(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id"), *query = strchr(httpd_target(req), '?'),
		   *method = httpd_route(req)->method;
	bool get = strcmp(method, "GET") == 0;
	struct pending *p;
	char path[QUERY_MAX + 64];

	if ((id && !id_good(id)) || (query && strlen(query) > QUERY_MAX)) {
		httpd_reply_error(req, 400, "a bad number of a task, or too many of them");
		return;
	}
	if (!get && !is_own_site(req))
		return;
	p = pending_new(req, id ?: "");
	if (!p)
		return;
	httpd_set_data(req, p, pending_free);
	if (id)
		snprintf(path, sizeof(path), "/dead/%s%s", id,
			strcmp(method, "DELETE") == 0 ? "" : "/retry");
	else
		snprintf(path, sizeof(path), "%s%s", httpd_route(req)->pattern,
			get && query ? query : "");
	ask(p, path, (struct httpc_request){.method = get ? NULL : method}, on_relayed);
}

static void on_file_of_task(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct pending *p = arg;
	const char *type = resp->status == 200 ? httpc_header(resp, "Content-Type") : NULL;

	if (type && (strcmp(type, JPEG) == 0 || strcmp(type, "image/png") == 0)) {
		httpd_add_header(p->req, "X-Content-Type-Options", "nosniff");
		/* A picture does not change, but ids begin anew with another queue. */
		httpd_add_header(p->req, "Cache-Control", "private, max-age=600");
	}
	on_relayed(arg, resp, instances);
}

/* The input or the result of a task as a file. */
static void on_download(struct httpd_req *req)
{
	const char *id = httpd_query(req, "taskId"), *kind = httpd_query(req, "kind") ?: "result";
	struct ui *ui = ui_of(req);
	struct pending *p;
	char path[64];

	if (!id || !id_good(id) || (strcmp(kind, "input") != 0 && strcmp(kind, "result") != 0)) {
		httpd_reply_error(req, 400, "taskId is a number, kind is input or result");
		return;
	}
	p = view_new(req, id);
	if (!p)
		return;
	snprintf(path, sizeof(path), "/task/%s/download?kind=%s", id, kind);
	ask(p, path, (struct httpc_request){.max_bytes = ui->budget.max_image_bytes},
		on_file_of_task);
}

/* --- uploads -------------------------------------------------------------------------------------------------------------- */
static void on_upload_begin(struct httpd_req *req)
{
	if (is_own_site(req))
		image_form_begin(req, &ui_of(req)->budget);
}

static void on_upload(struct httpd_req *req)
{
	struct image_form *form = image_form_take(req);
	struct pending *p = form ? pending_new(req, "") : NULL;
	char path[PICTURE_PARAMS_BYTES + 8];

	if (!p)
		return;
	form->more = p;
	form->more_free = pending_free;
	p->part = (struct httpc_part){.name = "image",
		.filename = form->filename[0] ? form->filename : "image",
		.type = form->type[0] ? form->type : "image/png",
		.data = form->image.data,
		.len = form->image.len};
	snprintf(path, sizeof(path), "/task%s%s", form->params_text[0] ? "?" : "",
		form->params_text);
	ask(p, path, (struct httpc_request){.method = "POST", .parts = &p->part, .part_count = 1},
		on_relayed);
}

static const struct httpd_route routes[] = {
	{.method = "GET", .pattern = "/", .handler = on_view},
	{.method = "GET", .pattern = "/upload", .handler = on_form},
	{.method = "POST",
		.pattern = "/upload",
		.begin = on_upload_begin,
		.part = image_form_part,
		.handler = on_upload,
		.body_max = UINT64_MAX / 4},
	{.method = "GET", .pattern = "/ready", .handler = on_is_ready},
	{.method = "GET", .pattern = "/picture", .handler = on_download},
	{.method = "GET", .pattern = "/tasks", .handler = on_list},
	{.method = "GET", .pattern = "/events", .handler = ui_on_events},
	{.method = "GET", .pattern = "/dead", .handler = on_list},
	{.method = "POST", .pattern = "/dead/retry", .handler = on_list},
	{.method = "POST", .pattern = "/dead/{id}/retry", .handler = on_list},
	{.method = "DELETE", .pattern = "/dead/{id}", .handler = on_list},
	{.method = "GET", .pattern = "/app.css", .handler = on_file},
	{.method = "GET", .pattern = "/app.js", .handler = on_file},
	{.method = "GET", .pattern = "/tasks.js", .handler = on_file},
	{.method = "GET", .pattern = "/compare.js", .handler = on_file},
};

static int ui_start(struct service *s, struct err *err)
{
	struct ui *ui = calloc(1, sizeof(*ui));
	const char *master = env_str("MICRO_MASTER_ENDPOINT");
	struct endpoint e;
	int64_t image, held;

	s->data = ui;
	if (!ui)
		return err_set(err, ENOMEM, "out of memory");
	ui->s = s;
	if (env_int("MICRO_UI_MAX_BYTES", 100, INT64_C(1) << 30, 16 * MIB, &image, err) < 0 ||
		env_int("MICRO_UI_HELD_BYTES", 100, INT64_C(1) << 40, 64 * MIB, &held, err) < 0)
		return -EINVAL;
	ui->budget.max_image_bytes = (uint64_t)image;
	ui->budget.max_bytes = (uint64_t)held;
	if (!master && !s->has_registry)
		return err_set(err, EINVAL,
			"where is the registry? Give host:port, or MICRO_MASTER_ENDPOINT");
	if (master &&
		(endpoint_parse(master, &e, err) < 0 ||
			registry_set(s->registry, UI_MASTER, &e) < 0))
		return err_prefix(err, "MICRO_MASTER_ENDPOINT");
	return 0;
}

static void ui_drain(struct service *s)
{
	struct ui *ui = s->data;

	for (struct pending *p = ui->waits, *next; p; p = next) {
		next = p->next;
		httpd_reply(p->req, 200, "application/json; charset=utf-8", "false", 5);
	}
	ui_events_drain(ui);
}

static void ui_metrics(struct service *s, struct buf *out)
{
	struct ui *ui = s->data;

	metrics_gauge(out, "ui_streams", "Pages that follow their tasks.", ui->stream_count);
	metrics_counter(out, "ui_events_total", "Changes sent to pages.", ui->events);
	metrics_gauge(out, "ui_held_bytes", "Uploads in memory.", ui->budget.held_bytes);
}

static void ui_stop(struct service *s)
{
	free(s->data);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_MASTER_ENDPOINT",
			"http://host:port of a master, instead of the registry's"},
		{"MICRO_UI_MAX_BYTES", "of one picture (default 16777216)"},
		{"MICRO_UI_HELD_BYTES", "of all uploads in flight (default 67108864)"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "ui",
		.summary = "Web page: upload pictures, watch their tasks, compare, retry.",
		.port_env = "MICRO_UI_PORT",
		.port = 80,
		.takes_registry = true,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.start = ui_start,
		.stop = ui_stop,
		.drain = ui_drain,
		.metrics = ui_metrics,
		.error = image_form_error,
	};

	return service_main(&spec, argc, argv);
}
