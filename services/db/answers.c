/* SPDX-License-Identifier: Apache-2.0 */
#include "services/db/db.h"

#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SHARED_LOOK_NS                                                                             \
	NS_PER_S /* others' leases run out too, and their news may be lost with a connection */
#define NONE "{\"id\":-1,\"state\":0}"

int64_t db_now_ms(const struct db *db)
{
	return loop_now_ns() / NS_PER_MS + db->clock_offset_ms;
}

/* --- deferred requests ----------------------------------------------------------------------------------------------- */
static void list_add(struct client_list *l, struct client *c)
{
	c->list = l;
	c->prev = l->last;
	c->next = NULL;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
	l->count++;
}

static void list_del(struct client *c)
{
	struct client_list *l = c->list;

	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
	l->count--;
}

static void on_gone(struct httpd_req *req)
{
	list_del(httpd_data(req));
}

static void client_free(void *data)
{
	struct client *c = data;

	free(c->body);
	free(c);
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
	httpd_set_data(req, c, client_free);
	httpd_defer(req, on_gone);
	return c;
}

static void set_answer(struct client *c, unsigned int status, const char *type, char *body)
{
	free(c->body);
	c->status = status;
	c->type = type;
	c->body = body;
}

static void send_now(struct client *c)
{
	char *body = steal_ptr(&c->body);

	list_del(c);
	httpd_reply_take(c->req, c->status, c->type, body, body ? strlen(body) : 0);
}

/* --- group commit ---------------------------------------------------------------------------------------------------- */
/* That it is away is said once, by the backend. */
static void database_failed(struct db *db, int code)
{
	if (code != -EAGAIN)
		log_error("the database fails", "error=%d text=\"%s\"", -code,
			queue_error(db->queue));
}

static unsigned int status_of(int code)
{
	return code == -ENOSPC ? 507 : (code == -EAGAIN ? 503 : 500);
}

static const char *sentence_of(int code)
{
	return code == -EAGAIN ? "The database is away for a moment"
			       : "the change could not be stored";
}

static void arm(struct db *db);

static void send_failure(struct client *c, int r)
{
	set_answer(c, status_of(r), HTML, strdup(sentence_of(r)));
	if (r == -EAGAIN)
		httpd_add_header(c->req, "Retry-After", "1");
	send_now(c);
}

/* Answers now, or with the sync that brings what the answer says to the disk: the one under way has it if nothing was committed since. */
static void send_lasting(struct client *c)
{
	struct db *db = c->db;

	if (!c->lasting || (!db->dirty && !db->sync.running)) {
		send_now(c);
		return;
	}
	list_del(c);
	list_add(db->dirty ? &db->unsynced : &db->syncing, c);
}

static void sync_work(struct offload_job *job)
{
	struct queue_sync *sync = (struct queue_sync *)job;

	sync->result = fdatasync(sync->fd) < 0 ? -errno : 0;
}

static void start_sync(struct db *db);

static void on_synced(struct offload_job *job)
{
	struct queue_sync *sync = (struct queue_sync *)job;
	struct db *db = sync->db;

	sync->running = false;
	if (sync->result == 0)
		queue_synced(db->queue);
	while (db->syncing.first) {
		if (sync->result < 0)
			send_failure(db->syncing.first, -EIO);
		else
			send_now(db->syncing.first);
	}
	/* What the kernel could not write it may have given up: the next sync would say that all is well. */
	if (sync->result < 0)
		service_fail(db->s, "the queue cannot be synced");
	else
		start_sync(db);
}

/* One at a time: those who come meanwhile share the next. */
static void start_sync(struct db *db)
{
	int fd;

	if (!db->dirty || db->sync.running)
		return;
	db->dirty = false;
	while (db->unsynced.first) {
		struct client *c = db->unsynced.first;

		list_del(c);
		list_add(&db->syncing, c);
	}
	fd = queue_sync_fd(db->queue);
	db->sync.running = true;
	db->sync.fd = fd;
	db->sync.result = fd == -ENODATA ? 0 : fd;
	if (fd >= 0)
		offload_add(db->thread, &db->sync.job);
	else
		on_synced(&db->sync.job);
}

