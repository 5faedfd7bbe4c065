/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db inside: the service's state, and how requests are answered.
 *
 * Requests that change something within one turn of the loop share a transaction; their answers are held back until it is
 * committed and, where the client is to rely on it, on the disk (answers.c). A client that long-polls /task/next is in the list of waiters until a task gets ready, its time is up, it
 * goes away, or the service drains. One timer stands for the next thing that is due: a lease, a delay, an orphan, a waiter.
 */
#ifndef SERVICES_DB_DB_H
#define SERVICES_DB_DB_H

#include "lib/jsonx.h"
#include "services/common/offload.h"
#include "services/common/service.h"
#include "services/db/queue.h"

#define HTML "text/html; charset=utf-8"
#define JSON "application/json; charset=utf-8"

/*
 * A request that is deferred, in one of db's lists: it waits for a task, or for its answer to be committed and synced.
 *
 *   watchers --finished, dead--+
 *                              v
 *   waiters --task--> answers --commit--> unsynced --sync begins--> syncing --sync ends--> answered
 *                        +-- nothing that must last: answered
 */
struct client {
	struct db *db;
	struct httpd_req *req;
	struct client_list *list;
	struct client *prev, *next;
	bool lasting; /* the answer says something that must be on the disk */
	int64_t id;   /* of the task that a watcher asks for */
	int64_t deadline_ns;
	unsigned int status;
	const char *type; /* a constant */
	char *body;       /* owned; NULL: none */
	char worker[WORKER_BYTES];
};

struct client_list {
	struct client *first, *last;
	uint64_t count;
};

/* fdatasync of the queue's descriptor, by a thread. */
struct queue_sync {
	struct offload_job job; /* first */
	struct db *db;
	int fd, result;
	bool running;
};

struct db {
	struct service *s;
	struct queue *queue;
	struct client_list waiters, watchers, answers, unsynced, syncing;
	bool dirty; /* something was committed that must last, and no sync has begun since */
	struct offload *thread; /* of syncs */
	struct queue_sync sync;
	struct loop_timer *flush, *due;
	struct loop_io *news; /* of the backend */
	int64_t clock_offset_ms; /* wall clock minus monotonic, read once: time does not step while we run */
	int64_t lease_ms, max_waiters;
	char dir[32]; /* temporary, removed at the end; "" when a place was given */
	uint64_t stale;
};

static inline struct db *db_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

int64_t db_now_ms(const struct db *db);

/* --- answers.c ----------------------------------------------------------------------------------------------------- */
int answers_init(struct db *db); /* timers, the thread; 0 or -errno */
/* No sync is under way any more when it returns. */
void answers_fini(struct db *db);
/* Opens the transaction that this turn of the loop shares; answers and is false when that fails. */
bool begin(struct httpd_req *req);
/* Answers now, or when the open transaction is committed. body is copied; type is a constant. */
void answer(struct httpd_req *req, unsigned int status, const char *type, const char *body);
void answer_take(struct httpd_req *req, unsigned int status, const char *type, char *body);
/* The result of a change of one task, as the contract words it. */
void answer_code(struct httpd_req *req, int r);
void lease_headers(struct httpd_req *req, const struct lease *lease, int64_t lease_ms);

/* Keeps the request until a task is ready, at most so long. */
void wait_for_task(struct httpd_req *req, int64_t seconds, const char *worker);
/* Keeps the request until the task is finished or dead, at most so long; then it is answered with the task's state. */
void watch_task(struct httpd_req *req, int64_t id, int64_t seconds);
/* Answers those who watch the task (-1: any), if it is over. Inside the transaction that changed it. */
void serve_watchers(struct db *db, int64_t id);
/* Gives ready tasks to those who wait, the longest waiting first. */
void serve_waiters(struct db *db);
/* Answers all who wait: no task; or what their task's state is. */
void end_waiters(struct db *db);
/* Looks after what is due and sets the timer anew. */
void run_due(void *db);
/* backend_watch. */
void watch_news(void *db, int fd);

/* --- routes -------------------------------------------------------------------------------------------------------- */
/* The {id} of the path; answers 404 and is false when it is none. */
bool task_id(struct httpd_req *req, int64_t *id);

void on_create(struct httpd_req *req);
void on_get(struct httpd_req *req);
void on_next(struct httpd_req *req);
void on_ready(struct httpd_req *req);
void on_finish(struct httpd_req *req);
void on_renew(struct httpd_req *req);
void on_fail(struct httpd_req *req);
void on_tasks(struct httpd_req *req);
/* Adds the headers of a task; its body goes to text. */
void describe_task(struct httpd_req *req, const struct task *t, char *text, size_t size);
/* As /tasks and /dead show it; a new reference. */
json_t *task_json(const struct task *t);

void on_dead(struct httpd_req *req);
void on_dead_retry(struct httpd_req *req);
void on_dead_retry_all(struct httpd_req *req);
void on_dead_purge(struct httpd_req *req);
void on_dead_purge_all(struct httpd_req *req);

/* --- db_metrics.c -------------------------------------------------------------------------------------------------- */
void db_metrics(struct service *s, struct buf *out);

#endif
