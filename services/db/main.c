/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db: the task queue over HTTP.
 *
 * Requests that change something within one turn of the loop share a transaction; their answers are held back until it is
 * committed. A client that long-polls /task/next is in the list of waiters until a task gets ready, its time is up, it
 * goes away, or the service drains. One timer stands for the next thing that is due: a flush, a lease, a waiter.
 */
#include "services/common/service.h"
#include "services/db/queue.h"

#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define HTML          "text/html; charset=utf-8"
#define JSON          "application/json; charset=utf-8"
#define PARAMS_HEADER "X-Task-Params"
#define WAIT_MAX_S    60
#define DEAD_PAGE_MAX 100
#define IDS_MAX       100 /* of GET /tasks */

/* A request that is deferred: it waits for a task, or for the commit of its answer. */
struct client {
	struct db *db;
	struct httpd_req *req;
	struct client *prev, *next;
	bool waiting; /* in db->waiters, else in db->answers */
	int64_t deadline_ns;
	unsigned int status;
	const char *type;
	char worker[WORKER_BYTES];
	char body[64];
};

struct list {
	struct client *first, *last;
};

struct db {
	struct service *s;
	struct queue *queue;
	struct list waiters, answers;
	struct loop_timer *flush, *due;
	int64_t clock_offset_ms; /* wall clock minus monotonic, read once: time does not step while we run */
	int64_t lease_ms;
	char dir[32]; /* temporary, removed at the end; "" when a path was given */
	char path[512];
	uint64_t leased, finished, failed, expired, stale, commits;
};

static struct db *db_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

static int64_t now_ms(const struct db *db)
{
	return loop_now_ns() / NS_PER_MS + db->clock_offset_ms;
}

/* --- deferred requests ---------------------------------------------------------------------------------------------- */
static void list_add(struct list *l, struct client *c)
{
	c->prev = l->last;
	c->next = NULL;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

static void list_del(struct list *l, struct client *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
}

static void on_gone(struct httpd_req *req)
{
	struct client *c = httpd_data(req);

	list_del(c->waiting ? &c->db->waiters : &c->db->answers, c);
}

static struct client *client_new(struct db *db, struct httpd_req *req)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		httpd_reply_error(req, 500, "out of memory");
		return NULL;
	}
	c->db = db;
	c->req = req;
	httpd_set_data(req, c, free);
	return c;
}

static void send_now(struct client *c)
{
	list_del(&c->db->answers, c);
	httpd_reply(c->req, c->status, c->type, c->body, strlen(c->body));
}

/* --- answers --------------------------------------------------------------------------------------------------------- */
static void database_failed(struct db *db, int code)
{
	log_error("the database fails", "error=%d text=\"%s\"", -code, queue_error(db->queue));
}

static void arm(struct db *db);

static void flush(void *arg)
{
	struct db *db = arg;
	int r = queue_commit(db->queue);

	db->commits++;
	if (r < 0)
		database_failed(db, r);
	while (db->answers.first) {
		struct client *c = db->answers.first;

		if (r < 0) {
			c->status = r == -ENOSPC ? 507 : 500;
			snprintf(c->body, sizeof(c->body), "the change could not be stored\n");
			c->type = HTML;
		}
		send_now(c);
	}
	arm(db);
}

/* Holds the client's answer back until the open transaction is committed. */
static void hold(struct client *c)
{
	c->waiting = false;
	list_add(&c->db->answers, c);
	loop_timer_set(c->db->flush, 0);
}

/* Answers now, or when the open transaction is committed. body is short. */
static void answer(struct httpd_req *req, unsigned int status, const char *type, const char *body)
{
	struct db *db = db_of(req);
	struct client *c;

	if (!queue_is_open(db->queue)) {
		httpd_reply(req, status, type, body, strlen(body));
		return;
	}
	c = client_new(db, req);
	if (!c)
		return;
	c->status = status;
	c->type = type;
	snprintf(c->body, sizeof(c->body), "%s", body);
	httpd_defer(req, on_gone);
	hold(c);
}