/* Commits what is open; only then are those told who asked for it. */
static void flush(void *arg)
{
	struct db *db = arg;
	int r = queue_commit(db->queue);

	if (r < 0)
		database_failed(db, r);
	db->dirty |= queue_unsynced(db->queue);
	while (db->answers.first) {
		struct client *c = db->answers.first;

		if (r < 0)
			send_failure(c, r);
		else
			send_lasting(c);
	}
	start_sync(db);
	arm(db);
}

static void hold(struct client *c)
{
	list_add(&c->db->answers, c);
	loop_timer_set(c->db->flush, 0);
}

void answer_take(struct httpd_req *req, unsigned int status, const char *type, char *body)
{
	struct db *db = db_of(req);
	bool lasting = queue_must_last(db->queue), open = queue_is_open(db->queue);
	struct client *c;

	if (!open && !(lasting && (db->dirty || db->sync.running))) {
		httpd_reply_take(req, status, type, body, body ? strlen(body) : 0);
		return;
	}
	c = client_new(db, req);
	if (!c) {
		free(body);
		return;
	}
	c->lasting = lasting;
	set_answer(c, status, type, body);
	hold(c);
}

void answer(struct httpd_req *req, unsigned int status, const char *type, const char *body)
{
	answer_take(req, status, type, body[0] ? strdup(body) : NULL);
}

bool begin(struct httpd_req *req)
{
	int r = queue_begin(db_of(req)->queue);

	if (r == 0)
		return true;
	answer_code(req, r);
	return false;
}

void answer_code(struct httpd_req *req, int r)
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
		if (r == -EAGAIN)
			httpd_add_header(req, "Retry-After", "1");
		answer(req, status_of(r), HTML, sentence_of(r));
	}
}

/* --- waiters --------------------------------------------------------------------------------------------------------- */
void lease_headers(struct httpd_req *req, const struct lease *lease, int64_t lease_ms)
{
	httpd_add_header(req, "X-Lease", lease->token);
	httpd_add_headerf(req, "X-Lease-Expires", "%" PRId64, lease->expires_ms);
	httpd_add_headerf(req, "X-Lease-Ms", "%" PRId64, lease_ms);
	httpd_add_headerf(req, "X-Attempt", "%" PRId64, lease->attempt);
	if (lease->params[0])
		httpd_add_header(req, "X-Task-Params", lease->params);
}

/* Keeps the request in a list. NULL: it was answered. */
static struct client *wait_in(struct client_list *list, struct httpd_req *req, int64_t seconds)
{
	struct db *db = db_of(req);
	struct client *c;

	if ((int64_t)list->count >= db->max_waiters) {
		httpd_add_header(req, "Retry-After", "1");
		answer(req, 503, HTML, "Too many wait already");
		return NULL;
	}
	c = client_new(db, req);
	if (!c)
		return NULL;
	c->deadline_ns = loop_now_ns() + seconds * NS_PER_S;
	list_add(list, c);
	if (!queue_is_open(db->queue))
		arm(db);
	return c;
}

void wait_for_task(struct httpd_req *req, int64_t seconds, const char *worker)
{
	struct client *c = wait_in(&db_of(req)->waiters, req, seconds);

	if (c)
		snprintf(c->worker, sizeof(c->worker), "%s", worker);
}

void watch_task(struct httpd_req *req, int64_t id, int64_t seconds)
{
	struct client *c = wait_in(&db_of(req)->watchers, req, seconds);

	if (c)
		c->id = id;
}

/* Whatever its task is by now, unless that is no news and there is time. */
static void look_at_watched(struct client *c, bool anyway)
{
	struct db *db = c->db;
	struct task t;
	char text[64];
	int r = queue_get(db->queue, c->id, &t);

	c->lasting = queue_must_last(db->queue);
	if (r == 0 && !anyway && t.state != TASK_FINISHED && t.state != TASK_DEAD)
		return;
	list_del(c);
	if (r == 0) {
		describe_task(c->req, &t, text, sizeof(text));
		set_answer(c, 200, JSON, strdup(text));
	} else if (r == -ENOENT)
		set_answer(c, 404, HTML, strdup("Task not found"));
	else
		set_answer(c, status_of(r), HTML, strdup(sentence_of(r)));
	hold(c);
}

