/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue in PostgreSQL. Any number of db's may use the same tables: ready tasks are taken with FOR UPDATE SKIP LOCKED, so that none waits
 * for another's transaction, a task that changes is locked first, and NOTIFY tells the others that there is something to take.
 *
 * Ids come from a sequence: they never repeat, but a transaction that is undone leaves a gap. Counts of tasks by state would be a scan: each
 * connection has a row per state of its own in micro_count (slot), to which it adds its changes with each commit; their sum is exact, and two
 * connections do not wait for each other unless they share a slot.
 *
 * synchronous_commit is on whatever the server's default is: a commit is on its disk before it returns. A commit whose answer is lost may have
 * come through: it counts as failed (-EAGAIN), and every request may be repeated.
 */
#include "services/db/postgres_conn.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS 1024

/* Several may come at the same time: the tables are made under an advisory lock, whose number is ours by chance. */
static const char setup[] =
	"SET synchronous_commit = on; SET client_min_messages = warning; SET lock_timeout = 3000;"
	"SET statement_timeout = 9000; SET idle_in_transaction_session_timeout = 30000;"
	"SET client_encoding = 'UTF8'; SET default_transaction_isolation = 'read committed';"
	"BEGIN; SELECT pg_advisory_xact_lock(7162381);"
	"CREATE TABLE IF NOT EXISTS micro_task (id bigint PRIMARY KEY, state smallint NOT NULL,"
	" due bigint NOT NULL, since bigint NOT NULL, created bigint NOT NULL,"
	" attempts bigint NOT NULL DEFAULT 0, priority smallint NOT NULL, start bigint NOT NULL,"
	" token text, worker text, reason text, key text, params text);"
	"CREATE INDEX IF NOT EXISTS micro_task_due ON micro_task (state, due, id);"
	"CREATE INDEX IF NOT EXISTS micro_task_ready ON micro_task (since) WHERE state = 0;"
	"CREATE UNIQUE INDEX IF NOT EXISTS micro_task_key ON micro_task (key) WHERE key IS NOT "
	"NULL;"
	"CREATE SEQUENCE IF NOT EXISTS micro_task_id MINVALUE 0 START 0;"
	"CREATE TABLE IF NOT EXISTS micro_count (slot int NOT NULL, state smallint NOT NULL,"
	" n bigint NOT NULL, PRIMARY KEY (slot, state));"
	"COMMIT; LISTEN micro_queue";

enum statement {
	ST_INSERT,
	ST_LOAD,
	ST_LOCK,
	ST_FIND,
	ST_STORE,
	ST_TAKE,
	ST_DUE,
	ST_NEXT_DUE,
	ST_PURGE,
	ST_CLIP,
	ST_DEAD,
	ST_DEAD_RETRY,
	ST_DEAD_DELETE,
	ST_OLDEST,
	ST_COUNT,
	STATEMENTS,
};

#define LOAD                                                                                       \
	"SELECT id, state, due, since, attempts, priority, start, token, worker, reason, key,"     \
	" params FROM micro_task WHERE "

