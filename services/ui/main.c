/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ui: the web page. GET /?taskId=N shows the result as a data: URL, or "NO RESULT FOUND!"; GET /upload is the form;
 * POST /upload is relayed to a master. GET /ready?taskId=N (for the page's script) relays whether the result is there.
 */
#include "services/common/image_form.h"
#include "services/common/service.h"
#include "services/ui/page.h"

#include "lib/log.h"

#include <errno.h>
#include <string.h>

#define HTML      "text/html; charset=utf-8"
#define MASTER    "masterendpoint"
#define CALL_MS   20000
#define RETRY_MS  2000
#define VIEWS_MAX 16 /* each holds a picture, and that again in base64 */

struct ui {
	struct service *s;
	struct image_budget budget;
	unsigned int views;
};

/* A page view, an upload or a question that waits for a master. */
struct pending {
	struct ui *ui;
	struct httpd_req *req;
	struct upstream_call *call;
	bool view;
	struct httpc_part part;
	char id[20];
};

static struct ui *ui_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

static void pending_free(void *data)
{
	struct pending *p = data;

	upstream_cancel(p->call);
	if (p->view)
		p->ui->views--;
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
		.key = MASTER, .path = path, .http = http, .done = done, .arg = p};

	q.retry_ms = RETRY_MS;
	q.idempotent = !http.method;
	q.http.timeout_ms = CALL_MS;
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
		"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
		"img-src data:; "
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
	httpd_add_header(req, "X-Content-Type-Options", "nosniff");
	httpd_add_header(req, "Cache-Control", "no-store");
	httpd_reply_take(req, 200, HTML, page.data, page.len);
}

static void show_none(struct httpd_req *req)
{
	_cleanup_buf_ struct buf content = {0};

	buf_addstr(&content, "<section><p>NO RESULT FOUND!</p></section>");
	show(req, &content);
}

static void on_picture(void *arg, const struct httpc_response *resp, size_t instances)
{
	_cleanup_buf_ struct buf content = {0};
	struct pending *p = arg;

	(void)instances;
	p->call = NULL;
	if (resp->status != 200) {
		show_none(p->req);
		return;
	}
	buf_printf(&content,
		"<section><p>Task %s</p><img alt=\"result of task %s\" "
		"src=\"data:image/png;base64,",
		p->id, p->id);
	page_base64(&content, resp->body, resp->len);
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
	if (ui_of(req)->views >= VIEWS_MAX) {
		httpd_add_header(req, "Retry-After", "1");
		httpd_reply_error(req, 503, "too many pages at a time");
		return;
	}
	p = pending_new(req, id);
	if (!p)
		return;
	httpd_set_data(req, p, pending_free);
	p->view = true;
	p->ui->views++;
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
		httpd_replyf(p->req, 502, HTML, "Error: %s", resp->error);
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

static void on_is_ready(struct httpd_req *req)
{
	const char *id = httpd_query(req, "taskId");
	struct pending *p;
	char path[64];

	if (!id || !id_good(id)) {
		httpd_reply(req, 404, NULL, NULL, 0);
		return;
	}
	p = pending_new(req, id);
	if (!p)
		return;
	httpd_set_data(req, p, pending_free);
	snprintf(path, sizeof(path), "/task/%s/ready", id);
	ask(p, path, (struct httpc_request){0}, on_relayed);
}

static void on_upload_begin(struct httpd_req *req)
{
	image_form_begin(req, &ui_of(req)->budget);
}

static void on_upload(struct httpd_req *req)
{
	struct image_form *form = image_form_take(req);
	struct pending *p = form ? pending_new(req, "") : NULL;

	if (!p)
		return;
	form->more = p;
	form->more_free = pending_free;
	p->part = (struct httpc_part){.name = "image",
		.filename = form->filename[0] ? form->filename : "image.png",
		.type = form->type[0] ? form->type : "image/png",
		.data = form->image.data,
		.len = form->image.len};
	ask(p, "/task",
		(struct httpc_request){.method = "POST", .parts = &p->part, .part_count = 1},
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
		(endpoint_parse(master, &e, err) < 0 || registry_set(s->registry, MASTER, &e) < 0))
		return err_prefix(err, "MICRO_MASTER_ENDPOINT");
	return 0;
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
		.summary = "Web page: upload a picture, look at the result.",
		.port_env = "MICRO_UI_PORT",
		.port = 80,
		.takes_registry = true,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.start = ui_start,
		.stop = ui_stop,
		.error = image_form_error,
	};

	return service_main(&spec, argc, argv);
}
