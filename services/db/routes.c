/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of tasks. What changes goes into the open transaction (begin()), whose commit lets the answers out. */
#include "services/db/db.h"
#include "services/db/parse.h"

#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WAIT_MAX_S    60
#define TASKS_ASK_MAX 100

bool task_id(struct httpd_req *req, int64_t *id)
{
	if (parse_id(httpd_param(req, "id"), id))
		return true;
	answer(req, 404, HTML, "Task not found");
	return false;
}

/* As clients of the original know it. */
static int wire_state(enum task_state state)
{
	return state == TASK_DELAYED ? TASK_READY : state;
}

static void task_debug(const char *what, int64_t id, int r)
{
	log_debug(what, "task=%" PRId64 " result=%d", id, r);
}

void on_create(struct httpd_req *req)
{
	struct db *db = db_of(req);
	enum task_state state;
	struct err err = {0};
	struct wish wish;
	char text[24];
	int64_t id;
	int r;

	if (parse_wish(httpd_query(req, "priority"), httpd_query(req, "delay"),
		    httpd_header(req, "Idempotency-Key"), httpd_header(req, "X-Task-Params"), &wish,
		    &err) < 0) {
		answer(req, 400, HTML, err.msg);
		return;
	}
	if (!begin(req))
		return;
	r = queue_create(db->queue, &wish, db_now_ms(db), &id, &state);
	if (r == -ENOSPC) {
		httpd_add_header(req, "Retry-After", "5");
		answer(req, 503, HTML, "The queue is full");
		return;
	}
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	task_debug("task created", id, r);
	if (wish.key)
		httpd_add_headerf(req, "X-Task-State", "%d", wire_state(state));
	snprintf(text, sizeof(text), "%" PRId64, id);
	answer(req, 200, HTML, text);
}

void describe_task(struct httpd_req *req, const struct task *t, char *text, size_t size)
{
	snprintf(text, size, "{\"id\":%" PRId64 ",\"state\":%d}", t->id, wire_state(t->state));
	httpd_add_headerf(req, "X-Attempt", "%" PRId64, t->attempts);
	if ((t->state == TASK_LEASED || t->state == TASK_FINISHED) && plain_name(t->worker))
		httpd_add_header(req, "X-Worker", t->worker);
	if (t->params[0])
		httpd_add_header(req, "X-Task-Params", t->params);
}

static int64_t wait_seconds(const struct httpd_req *req)
{
	const char *s = httpd_query(req, "wait");
	int64_t n;

	if (!s || !parse_id(s, &n) || httpd_is_head(req) || service_of(req)->draining)
		return 0;
	return n > WAIT_MAX_S ? WAIT_MAX_S : n;
}

void on_get(struct httpd_req *req)
{
	struct task task;
	char text[64];
	int64_t id;
	int r;

	if (!task_id(req, &id))
		return;
	r = queue_get(db_of(req)->queue, id, &task);
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	if (task.state != TASK_FINISHED && task.state != TASK_DEAD && wait_seconds(req)) {
		watch_task(req, id, wait_seconds(req));
		return;
	}
	describe_task(req, &task, text, sizeof(text));
	answer(req, 200, JSON, text);
}

/* --- leases ---------------------------------------------------------------------------------------------------------- */
static void no_task(struct httpd_req *req, const char *worker)
{
	int64_t seconds = wait_seconds(req);

	if (seconds)
		wait_for_task(req, seconds, worker);
	else
		answer(req, 404, JSON, "{\"id\":-1,\"state\":0}");
}