static const char *const sql[STATEMENTS] = {
	[ST_INSERT] =
		"INSERT INTO micro_task (id, state, due, since, created, priority, start, key, "
		"params)"
		" SELECT nextval('micro_task_id'), -1, $1::bigint, $2::bigint, $2::bigint,"
		" $3::smallint, $4::bigint, $5::text, $6::text"
		" WHERE (SELECT coalesce(sum(n), 0) FROM micro_count WHERE state IN (-1, 0, 4))"
		" < $7::bigint ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING RETURNING id",
	[ST_LOAD] = LOAD "id = $1",
	[ST_LOCK] = LOAD "id = $1 FOR UPDATE",
	[ST_FIND] = "SELECT id FROM micro_task WHERE key = $1",
	[ST_STORE] = "UPDATE micro_task SET state = $2, due = $3, since = $4, attempts = $5,"
		     " token = $6, worker = $7, reason = $8 WHERE id = $1",
	[ST_TAKE] =
		"UPDATE micro_task SET state = 1, due = $1, since = $2, attempts = attempts + 1,"
		" token = $3, worker = $4 WHERE id = (SELECT id FROM micro_task WHERE state = 0"
		" ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, attempts, params",
	[ST_DUE] = "SELECT id FROM micro_task WHERE state = $1 AND due <= $2 ORDER BY due LIMIT $3"
		   " FOR UPDATE SKIP LOCKED",
	[ST_NEXT_DUE] = "SELECT least((SELECT min(due) FROM micro_task WHERE state = -1),"
			" (SELECT min(due) FROM micro_task WHERE state = 1),"
			" (SELECT min(due) FROM micro_task WHERE state = 4))",
	[ST_PURGE] =
		"DELETE FROM micro_task WHERE id IN (SELECT id FROM micro_task WHERE state = $1"
		" AND due <= $2 ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED)",
	[ST_CLIP] = "UPDATE micro_task SET due = $1 WHERE state = 1 AND due > $1",
	[ST_DEAD] = LOAD "state = 3 AND id > $1 ORDER BY id LIMIT $2",
	[ST_DEAD_RETRY] =
		"UPDATE micro_task SET state = 0, due = -priority, since = $2, attempts = 0"
		" WHERE state = 3 AND ($1::bigint < 0 OR id = $1::bigint)",
	[ST_DEAD_DELETE] =
		"DELETE FROM micro_task WHERE state = 3 AND ($1::bigint < 0 OR id = $1::bigint)",
	[ST_OLDEST] = "SELECT min(since) FROM micro_task WHERE state = 0",
	[ST_COUNT] = "SELECT state, sum(n) FROM micro_count GROUP BY state",
};

struct postgres {
	struct backend b; /* first */
	struct pg pg;
	int failed;                 /* what the open transaction failed with, or 0 */
	bool open, woken;           /* somebody may take what this transaction made ready */
	int64_t delta[TASK_STATES]; /* of the open transaction */
	unsigned int slot;
};

static struct postgres *postgres_of(struct backend *b)
{
	return (struct postgres *)b;
}

static const char *postgres_error(const struct backend *b)
{
	return ((const struct postgres *)b)->pg.error;
}

/* --- statements ------------------------------------------------------------------------------------------------------ */
/* An error inside a transaction is one of the whole of it. */
static int run(struct postgres *p, enum statement n, const struct pg_params *params, PGresult **out)
{
	int r;

	if (p->open && p->failed < 0)
		return p->failed;
	if (!p->open && (r = pg_up(&p->pg)) < 0)
		return r;
	r = pg_run(&p->pg, n, params, out);
	if (r < 0 && p->open)
		p->failed = r;
	return r;
}

/* As run(), for a change: the number of rows. A change belongs into a transaction. */
static int change(struct postgres *p, enum statement n, const struct pg_params *params)
{
	PGresult *res;
	int r = p->open ? run(p, n, params, &res) : -EIO;

	if (r < 0)
		return r;
	r = (int)strtol(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return r;
}

static void moved(struct postgres *p, enum task_state from, enum task_state to, int64_t n)
{
	p->delta[from + 1] -= n;
	p->delta[to + 1] += n;
	p->woken |= to == TASK_READY && n > 0;
}

/* --- transactions ---------------------------------------------------------------------------------------------------- */
static int postgres_begin(struct backend *b)
{
	struct postgres *p = postgres_of(b);
	int r = pg_up(&p->pg) ?: pg_exec(&p->pg, "BEGIN");

	p->open = r == 0;
	p->failed = 0;
	p->woken = false;
	memset(p->delta, 0, sizeof(p->delta));
	return r;
}

/* The counts, the news and the commit in one round trip. */
static int finish(struct postgres *p, bool lasting)
{
	char text[700];
	int len = 0;

	for (int i = 0; i < TASK_STATES; i++) {
		if (p->delta[i])
			len += snprintf(text + len, sizeof(text) - (size_t)len,
				"%s(%u,%d,%" PRId64 ")",
				len ? "," : "INSERT INTO micro_count VALUES ", p->slot, i - 1,
				p->delta[i]);
	}
	if (len)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
			" ON CONFLICT (slot, state) DO UPDATE SET n = micro_count.n + EXCLUDED.n;");
	snprintf(text + len, sizeof(text) - (size_t)len, "%s%sCOMMIT",
		p->woken ? "NOTIFY micro_queue;" : "",
		lasting ? "" : "SET LOCAL synchronous_commit TO off;");
	return pg_exec(&p->pg, text);
}