/* The result of a change of one task, as the contract words it. */
static void answer_code(struct httpd_req *req, int r)
{
	struct db *db = db_of(req);

	if (r == 0)
		answer(req, 200, NULL, "");
	else if (r == -ENOENT)
		answer(req, 404, HTML, "Task not found");
	else if (r == -ESTALE) {
		db->stale++;
		answer(req, 409, HTML, "Task is not in a state for this");
	} else {
		database_failed(db, r);
		answer(req, r == -ENOSPC ? 507 : 500, HTML, "the change could not be stored");
	}
}

/* --- leases ------------------------------------------------------------------------------------------------------------ */
static void lease_headers(struct httpd_req *req, const struct lease *lease, int64_t lease_ms)
{
	httpd_add_header(req, "X-Lease", lease->token);
	httpd_add_headerf(req, "X-Lease-Expires", "%" PRId64, lease->expires_ms);
	httpd_add_headerf(req, "X-Lease-Ms", "%" PRId64, lease_ms);
	httpd_add_headerf(req, "X-Attempt", "%" PRId64, lease->attempt);
	if (lease->params[0])
		httpd_add_header(req, PARAMS_HEADER, lease->params);
}

static void fill_none(struct client *c)
{
	c->status = 404;
	c->type = JSON;
	strcpy(c->body, "{\"id\":-1,\"state\":0}");
}

/* Gives ready tasks to those who wait, the longest waiting first. */
static void serve_waiters(struct db *db)
{
	while (db->waiters.first && queue_count(db->queue, TASK_READY)) {
		struct client *c = db->waiters.first;
		struct lease lease;
		int r = queue_begin(db->queue);

		if (r == 0)
			r = queue_lease(db->queue, c->worker, now_ms(db), &lease);
		if (r != 0) {
			if (r != -ENOENT)
				database_failed(db, r);
			return;
		}
		db->leased++;
		list_del(&db->waiters, c);
		lease_headers(c->req, &lease, db->lease_ms);
		c->status = 200;
		c->type = JSON;
		snprintf(c->body, sizeof(c->body), "{\"id\":%" PRId64 ",\"state\":1}", lease.id);
		hold(c);
	}
}

static void end_waiters(struct db *db, int64_t now_ns)
{
	struct client *next;

	for (struct client *c = db->waiters.first; c; c = next) {
		next = c->next;
		if (c->deadline_ns > now_ns)
			continue;
		list_del(&db->waiters, c);
		fill_none(c);
		hold(c);
	}
}

static void on_due(void *arg)
{
	struct db *db = arg;
	uint64_t before = (uint64_t)queue_count(db->queue, TASK_LEASED);
	bool changed;
	int r = queue_expire(db->queue, now_ms(db), &changed);

	if (r < 0)
		database_failed(db, r);
	if (changed)
		db->expired += before - (uint64_t)queue_count(db->queue, TASK_LEASED);
	serve_waiters(db);
	end_waiters(db, loop_now_ns());
	flush(db);
}

/* The next moment at which something happens by itself. */
static void arm(struct db *db)
{
	int64_t at = INT64_MAX, due = queue_next_due(db->queue), now = loop_now_ns();

	if (due != INT64_MAX)
		at = (due - db->clock_offset_ms) * NS_PER_MS;
	for (struct client *c = db->waiters.first; c; c = c->next)
		at = c->deadline_ns < at ? c->deadline_ns : at;
	if (at == INT64_MAX)
		loop_timer_cancel(db->due);
	else
		loop_timer_set(db->due, at > now ? at - now : NS_PER_MS);
}

/* --- routes ------------------------------------------------------------------------------------------------------------ */
static bool task_id(struct httpd_req *req, int64_t *id)
{
	const char *s = httpd_param(req, "id");
	size_t len = strlen(s);

	if (len < 1 || len > 18 || strspn(s, "0123456789") != len) {
		answer(req, 404, HTML, "Task not found");
		return false;
	}
	*id = strtoll(s, NULL, 10);
	return true;
}

/* Opens the transaction that this turn of the loop shares; answers when that fails. */
static bool begin(struct httpd_req *req)
{
	int r = queue_begin(db_of(req)->queue);

	if (r == 0)
		return true;
	answer_code(req, r);
	return false;
}