void serve_watchers(struct db *db, int64_t id)
{
	struct client *next;

	for (struct client *c = db->watchers.first; c; c = next) {
		next = c->next;
		if (id < 0 || c->id == id)
			look_at_watched(c, false);
	}
}

void serve_waiters(struct db *db)
{
	while (db->waiters.first && queue_may_lease(db->queue)) {
		struct client *c = db->waiters.first;
		struct lease lease = {0};
		char text[64];
		int r = queue_begin(db->queue);

		if (r == 0)
			r = queue_lease(db->queue, c->worker, db_now_ms(db), &lease);
		if (r < 0) {
			if (r != -ENOENT)
				database_failed(db, r);
			break;
		}
		list_del(c);
		lease_headers(c->req, &lease, db->lease_ms);
		snprintf(text, sizeof(text), "{\"id\":%" PRId64 ",\"state\":1}", lease.id);
		set_answer(c, 200, JSON, strdup(text));
		hold(c);
		log_debug("task leased", "task=%" PRId64 " attempt=%" PRId64 " worker=\"%s\"",
			lease.id, lease.attempt, c->worker);
	}
	if (queue_is_open(db->queue))
		loop_timer_set(db->flush, 0);
}

/* Those whose time is up by then. */
static void end_until(struct db *db, int64_t until_ns)
{
	struct client *next;

	for (struct client *c = db->waiters.first; c; c = next) {
		next = c->next;
		if (c->deadline_ns > until_ns)
			continue;
		list_del(c);
		set_answer(c, 404, JSON, strdup(NONE));
		hold(c);
	}
	for (struct client *c = db->watchers.first; c; c = next) {
		next = c->next;
		if (c->deadline_ns <= until_ns)
			look_at_watched(c, true);
	}
}

void end_waiters(struct db *db)
{
	end_until(db, INT64_MAX);
}

/* --- time ------------------------------------------------------------------------------------------------------------ */
void run_due(void *arg)
{
	struct db *db = arg;
	int r = queue_expire(db->queue, db_now_ms(db));

	if (r < 0)
		database_failed(db, r);
	serve_waiters(db);
	serve_watchers(db, -1); /* some may have died, or others have changed them */
	end_until(db, loop_now_ns());
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
	for (struct client *c = db->watchers.first; c; c = c->next)
		at = c->deadline_ns < at ? c->deadline_ns : at;
	if (queue_shared(db->queue) && now + SHARED_LOOK_NS < at)
		at = now + SHARED_LOOK_NS;
	if (at == INT64_MAX)
		loop_timer_cancel(db->due);
	else
		loop_timer_set(db->due, at > now ? at - now : NS_PER_MS);
}

static void on_news(void *arg, uint32_t events)
{
	struct db *db = arg;

	(void)events;
	if (queue_news(db->queue))
		serve_waiters(db);
}

void watch_news(void *arg, int fd)
{
	struct db *db = arg;

	loop_io_del(db->news);
	db->news = NULL;
	if (fd >= 0 && loop_io_add(db->s->loop, fd, EPOLLIN, on_news, db, &db->news) < 0)
		log_error("the database's news cannot be watched", NULL);
}

int answers_init(struct db *db)
{
	db->sync = (struct queue_sync){.job = {.work = sync_work, .done = on_synced}, .db = db};
	return loop_timer_new(db->s->loop, flush, db, &db->flush)
		?: loop_timer_new(db->s->loop, run_due, db, &db->due)
		?: offload_new(db->s->loop, 1, &db->thread);
}

void answers_fini(struct db *db)
{
	offload_free(db->thread);
	loop_timer_free(db->flush);
	loop_timer_free(db->due);
}