static int postgres_commit(struct backend *b, bool lasting)
{
	struct postgres *p = postgres_of(b);
	int r = p->failed < 0 ? p->failed : finish(p, lasting);

	p->open = false;
	p->failed = 0;
	if (r < 0 && p->pg.conn && pg_exec(&p->pg, "ROLLBACK") < 0)
		pg_down(&p->pg);
	return r;
}

/* --- tasks ----------------------------------------------------------------------------------------------------------- */
static int postgres_insert(struct backend *b, struct task *t, int64_t max_waiting)
{
	struct postgres *p = postgres_of(b);
	struct pg_params v = {0};
	PGresult *res;
	int64_t id;
	int r;

	pg_int(&v, t->due_ms);
	pg_int(&v, t->since_ms);
	pg_int(&v, t->priority);
	pg_int(&v, t->start_ms);
	pg_text(&v, t->key);
	pg_text(&v, t->params);
	/* What this transaction has added is not in the table yet. */
	pg_int(&v,
		max_waiting - p->delta[TASK_CREATED + 1] - p->delta[TASK_READY + 1] -
			p->delta[TASK_DELAYED + 1]);
	r = p->open ? run(p, ST_INSERT, &v, &res) : -EIO;
	if (r < 0)
		return r;
	r = PQntuples(res);
	id = r ? pg_column_int(res, 0, 0) : -1;
	PQclear(res);
	if (!r)
		return t->key[0] && b->ops->find(b, t->key, &id) == 0 ? -EEXIST : -ENOSPC;
	t->id = id;
	p->delta[TASK_CREATED + 1]++;
	b->must_last = true; /* a number out of a sequence may come again if its commit is lost */
	return 0;
}

static void row_of(const PGresult *res, int row, struct task *t)
{
	*t = (struct task){.id = pg_column_int(res, row, 0),
		.state = (enum task_state)pg_column_int(res, row, 1),
		.due_ms = pg_column_int(res, row, 2),
		.since_ms = pg_column_int(res, row, 3),
		.attempts = pg_column_int(res, row, 4),
		.priority = pg_column_int(res, row, 5),
		.start_ms = pg_column_int(res, row, 6)};
	pg_column_text(res, row, 7, t->token, sizeof(t->token));
	pg_column_text(res, row, 8, t->worker, sizeof(t->worker));
	pg_column_text(res, row, 9, t->reason, sizeof(t->reason));
	pg_column_text(res, row, 10, t->key, sizeof(t->key));
	pg_column_text(res, row, 11, t->params, sizeof(t->params));
}

static int postgres_load(struct backend *b, int64_t id, bool lock, struct task *t)
{
	struct pg_params v = {0};
	PGresult *res;
	int r;

	pg_int(&v, id);
	r = run(postgres_of(b), lock ? ST_LOCK : ST_LOAD, &v, &res);
	if (r < 0)
		return r;
	if (PQntuples(res))
		row_of(res, 0, t);
	else
		r = -ENOENT;
	PQclear(res);
	return r;
}

static int postgres_find(struct backend *b, const char *key, int64_t *id)
{
	struct pg_params v = {0};
	PGresult *res;
	int r;

	pg_text(&v, key);
	r = run(postgres_of(b), ST_FIND, &v, &res);
	if (r < 0)
		return r;
	if (PQntuples(res))
		*id = pg_column_int(res, 0, 0);
	else
		r = -ENOENT;
	PQclear(res);
	return r;
}