/* Parameters are kept as they came and go back in a header: letters, digits and a few marks. */
static bool params_good(const char *s)
{
	size_t len = strlen(s);

	return len < PARAMS_BYTES &&
		strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-=&,") ==
		len;
}

static void on_create(struct httpd_req *req)
{
	struct db *db = db_of(req);
	struct task_spec spec = {.params = httpd_header(req, PARAMS_HEADER)};
	char text[24];
	int64_t id;
	int r;

	if (spec.params && !params_good(spec.params)) {
		answer(req, 400, HTML, PARAMS_HEADER " must be plain: a=b&c=d");
		return;
	}
	if (!begin(req))
		return;
	r = queue_create(db->queue, &spec, now_ms(db), &id);
	if (r == -ENOSPC) {
		httpd_add_header(req, "Retry-After", "5");
		answer(req, 503, HTML, "The queue is full");
		return;
	}
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	snprintf(text, sizeof(text), "%" PRId64, id);
	answer(req, 200, HTML, text);
}

/* Names go back in a header as they came only when they are harmless. */
static bool plain_name(const char *s)
{
	return *s &&
		strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		strlen(s);
}

static void on_get(struct httpd_req *req)
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
	snprintf(text, sizeof(text), "{\"id\":%" PRId64 ",\"state\":%d}", id,
		task.state == TASK_DELAYED ? TASK_READY : task.state);
	httpd_add_headerf(req, "X-Attempt", "%" PRId64, task.attempts);
	if ((task.state == TASK_LEASED || task.state == TASK_FINISHED) && plain_name(task.worker))
		httpd_add_header(req, "X-Worker", task.worker);
	if (task.params[0])
		httpd_add_header(req, PARAMS_HEADER, task.params);
	answer(req, 200, JSON, text);
}

static int64_t wait_seconds(const struct httpd_req *req)
{
	const char *s = httpd_query(req, "wait");
	long n = s ? strtol(s, NULL, 10) : 0;

	return n < 0 ? 0 : (n > WAIT_MAX_S ? WAIT_MAX_S : n);
}

static void wait_for_task(struct httpd_req *req, int64_t seconds, const char *worker)
{
	struct db *db = db_of(req);
	struct client *c = client_new(db, req);

	if (!c)
		return;
	c->waiting = true;
	c->deadline_ns = loop_now_ns() + seconds * NS_PER_S;
	snprintf(c->worker, sizeof(c->worker), "%s", worker);
	list_add(&db->waiters, c);
	httpd_defer(req, on_gone);
	if (!queue_is_open(db->queue))
		arm(db);
}

static void on_next(struct httpd_req *req)
{
	struct db *db = db_of(req);
	const char *worker = httpd_query(req, "worker") ?: "";
	int64_t seconds = wait_seconds(req);
	struct lease lease;
	char text[64];
	int r;

	if (httpd_is_head(req)) {
		answer(req, queue_count(db->queue, TASK_READY) ? 200 : 404, JSON, "");
		return;
	}
	if (queue_count(db->queue, TASK_READY) == 0) {
		if (seconds && !service_of(req)->draining)
			wait_for_task(req, seconds, worker);
		else
			answer(req, 404, JSON, "{\"id\":-1,\"state\":0}");
		return;
	}
	if (!begin(req))
		return;
	r = queue_lease(db->queue, worker, now_ms(db), &lease);
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	db->leased++;
	lease_headers(req, &lease, db->lease_ms);
	snprintf(text, sizeof(text), "{\"id\":%" PRId64 ",\"state\":1}", lease.id);
	answer(req, 200, JSON, text);
}

static void on_ready(struct httpd_req *req)
{
	struct db *db = db_of(req);
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	r = queue_ready(db->queue, id, now_ms(db));
	answer_code(req, r);
	serve_waiters(db);
}

static void on_finish(struct httpd_req *req)
{
	struct db *db = db_of(req);
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	r = queue_finish(db->queue, id, httpd_header(req, "X-Lease"), now_ms(db));
	db->finished += r == 0;
	answer_code(req, r);
}