void on_next(struct httpd_req *req)
{
	struct db *db = db_of(req);
	char worker[WORKER_BYTES], text[64];
	struct lease lease = {0};
	int r;

	parse_text(httpd_query(req, "worker"), worker, sizeof(worker));
	if (httpd_is_head(req)) {
		answer(req, queue_count(db->queue, TASK_READY) > 0 ? 200 : 404, JSON, "");
		return;
	}
	if (!queue_may_lease(db->queue)) {
		no_task(req, worker);
		return;
	}
	if (!begin(req))
		return;
	r = queue_lease(db->queue, worker, db_now_ms(db), &lease);
	if (r == -ENOENT) {
		no_task(req, worker);
		serve_waiters(db); /* at least ends the transaction */
		return;
	}
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	log_debug("task leased", "task=%" PRId64 " attempt=%" PRId64 " worker=\"%s\"", lease.id,
		lease.attempt, worker);
	lease_headers(req, &lease, db->lease_ms);
	snprintf(text, sizeof(text), "{\"id\":%" PRId64 ",\"state\":1}", lease.id);
	answer(req, 200, JSON, text);
}

void on_renew(struct httpd_req *req)
{
	struct db *db = db_of(req);
	struct lease lease = {0};
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	r = queue_renew(db->queue, id, httpd_header(req, "X-Lease"), db_now_ms(db), &lease);
	task_debug("lease renewed", id, r);
	if (r == 0)
		lease_headers(req, &lease, db->lease_ms);
	answer_code(req, r);
}

/* --- states ---------------------------------------------------------------------------------------------------------- */
void on_ready(struct httpd_req *req)
{
	struct db *db = db_of(req);
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	r = queue_ready(db->queue, id, db_now_ms(db));
	task_debug("task ready", id, r);
	answer_code(req, r);
	serve_waiters(db);
}

void on_finish(struct httpd_req *req)
{
	struct db *db = db_of(req);
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	r = queue_finish(db->queue, id, httpd_header(req, "X-Lease"), db_now_ms(db));
	task_debug("task finished", id, r);
	answer_code(req, r);
	serve_watchers(db, id);
}

void on_fail(struct httpd_req *req)
{
	struct db *db = db_of(req);
	const char *final = httpd_header(req, "X-Final");
	char reason[REASON_BYTES];
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	parse_text(httpd_body(req, NULL), reason, sizeof(reason));
	r = queue_fail(db->queue, id, httpd_header(req, "X-Lease"), reason,
		final && strcmp(final, "1") == 0, db_now_ms(db));
	task_debug("task failed", id, r);
	answer_code(req, r);
	serve_watchers(db, id);
}

/* --- several at a time ----------------------------------------------------------------------------------------------- */
static const char *state_name(enum task_state state)
{
	switch (state) {
	case TASK_CREATED:
		return "created";
	case TASK_READY:
		return "ready";
	case TASK_LEASED:
		return "leased";
	case TASK_FINISHED:
		return "finished";
	case TASK_DEAD:
		return "dead";
	case TASK_DELAYED:
		return "delayed";
	}
	return "unknown";
}

json_t *task_json(const struct task *t)
{
	return json_pack("{s:I,s:s,s:I,s:I,s:s,s:s,s:s}", "id", (json_int_t)t->id, "state",
		state_name(t->state), "attempts", (json_int_t)t->attempts, "priority",
		(json_int_t)t->priority, "worker", t->worker, "reason", t->reason, "params",
		t->params);
}

/* GET /tasks?ids=1,2,3: those of them that are there. */
void on_tasks(struct httpd_req *req)
{
	_cleanup_json_ json_t *json = json_pack("{s:[]}", "tasks");
	const char *text = httpd_query(req, "ids");
	int64_t ids[TASKS_ASK_MAX];
	int n = text ? parse_ids(text, ids, TASKS_ASK_MAX) : -EINVAL, r = 0;

	if (n < 0) {
		answer(req, 400, HTML, "ids must be at most 100 numbers with commas between them");
		return;
	}
	for (int i = 0; i < n; i++) {
		struct task t;

		r = queue_get(db_of(req)->queue, ids[i], &t);
		if (r == 0)
			json_array_append_new(json_object_get(json, "tasks"), task_json(&t));
		else if (r != -ENOENT)
			break;
	}
	if (r < 0 && r != -ENOENT)
		answer_code(req, r);
	else
		answer_take(req, 200, JSON, json_dumps(json, JSON_COMPACT));
}