static int postgres_store(struct backend *b, const struct task *t, enum task_state from)
{
	struct pg_params v = {0};
	int n;

	pg_int(&v, t->id);
	pg_int(&v, t->state);
	pg_int(&v, t->due_ms);
	pg_int(&v, t->since_ms);
	pg_int(&v, t->attempts);
	pg_text(&v, t->token);
	pg_text(&v, t->worker);
	pg_text(&v, t->reason);
	n = change(postgres_of(b), ST_STORE, &v);
	if (n < 1)
		return n < 0 ? n : -ENOENT;
	moved(postgres_of(b), from, t->state, 1);
	return 0;
}

static int postgres_take(struct backend *b, struct task *t)
{
	struct postgres *p = postgres_of(b);
	struct pg_params v = {0};
	PGresult *res;
	int r;

	pg_int(&v, t->due_ms);
	pg_int(&v, t->since_ms);
	pg_text(&v, t->token);
	pg_text(&v, t->worker);
	r = p->open ? run(p, ST_TAKE, &v, &res) : -EIO;
	if (r < 0)
		return r;
	if (PQntuples(res)) {
		t->id = pg_column_int(res, 0, 0);
		t->attempts = pg_column_int(res, 0, 1);
		pg_column_text(res, 0, 2, t->params, sizeof(t->params));
		moved(p, TASK_READY, TASK_LEASED, 1);
	} else
		r = -ENOENT;
	PQclear(res);
	return r;
}

/* --- time ------------------------------------------------------------------------------------------------------------ */
static int postgres_due(
	struct backend *b, enum task_state state, int64_t now, int64_t *ids, int max)
{
	struct pg_params v = {0};
	PGresult *res;
	int r;

	pg_int(&v, state);
	pg_int(&v, now);
	pg_int(&v, max);
	r = run(postgres_of(b), ST_DUE, &v, &res);
	if (r < 0)
		return r;
	for (r = 0; r < PQntuples(res) && r < max; r++)
		ids[r] = pg_column_int(res, r, 0);
	PQclear(res);
	return r;
}

/* One number; -ENOENT when it is NULL. */
static int number(struct postgres *p, enum statement n, int64_t *out)
{
	PGresult *res;
	int r = run(p, n, NULL, &res);

	if (r < 0)
		return r;
	if (PQntuples(res) && !PQgetisnull(res, 0, 0))
		*out = pg_column_int(res, 0, 0);
	else
		r = -ENOENT;
	PQclear(res);
	return r;
}

static int postgres_next_due(struct backend *b, int64_t *at)
{
	int r = number(postgres_of(b), ST_NEXT_DUE, at);

	if (r == -ENOENT)
		*at = INT64_MAX;
	return r == -ENOENT ? 0 : r;
}

static int postgres_oldest(struct backend *b, int64_t *since_ms)
{
	return number(postgres_of(b), ST_OLDEST, since_ms);
}

static int postgres_purge(struct backend *b, enum task_state state, int64_t until, int64_t max)
{
	struct postgres *p = postgres_of(b);
	struct pg_params v = {0};
	int n;

	pg_int(&v, state);
	pg_int(&v, until);
	pg_int(&v, max);
	n = change(p, ST_PURGE, &v);
	if (n > 0)
		p->delta[state + 1] -= n;
	return n;
}

static int postgres_clip_leases(struct backend *b, int64_t latest)
{
	struct pg_params v = {0};
	int n;

	pg_int(&v, latest);
	n = change(postgres_of(b), ST_CLIP, &v);
	return n < 0 ? n : 0;
}

/* --- dead letters ---------------------------------------------------------------------------------------------------- */
static int postgres_list_dead(struct backend *b, int64_t after, struct task *out, int max)
{
	struct pg_params v = {0};
	PGresult *res;
	int r;

	pg_int(&v, after);
	pg_int(&v, max);
	r = run(postgres_of(b), ST_DEAD, &v, &res);
	if (r < 0)
		return r;
	for (r = 0; r < PQntuples(res) && r < max; r++)
		row_of(res, r, &out[r]);
	PQclear(res);
	return r;
}