static void on_renew(struct httpd_req *req)
{
	struct db *db = db_of(req);
	struct lease lease;
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	r = queue_renew(db->queue, id, httpd_header(req, "X-Lease"), now_ms(db), &lease);
	if (r == 0)
		lease_headers(req, &lease, db->lease_ms);
	answer_code(req, r);
}

static void on_fail(struct httpd_req *req)
{
	struct db *db = db_of(req);
	const char *final = httpd_header(req, "X-Final");
	char reason[REASON_BYTES];
	int64_t id;
	int r;

	if (!task_id(req, &id) || !begin(req))
		return;
	snprintf(reason, sizeof(reason), "%.*s", REASON_BYTES - 1, httpd_body(req, NULL));
	r = queue_fail(db->queue, id, httpd_header(req, "X-Lease"), reason,
		final && strcmp(final, "1") == 0, now_ms(db));
	db->failed += r == 0;
	answer_code(req, r);
}

/* --- lists -------------------------------------------------------------------------------------------------------------- */
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

/* Names and reasons are workers' bytes: JSON takes only text. */
static const char *printable(char *s)
{
	for (char *p = s; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	}
	return s;
}

static json_t *task_json(struct task *t)
{
	return json_pack("{s:I,s:s,s:I,s:s,s:s,s:s}", "id", (json_int_t)t->id, "state",
		state_name(t->state), "attempts", (json_int_t)t->attempts, "worker",
		printable(t->worker), "reason", printable(t->reason), "params", t->params);
}

static void answer_json(struct httpd_req *req, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (text)
		httpd_reply_take(req, 200, JSON, text, strlen(text));
}

/* GET /tasks?ids=1,2,3: those of them that there are. */
static void on_tasks(struct httpd_req *req)
{
	_cleanup_json_ json_t *json = json_pack("{s:[]}", "tasks");
	const char *at = httpd_query(req, "ids") ?: "";
	struct task task;

	for (int n = 0; *at; n++) {
		size_t len = strspn(at, "0123456789");

		if (n == IDS_MAX || len < 1 || len > 18 || (at[len] && at[len] != ',')) {
			answer(req, 400, HTML, "ids are at most 100 numbers: ids=1,2,3");
			return;
		}
		if (queue_get(db_of(req)->queue, strtoll(at, NULL, 10), &task) == 0)
			json_array_append_new(json_object_get(json, "tasks"), task_json(&task));
		at += len + (at[len] == ',');
	}
	answer_json(req, json);
}

static void on_dead(struct httpd_req *req)
{
	_cleanup_json_ json_t *json = json_pack("{s:[]}", "tasks");
	_cleanup_free_ struct task *tasks = calloc(DEAD_PAGE_MAX, sizeof(*tasks));
	const char *after = httpd_query(req, "after");
	struct db *db = db_of(req);
	int n;

	if (!tasks)
		return;
	n = queue_dead(db->queue, after ? strtoll(after, NULL, 10) : -1, tasks, DEAD_PAGE_MAX);
	for (int i = 0; i < n; i++)
		json_array_append_new(json_object_get(json, "tasks"), task_json(&tasks[i]));
	json_object_set_new(json, "total", json_integer(queue_count(db->queue, TASK_DEAD)));
	answer_json(req, json);
}

static void change_dead(struct httpd_req *req, int64_t id, bool retry)
{
	struct db *db = db_of(req);
	int64_t changed = 0;
	char text[48];
	int r;

	if (!begin(req))
		return;
	r = retry ? queue_dead_retry(db->queue, id, &changed)
		  : queue_dead_purge(db->queue, id, &changed);
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	snprintf(text, sizeof(text), "{\"changed\":%" PRId64 "}", changed);
	answer(req, 200, JSON, text);
	serve_waiters(db);
}

static void on_dead_retry(struct httpd_req *req)
{
	int64_t id;

	if (task_id(req, &id))
		change_dead(req, id, true);
}

static void on_dead_purge(struct httpd_req *req)
{
	int64_t id;

	if (task_id(req, &id))
		change_dead(req, id, false);
}

static void on_dead_retry_all(struct httpd_req *req)
{
	change_dead(req, -1, true);
}

