/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db: the task queue over HTTP. Here: settings, the table of routes, start and end. Requests are in routes.c and
 * routes_dead.c, how they are answered in answers.c, the queue's rules in queue.c, where it is kept in sqlite.c or postgres.c.
 */
#include "services/db/db.h"

#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CONNECTIONS_MAX 1024
#define URL_BYTES       600

static const struct httpd_route routes[] = {
	{.method = "POST", .pattern = "/task", .handler = on_create},
	{.method = "GET", .pattern = "/task/next", .handler = on_next},
	{.method = "GET", .pattern = "/task/{id}", .handler = on_get},
	{.method = "POST", .pattern = "/task/{id}/ready", .handler = on_ready},
	{.method = "POST", .pattern = "/task/{id}/finish", .handler = on_finish},
	{.method = "POST", .pattern = "/task/{id}/renew", .handler = on_renew},
	{.method = "POST", .pattern = "/task/{id}/fail", .handler = on_fail, .body_max = 4 * KIB},
	{.method = "GET", .pattern = "/tasks", .handler = on_tasks},
	{.method = "GET", .pattern = "/dead", .handler = on_dead},
	{.method = "POST", .pattern = "/dead/retry", .handler = on_dead_retry_all},
	{.method = "DELETE", .pattern = "/dead", .handler = on_dead_purge_all},
	{.method = "POST", .pattern = "/dead/{id}/retry", .handler = on_dead_retry},
	{.method = "DELETE", .pattern = "/dead/{id}", .handler = on_dead_purge},
};

/* --- settings -------------------------------------------------------------------------------------------------------- */
/* Where the queue is: MICRO_DB_QUEUE, else MICRO_DB_PATH, else a temporary file. */
static int choose_queue(struct db *db, char *url, struct err *err)
{
	const char *queue = env_str("MICRO_DB_QUEUE"), *path = env_str("MICRO_DB_PATH");

	if (queue || path) {
		if ((size_t)snprintf(url, URL_BYTES, "%s%s",
			    queue ? "" : "sqlite:", queue ?: path) >= URL_BYTES)
			return err_set(err, EINVAL, "MICRO_DB_QUEUE or MICRO_DB_PATH is too long");
		return 0;
	}
	mkdir("/tmp", 01777); /* an image may come without; if this fails, the next line says why */
	strcpy(db->dir, "/tmp/micro-db-XXXXXX");
	if (!mkdtemp(db->dir)) {
		db->dir[0] = '\0';
		return err_sys(err, errno, "cannot make a temporary folder");
	}
	snprintf(url, URL_BYTES, "sqlite:%s/queue.sqlite", db->dir);
	log_warn("the queue is temporary", "path=%s remedy=\"set MICRO_DB_PATH\"", db->dir);
	return 0;
}

static int settings(struct db *db, struct queue_config *c, struct err *err)
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
		{"MICRO_DB_MAX_WAITERS", 1, CONNECTIONS_MAX, CONNECTIONS_MAX / 2, &db->max_waiters},
	};

	for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
		int r = env_int(
			vars[i].name, vars[i].min, vars[i].max, vars[i].fallback, vars[i].out, err);

		if (r < 0)
			return r;
	}
	db->lease_ms = c->lease_ms;
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------------------------ */
static void log_opened(struct db *db)
{
	int64_t n[TASK_STATES] = {0};

	queue_counts(db->queue, n);
	log_info("queue opened",
		"backend=%s ready=%" PRId64 " leased=%" PRId64 " delayed=%" PRId64 " dead=%" PRId64,
		queue_backend(db->queue), n[TASK_READY + 1], n[TASK_LEASED + 1],
		n[TASK_DELAYED + 1], n[TASK_DEAD + 1]);
}

static int db_start(struct service *s, struct err *err)
{
	struct db *db = calloc(1, sizeof(*db));
	struct queue_config cfg = {0};
	struct backend *b;
	struct timespec wall;
	char url[URL_BYTES];
	int r;

	s->data = db;
	if (!db)
		return err_set(err, ENOMEM, "out of memory");
	db->s = s;
	if (answers_init(db) < 0)
		return err_set(err, ENOMEM, "out of memory");
	clock_gettime(CLOCK_REALTIME, &wall);
	db->clock_offset_ms =
		wall.tv_sec * 1000 + wall.tv_nsec / NS_PER_MS - loop_now_ns() / NS_PER_MS;
	r = settings(db, &cfg, err) ?: choose_queue(db, url, err);
	if (r == 0)
		r = backend_open(url, (struct backend_watch){watch_news, db}, &b, err);
	if (r == 0)
		r = queue_open(&cfg, b, db_now_ms(db), &db->queue, err);
	if (r < 0)
		return r;
	log_opened(db);
	run_due(db);
	return 0;
}

static void db_drain(struct service *s)
{
	end_waiters(s->data);
}

static void remove_temporary(const struct db *db)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/queue.sqlite", db->dir);
	unlink(path);
	rmdir(db->dir);
}

static void db_stop(struct service *s)
{
	struct db *db = s->data;

	if (!db)
		return;
	answers_fini(db);
	if (db->queue && queue_commit(db->queue) < 0)
		log_error("the last changes are lost", "text=\"%s\"", queue_error(db->queue));
	queue_close(db->queue);
	if (db->dir[0])
		remove_temporary(db);
	free(db);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_DB_QUEUE",
			"where the queue is: sqlite:PATH, or postgresql://USER@HOST/DATABASE"},
		{"MICRO_DB_PATH", "PATH of the former (default: a temporary one)"},
		{"MICRO_DB_LEASE_MS", "how long a lease is valid (default 20000)"},
		{"MICRO_DB_MAX_ATTEMPTS", "leases of a task before it is dead (default 5)"},
		{"MICRO_DB_BACKOFF_MS", "pause after the first failure, doubles (default 500)"},
		{"MICRO_DB_BACKOFF_MAX_MS", "its limit (default 60000)"},
		{"MICRO_DB_ORPHAN_MS",
			"age at which a task without data is deleted (default 60000)"},
		{"MICRO_DB_KEEP_FINISHED_MS", "how long finished tasks are kept (default 7 days)"},
		{"MICRO_DB_MAX_TASKS", "tasks that may wait (default 1000000)"},
		{"MICRO_DB_MAX_DEAD", "dead tasks that are kept (default 10000)"},
		{"MICRO_DB_MAX_WAITERS", "clients that may wait for a task (default 512)"},
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
		.max_connections = CONNECTIONS_MAX,
		.start = db_start,
		.drain = db_drain,
		.stop = db_stop,
		.metrics = db_metrics,
	};

	return service_main(&spec, argc, argv);
}