static int postgres_retry_dead(struct backend *b, int64_t id, int64_t now, int64_t *n)
{
	struct pg_params v = {0};
	int r;

	pg_int(&v, id);
	pg_int(&v, now);
	r = change(postgres_of(b), ST_DEAD_RETRY, &v);
	if (r < 0)
		return r;
	*n = r;
	moved(postgres_of(b), TASK_DEAD, TASK_READY, r);
	return 0;
}

static int postgres_delete_dead(struct backend *b, int64_t id, int64_t *n)
{
	struct pg_params v = {0};
	int r;

	pg_int(&v, id);
	r = change(postgres_of(b), ST_DEAD_DELETE, &v);
	if (r < 0)
		return r;
	*n = r;
	postgres_of(b)->delta[TASK_DEAD + 1] -= r;
	return 0;
}

/* --- questions ------------------------------------------------------------------------------------------------------- */
static int postgres_counts(struct backend *b, int64_t counts[TASK_STATES])
{
	struct postgres *p = postgres_of(b);
	PGresult *res;
	int r = run(p, ST_COUNT, NULL, &res);

	if (r < 0)
		return r;
	for (int i = 0; i < TASK_STATES; i++)
		counts[i] = p->open ? p->delta[i] : 0;
	for (int i = 0; i < PQntuples(res); i++) {
		int64_t state = pg_column_int(res, i, 0);

		if (state >= TASK_CREATED && state <= TASK_DELAYED)
			counts[state + 1] += pg_column_int(res, i, 1);
	}
	PQclear(res);
	return 0;
}

/* Our own notifications come back as well: those are no news. */
static bool postgres_news(struct backend *b)
{
	struct postgres *p = postgres_of(b);
	PGnotify *n;
	bool news = false;

	if (!p->pg.conn)
		return false;
	if (!PQconsumeInput(p->pg.conn)) {
		pg_down(&p->pg);
		return false;
	}
	while ((n = PQnotifies(p->pg.conn))) {
		news |= n->be_pid != PQbackendPID(p->pg.conn);
		PQfreemem(n);
	}
	return news;
}

/* --- life ------------------------------------------------------------------------------------------------------------ */
static void postgres_close(struct backend *b)
{
	struct postgres *p = postgres_of(b);

	pg_down(&p->pg);
	free(p->pg.conninfo);
	free(p);
}

static const struct backend_ops postgres_ops = {
	.name = "postgresql",
	.shared = true,
	.close = postgres_close,
	.error = postgres_error,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.insert = postgres_insert,
	.load = postgres_load,
	.find = postgres_find,
	.store = postgres_store,
	.take = postgres_take,
	.due = postgres_due,
	.next_due = postgres_next_due,
	.purge = postgres_purge,
	.clip_leases = postgres_clip_leases,
	.list_dead = postgres_list_dead,
	.retry_dead = postgres_retry_dead,
	.delete_dead = postgres_delete_dead,
	.counts = postgres_counts,
	.oldest = postgres_oldest,
	.news = postgres_news,
};

int postgres_open(
	const char *conninfo, struct backend_watch watch, struct backend **out, struct err *err)
{
	struct postgres *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	p->b.ops = &postgres_ops;
	p->pg = (struct pg){.conninfo = strdup(conninfo),
		.watch = watch,
		.setup = setup,
		.sql = sql,
		.count = STATEMENTS};
	if (getrandom(&p->slot, sizeof(p->slot), GRND_NONBLOCK) != sizeof(p->slot))
		p->slot = (unsigned int)getpid();
	p->slot %= SLOTS;
	r = p->pg.conninfo ? pg_up(&p->pg) : -ENOMEM;
	if (r < 0) {
		r = err_set(err, -r, "PostgreSQL: %s", p->pg.error);
		postgres_close(&p->b);
		return r;
	}
	*out = &p->b;
	return 0;
}