static void on_dead_purge_all(struct httpd_req *req)
{
	change_dead(req, -1, false);
}

static const struct httpd_route routes[] = {
	{.method = "POST", .pattern = "/task", .handler = on_create},
	{.method = "GET", .pattern = "/task/next", .handler = on_next},
	{.method = "GET", .pattern = "/task/{id}", .handler = on_get},
	{.method = "GET", .pattern = "/tasks", .handler = on_tasks},
	{.method = "POST", .pattern = "/task/{id}/ready", .handler = on_ready},
	{.method = "POST", .pattern = "/task/{id}/finish", .handler = on_finish},
	{.method = "POST", .pattern = "/task/{id}/renew", .handler = on_renew},
	{.method = "POST", .pattern = "/task/{id}/fail", .handler = on_fail, .body_max = 4 * KIB},
	{.method = "GET", .pattern = "/dead", .handler = on_dead},
	{.method = "POST", .pattern = "/dead/retry", .handler = on_dead_retry_all},
	{.method = "DELETE", .pattern = "/dead", .handler = on_dead_purge_all},
	{.method = "POST", .pattern = "/dead/{id}/retry", .handler = on_dead_retry},
	{.method = "DELETE", .pattern = "/dead/{id}", .handler = on_dead_purge},
};

/* --- life --------------------------------------------------------------------------------------------------------------- */
static int choose_path(struct db *db, struct err *err)
{
	const char *path = env_str("MICRO_DB_PATH");

	if (path) {
		if ((size_t)snprintf(db->path, sizeof(db->path), "%s", path) >= sizeof(db->path))
			return err_set(err, EINVAL, "MICRO_DB_PATH is too long");
		return 0;
	}
	mkdir("/tmp", 01777); /* an image may come without; if this fails, the next line says why */
	strcpy(db->dir, "/tmp/micro-db-XXXXXX");
	if (!mkdtemp(db->dir)) {
		db->dir[0] = '\0';
		return err_sys(err, errno, "cannot make a temporary folder");
	}
	snprintf(db->path, sizeof(db->path), "%s/queue.sqlite", db->dir);
	log_warn("the queue is temporary", "path=%s remedy=\"set MICRO_DB_PATH\"", db->path);
	return 0;
}

