/* SPDX-License-Identifier: Apache-2.0 */
/* Applications: what is wanted of them, how they are, and waiting for it. */
#include "daemon/app/app.h"

#include "daemon/api/api.h"
#include "daemon/api/app_json.h"
#include "daemon/api/query.h"
#include "daemon/core.h"
#include "lib/jsonx.h"

#include <errno.h>

#define WAIT_DEFAULT_NS   (30 * NS_PER_S)
#define REMOVE_DEFAULT_NS (60 * NS_PER_S)

/* NULL: the answer has been given. */
static struct app *find(struct httpd_req *req)
{
	const char *name = httpd_param(req, "app");
	struct app *app = apps_find(api_core(req)->apps, name);

	if (!app)
		answer_unknown(req, "application", name, "app");
	return app;
}

void app_list(struct httpd_req *req)
{
	json_t *items = json_array();

	for (const struct app *app = apps_first(api_core(req)->apps); app; app = app_next(app))
		json_array_append_new(items, app_json(app));
	answer_items(req, items);
}

void app_get(struct httpd_req *req)
{
	const struct app *app = find(req);

	if (app)
		answer_json(req, 200, app_json(app));
}

/* The body as an object; NULL: the answer has been given. */
static json_t *read_body(struct httpd_req *req)
{
	struct check c = {.pointer = ""};
	json_t *root = NULL;
	const char *body;
	size_t len;

	if (!api_is_json(req))
		return NULL;
	if (api_core(req)->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return NULL;
	}
	body = httpd_body(req, &len);
	if (jsonx_parse_object(body, len, APP_SPEC_DEPTH, &root, &c.err) < 0)
		answer_check(req, &c);
	return root;
}

void app_put(struct httpd_req *req)
{
	const char *name = httpd_param(req, "app");
	_cleanup_json_ json_t *root = NULL;
	struct check c = {.pointer = ""};
	struct app *app;
	bool made;

	if (!app_name_is_valid(name, APP_NAME_MAX_BYTES)) {
		answer_problem(req, 400, "bad_request",
			"\"%.80s\" is no name of an application ([a-z0-9][a-z0-9-]*, at most %d "
			"characters)",
			name, APP_NAME_MAX_BYTES);
		return;
	}
	root = read_body(req);
	if (!root)
		return;
	if (apps_put(api_core(req)->apps, name, root, &app, &made, &c) < 0)
		answer_refused(req, &c);
	else
		answer_json(req, made ? 201 : 200, app_json(app));
}

void app_post_scale(struct httpd_req *req)
{
	_cleanup_json_ json_t *counts = NULL;
	struct app *app = find(req);
	struct check c = {.pointer = ""};

	if (!app)
		return;
	counts = read_body(req);
	if (!counts)
		return;
	if (app_scale(app, counts, &c) < 0)
		answer_refused(req, &c);
	else
		answer_json(req, 200, app_json(app));
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */
typedef void app_answer_fn(struct httpd_req *req, const struct app *app, bool reached);

struct waiting {
	struct httpd_req *req;
	struct app_waiter *waiter; /* NULL: it has come */
	app_answer_fn *answer;
};

static void waiting_free(void *data)
{
	struct waiting *w = data;

	if (w->waiter)
		app_wait_cancel(w->waiter);
	free(w);
}

static void waited(void *arg, const struct app *app, bool reached)
{
	struct waiting *w = arg;

	w->waiter = NULL;
	w->answer(w->req, app, reached);
}

static void answer_when(struct httpd_req *req, struct app *app, enum app_goal goal,
	int64_t timeout_ns, app_answer_fn *answer)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w) {
		*w = (struct waiting){.req = req, .answer = answer};
		httpd_set_data(req, w, waiting_free);
		w->waiter = app_wait(app, goal, timeout_ns, waited, w);
	}
	if (w && w->waiter)
		httpd_defer(req, NULL);
	else
		answer_problem(req, 500, "internal", "there is no memory to wait with");
}

static void answer_wait(struct httpd_req *req, const struct app *app, bool reached)
{
	answer_json(req, 200,
		json_pack("{s:b, s:o}", "reached", (int)reached, "app",
			app ? app_json(app) : json_null()));
}

void app_get_wait(struct httpd_req *req)
{
	struct app *app = find(req);
	int64_t timeout_ns = WAIT_DEFAULT_NS;
	int goal = APP_GOAL_READY;

	if (!app || !query_word(req, "state", app_goal_names, &goal) ||
		!query_seconds(req, "timeout", &timeout_ns))
		return;
	answer_when(req, app, (enum app_goal)goal, timeout_ns, answer_wait);
}

static void answer_deleted(struct httpd_req *req, const struct app *app, bool reached)
{
	if (reached)
		httpd_reply(req, 204, NULL, NULL, 0);
	else
		answer_json(req, 202, app_json(app));
}

void app_delete(struct httpd_req *req)
{
	struct app *app = find(req);
	int64_t timeout_ns = REMOVE_DEFAULT_NS;

	if (!app || !query_seconds(req, "timeout", &timeout_ns))
		return;
	app_remove(app);
	answer_when(req, app, APP_GOAL_REMOVED, timeout_ns, answer_deleted);
}