static int settings(struct queue_config *c, struct err *err)
{
	const struct {
		const char *name;
		int64_t min, max, fallback;
		int64_t *out;
	} vars[] = {
		{"MICRO_DB_LEASE_MS", 50, 86400000, 20000, &c->lease_ms},
		{"MICRO_DB_ORPHAN_MS", 100, 86400000, 60000, &c->orphan_ms},
		{"MICRO_DB_BACKOFF_MS", 1, 3600000, 500, &c->backoff_ms},
		{"MICRO_DB_BACKOFF_MAX_MS", 1, 86400000, 60000, &c->backoff_max_ms},
		{"MICRO_DB_KEEP_FINISHED_MS", 0, INT64_C(31536000000), 604800000,
			&c->keep_finished_ms},
		{"MICRO_DB_MAX_ATTEMPTS", 1, 1000, 5, &c->max_attempts},
		{"MICRO_DB_MAX_TASKS", 1, 100000000, 1000000, &c->max_tasks},
		{"MICRO_DB_MAX_DEAD", 1, 1000000, 10000, &c->max_dead},
	};

	for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
		int r = env_int(
			vars[i].name, vars[i].min, vars[i].max, vars[i].fallback, vars[i].out, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int db_start(struct service *s, struct err *err)
{
	struct db *db = calloc(1, sizeof(*db));
	struct queue_config cfg = {0};
	struct timespec wall;
	int r;

	s->data = db;
	if (!db || loop_timer_new(s->loop, flush, db, &db->flush) < 0 ||
		loop_timer_new(s->loop, on_due, db, &db->due) < 0)
		return err_set(err, ENOMEM, "out of memory");
	db->s = s;
	clock_gettime(CLOCK_REALTIME, &wall);
	db->clock_offset_ms =
		wall.tv_sec * 1000 + wall.tv_nsec / NS_PER_MS - loop_now_ns() / NS_PER_MS;
	r = settings(&cfg, err);
	if (r == 0)
		r = choose_path(db, err);
	if (r < 0)
		return r;
	cfg.path = db->path;
	db->lease_ms = cfg.lease_ms;
	r = queue_open(&cfg, now_ms(db), &db->queue, err);
	if (r < 0)
		return r;
	log_info("queue opened", "path=\"%s\" ready=%" PRId64 " leased=%" PRId64 " dead=%" PRId64,
		db->path, queue_count(db->queue, TASK_READY), queue_count(db->queue, TASK_LEASED),
		queue_count(db->queue, TASK_DEAD));
	arm(db);
	return 0;
}

static void db_drain(struct service *s)
{
	struct db *db = s->data;

	end_waiters(db, INT64_MAX);
}

static void db_stop(struct service *s)
{
	struct db *db = s->data;

	if (!db)
		return;
	if (db->queue && queue_commit(db->queue) < 0)
		log_error("the last changes are lost", "text=\"%s\"", queue_error(db->queue));
	queue_close(db->queue);
	if (db->dir[0]) {
		unlink(db->path);
		rmdir(db->dir);
	}
	loop_timer_free(db->flush);
	loop_timer_free(db->due);
	free(db);
}

static void db_metrics(struct service *s, struct buf *out)
{
	static const struct {
		enum task_state state;
		const char *labels;
	} states[] = {
		{TASK_CREATED, "state=\"created\""},
		{TASK_READY, "state=\"ready\""},
		{TASK_DELAYED, "state=\"delayed\""},
		{TASK_LEASED, "state=\"leased\""},
		{TASK_FINISHED, "state=\"finished\""},
		{TASK_DEAD, "state=\"dead\""},
	};
	struct db *db = s->data;
	uint64_t waiters = 0;

	metrics_head(out, "tasks", "gauge", "Tasks by state.");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		metrics_sample(out, "tasks", states[i].labels,
			(uint64_t)queue_count(db->queue, states[i].state));
	for (struct client *c = db->waiters.first; c; c = c->next)
		waiters++;
	metrics_gauge(out, "queue_waiters", "Clients that wait for a task.", waiters);
	metrics_counter(out, "tasks_leased_total", "Leases given.", db->leased);
	metrics_counter(out, "tasks_finished_total", "Tasks finished.", db->finished);
	metrics_counter(out, "tasks_failed_total", "Tasks given back by workers.", db->failed);
	metrics_counter(out, "leases_expired_total", "Leases that ran out.", db->expired);
	metrics_counter(out, "tasks_conflict_total", "Requests refused with 409.", db->stale);
	metrics_counter(out, "queue_scan_steps_total", "Rows stepped over for want of an index.",
		queue_scan_steps(db->queue));
	metrics_counter(out, "queue_commits_total", "Transactions committed.", db->commits);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_DB_PATH", "file of the queue (default: a temporary one)"},
		{"MICRO_DB_LEASE_MS", "how long a lease is valid (default 20000)"},
		{"MICRO_DB_MAX_ATTEMPTS", "leases of a task before it is dead (default 5)"},
		{"MICRO_DB_BACKOFF_MS", "pause after the first failure, doubles (default 500)"},
		{"MICRO_DB_BACKOFF_MAX_MS", "its limit (default 60000)"},
		{"MICRO_DB_ORPHAN_MS",
			"age at which a task without data is deleted (default 60000)"},
		{"MICRO_DB_KEEP_FINISHED_MS", "how long finished tasks are kept (default 7 days)"},
		{"MICRO_DB_MAX_TASKS", "tasks that may wait (default 1000000)"},
		{"MICRO_DB_MAX_DEAD", "dead tasks that are kept (default 10000)"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "db",
		.summary = "Durable queue of tasks {id, state}, with leases.",
		.port_env = "MICRO_DB_PORT",
		.port = 9001,
		.key = "dbendpoint",
		.takes_registry = true,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.max_connections = 1024,
		.start = db_start,
		.drain = db_drain,
		.stop = db_stop,
		.metrics = db_metrics,
	};

	return service_main(&spec, argc, argv);
}
