/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table and one index (state, due, id) serve every question: the lowest ready id (due is 0 for all of them), the next
 * lease to run out, the next delay or orphan. Write-ahead log in exclusive mode, so that there is no shared memory
 * file; synchronous FULL, so that what was answered survives a crash.
 */
#include "services/db/queue.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRE_BATCH   256
#define HEAP_LIMIT     (16 * MIB)
#define SCHEMA_VERSION 2 /* 1: without params */

static const char schema[] = "CREATE TABLE IF NOT EXISTS task (id INTEGER PRIMARY KEY, state "
			     "INTEGER NOT NULL, due INTEGER NOT NULL,"
			     " attempts INTEGER NOT NULL DEFAULT 0, token TEXT, worker TEXT, "
			     "reason TEXT, created INTEGER NOT NULL, params TEXT);"
			     "CREATE INDEX IF NOT EXISTS task_due ON task (state, due, id);"
			     "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value "
			     "INTEGER NOT NULL) WITHOUT ROWID;"
			     "PRAGMA user_version = 2;";

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_CREATE,
	ST_GET,
	ST_SET,
	ST_LEASE,
	ST_RENEW,
	ST_DUE,
	ST_NEXT_DUE,
	ST_PURGE,
	ST_DEAD,
	ST_DEAD_RETRY,
	ST_DEAD_PURGE,
	ST_COUNT,
	ST_NEXT_ID,
	ST_SAVE_ID,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_CREATE] = "INSERT INTO task (id, state, due, created, params) "
		      "VALUES (?1, -1, ?2, ?3, ?4)",
	[ST_GET] = "SELECT state, due, attempts, token, worker, reason, params FROM task "
		   "WHERE id = ?1",
	[ST_SET] =
		"UPDATE task SET state = ?2, due = ?3, reason = coalesce(?4, reason) WHERE id = ?1",
	[ST_LEASE] = "UPDATE task SET state = 1, due = ?1, attempts = attempts + 1, token = ?2, "
		     "worker = ?3 WHERE id ="
		     " (SELECT id FROM task WHERE state = 0 ORDER BY due, id LIMIT 1) RETURNING "
		     "id, attempts, params",
	[ST_RENEW] = "UPDATE task SET due = ?2 WHERE id = ?1",
	[ST_DUE] = "SELECT id, attempts, worker FROM task WHERE state = ?1 AND due <= ?2 ORDER BY "
		   "due LIMIT ?3",
	[ST_NEXT_DUE] = "SELECT min(due) FROM task WHERE state = ?1",
	[ST_PURGE] = "DELETE FROM task WHERE id IN (SELECT id FROM task WHERE state = ?1 AND due "
		     "<= ?2 ORDER BY due LIMIT ?3)",
	[ST_DEAD] = "SELECT id, attempts, due, worker, reason, params FROM task WHERE state = 3 "
		    "AND id > ?1 ORDER BY id LIMIT ?2",
	[ST_DEAD_RETRY] = "UPDATE task SET state = 0, due = 0, attempts = 0 WHERE state = 3 AND "
			  "(?1 < 0 OR id = ?1)",
	[ST_DEAD_PURGE] = "DELETE FROM task WHERE state = 3 AND (?1 < 0 OR id = ?1)",
	[ST_COUNT] = "SELECT state, count(*) FROM task GROUP BY state",
	[ST_NEXT_ID] = "SELECT max(coalesce((SELECT value FROM meta WHERE name = 'next_id'), 0),"
		       " coalesce((SELECT max(id) + 1 FROM task), 0))",
	[ST_SAVE_ID] = "INSERT INTO meta VALUES ('next_id', ?1) ON CONFLICT (name) DO UPDATE SET "
		       "value = ?1",
};

struct queue {
	struct queue_config cfg;
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	bool open, id_unsaved;
	int64_t next_id;
	int64_t count[TASK_STATES];
	int64_t next_due; /* cached; -1: ask */
	uint64_t random;
};

const char *queue_error(const struct queue *q)
{
	return sqlite3_errmsg(q->db);
}

int64_t queue_count(const struct queue *q, enum task_state state)
{
	return q->count[state + 1];
}

uint64_t queue_scan_steps(const struct queue *q)
{
	uint64_t steps = 0;

	for (size_t i = 0; i < STATEMENTS; i++) {
		if (i != ST_COUNT)
			steps += (uint64_t)sqlite3_stmt_status(
				q->st[i], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
	}
	return steps;
}

static sqlite3_stmt *use(struct queue *q, enum statement n)
{
	sqlite3_stmt *st = q->st[n];

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return st;
}

static int code_of(int rc)
{
	switch (rc) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* Runs a statement to its end. */
static int finish_step(sqlite3_stmt *st)
{
	int rc;

	do
		rc = sqlite3_step(st);
	while (rc == SQLITE_ROW);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : code_of(rc);
}

static int run(struct queue *q, enum statement n)
{
	return finish_step(use(q, n));
}

static void text_of(sqlite3_stmt *st, int column, char *out, size_t size)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	snprintf(out, size, "%s", s ? (const char *)s : "");
}

/* --- opening ------------------------------------------------------------------------------------------------------ */
static int recount(struct queue *q)
{
	sqlite3_stmt *st = use(q, ST_COUNT);
	int rc;

	memset(q->count, 0, sizeof(q->count));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t state = sqlite3_column_int64(st, 0);

		if (state >= TASK_CREATED && state <= TASK_DELAYED)
			q->count[state + 1] = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	q->next_due = -1;
	return rc == SQLITE_DONE ? 0 : code_of(rc);
}

static int load_next_id(struct queue *q)
{
	sqlite3_stmt *st = use(q, ST_NEXT_ID);
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		q->next_id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? 0 : code_of(rc);
}

/* Leases survive a restart, but none for longer than a lease is: the clock may have been wrong before. */
static int clip_leases(struct queue *q, int64_t now)
{
	long long latest = now + q->cfg.lease_ms;
	char *text = sqlite3_mprintf(
		"UPDATE task SET due = %lld WHERE state = 1 AND due > %lld", latest, latest);
	int rc = text ? sqlite3_exec(q->db, text, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	return rc == SQLITE_OK ? 0 : code_of(rc);
}

static int version_of(sqlite3 *db, int *version)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(st);
	*version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* SQLITE_SCHEMA: the file is from a newer version of this program. */
static int set_up(struct queue *q, const char *vfs)
{
	static const char pragmas[] =
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
		"PRAGMA wal_autocheckpoint=500; PRAGMA journal_size_limit=4194304;";
	int version = 0,
	    rc = sqlite3_open_v2(q->cfg.path, &q->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(q->db, pragmas, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = version_of(q->db, &version);
	if (rc == SQLITE_OK && version > SCHEMA_VERSION)
		return SQLITE_SCHEMA;
	if (rc == SQLITE_OK && version == 1)
		rc = sqlite3_exec(
			q->db, "ALTER TABLE task ADD COLUMN params TEXT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(q->db, schema, NULL, NULL, NULL);
	return rc;
}

/* A system without file locks still has only this one process. */
static int open_database(struct queue *q)
{
	int rc = set_up(q, NULL);

	if ((rc & 0xff) == SQLITE_IOERR &&
		(sqlite3_extended_errcode(q->db) == SQLITE_IOERR_LOCK ||
			sqlite3_extended_errcode(q->db) == SQLITE_IOERR_RDLOCK)) {
		sqlite3_close(q->db);
		rc = set_up(q, "unix-none");
	}
	return rc;
}

int queue_open(const struct queue_config *config, int64_t now, struct queue **out, struct err *err)
{
	struct queue *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return err_set(err, ENOMEM, "out of memory");
	q->cfg = *config;
	q->next_due = -1;
	if (getrandom(&q->random, sizeof(q->random), GRND_NONBLOCK) != sizeof(q->random))
		q->random = (uint64_t)now;
	sqlite3_hard_heap_limit64(HEAP_LIMIT);
	r = open_database(q);
	if (r == SQLITE_SCHEMA) {
		r = err_set(err, ENOTSUP, "%s was written by a newer version", config->path);
		goto out_close;
	}
	for (size_t i = 0; i < STATEMENTS && r == SQLITE_OK; i++)
		r = sqlite3_prepare_v3(
			q->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &q->st[i], NULL);
	if (r == SQLITE_OK)
		r = load_next_id(q) ?: clip_leases(q, now) ?: recount(q);
	if (r != 0) {
		r = err_set(err, EIO, "cannot open the queue %s: %s", config->path,
			sqlite3_errmsg(q->db));
		goto out_close;
	}
	*out = q;
	return 0;
out_close:
	queue_close(q);
	return r;
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	if (q->open)
		run(q, ST_ROLLBACK);
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(q->st[i]);
	sqlite3_close(q->db);
	free(q);
}

/* --- transactions ------------------------------------------------------------------------------------------------- */
bool queue_is_open(const struct queue *q)
{
	return q->open;
}

int queue_begin(struct queue *q)
{
	int r = q->open ? 0 : run(q, ST_BEGIN);

	if (r == 0)
		q->open = true;
	return r;
}

int queue_commit(struct queue *q)
{
	sqlite3_stmt *st;
	int r = 0;

	if (!q->open)
		return 0;
	if (q->id_unsaved) {
		st = use(q, ST_SAVE_ID);
		sqlite3_bind_int64(st, 1, q->next_id);
		r = finish_step(st);
	}
	if (r == 0)
		r = run(q, ST_COMMIT);
	q->open = false;
	if (r == 0) {
		q->id_unsaved = false;
		return 0;
	}
	run(q, ST_ROLLBACK);
	recount(q);
	return r;
}

/* --- tasks ---------------------------------------------------------------------------------------------------------- */
static void moved(struct queue *q, enum task_state from, enum task_state to)
{
	q->count[from + 1]--;
	q->count[to + 1]++;
	q->next_due = -1;
}

static void deleted(struct queue *q, enum task_state from, int64_t n)
{
	q->count[from + 1] -= n;
	q->id_unsaved |= n > 0; /* the highest id may have gone */
}

/* reason NULL: the old one stays. */
static int set_state(struct queue *q, int64_t id, enum task_state from, enum task_state to,
	int64_t due, const char *reason)
{
	sqlite3_stmt *st = use(q, ST_SET);
	int r;

	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int(st, 2, to);
	sqlite3_bind_int64(st, 3, due);
	if (reason)
		sqlite3_bind_text(st, 4, reason, -1, SQLITE_STATIC);
	r = finish_step(st);
	if (r == 0)
		moved(q, from, to);
	return r;
}

static int purge(struct queue *q, enum task_state state, int64_t due, int64_t max)
{
	sqlite3_stmt *st = use(q, ST_PURGE);
	int r;

	sqlite3_bind_int(st, 1, state);
	sqlite3_bind_int64(st, 2, due);
	sqlite3_bind_int64(st, 3, max);
	r = finish_step(st);
	if (r == 0)
		deleted(q, state, sqlite3_changes(q->db));
	return r;
}

int queue_create(struct queue *q, const struct task_spec *spec, int64_t now, int64_t *id)
{
	int64_t waiting = queue_count(q, TASK_CREATED) + queue_count(q, TASK_READY) +
		queue_count(q, TASK_DELAYED);
	sqlite3_stmt *st;
	int r;

	if (waiting >= q->cfg.max_tasks)
		return -ENOSPC;
	/* Two for each new one: old finished tasks go faster than new ones come, and nothing ever waits for a clean-up. */
	r = purge(q, TASK_FINISHED, now, 2);
	if (r < 0)
		return r;
	st = use(q, ST_CREATE);
	sqlite3_bind_int64(st, 1, q->next_id);
	sqlite3_bind_int64(st, 2, now + q->cfg.orphan_ms);
	sqlite3_bind_int64(st, 3, now);
	if (spec->params)
		sqlite3_bind_text(st, 4, spec->params, -1, SQLITE_STATIC);
	r = finish_step(st);
	if (r < 0)
		return r;
	q->count[TASK_CREATED + 1]++;
	q->next_due = -1;
	q->id_unsaved = true;
	*id = q->next_id++;
	return 0;
}

struct row {
	struct task task;
	char token[TOKEN_BYTES];
};

static int load(struct queue *q, int64_t id, struct row *row)
{
	sqlite3_stmt *st = use(q, ST_GET);
	int rc;

	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		row->task = (struct task){.id = id,
			.state = (enum task_state)sqlite3_column_int(st, 0),
			.due_ms = sqlite3_column_int64(st, 1),
			.attempts = sqlite3_column_int64(st, 2)};
		text_of(st, 3, row->token, sizeof(row->token));
		text_of(st, 4, row->task.worker, sizeof(row->task.worker));
		text_of(st, 5, row->task.reason, sizeof(row->task.reason));
		text_of(st, 6, row->task.params, sizeof(row->task.params));
	}
	sqlite3_reset(st);
	if (rc == SQLITE_ROW)
		return 0;
	return rc == SQLITE_DONE ? -ENOENT : code_of(rc);
}

int queue_get(struct queue *q, int64_t id, struct task *task)
{
	struct row row;
	int r = load(q, id, &row);

	if (r == 0)
		*task = row.task;
	return r;
}

int queue_ready(struct queue *q, int64_t id, int64_t now)
{
	struct row row;
	int r = load(q, id, &row);

	(void)now;
	if (r < 0)
		return r;
	switch (row.task.state) {
	case TASK_CREATED:
		return set_state(q, id, TASK_CREATED, TASK_READY, 0, NULL);
	case TASK_READY:
	case TASK_LEASED:
	case TASK_DELAYED:
		return 0; /* the original master repeats it, ours after a broken connection */
	case TASK_FINISHED:
	case TASK_DEAD:
		break;
	}
	return -ESTALE;
}

static void make_token(struct queue *q, char *token)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		/* No entropy at all: still unique within this queue. */
		q->random = q->random * 6364136223846793005ull + 1442695040888963407ull;
		memcpy(bytes, &q->random, 8);
		memcpy(bytes + 8, &q->next_id, 8);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

int queue_lease(struct queue *q, const char *worker, int64_t now, struct lease *lease)
{
	sqlite3_stmt *st;
	int rc;

	if (queue_count(q, TASK_READY) == 0)
		return -ENOENT;
	lease->expires_ms = now + q->cfg.lease_ms;
	make_token(q, lease->token);
	st = use(q, ST_LEASE);
	sqlite3_bind_int64(st, 1, lease->expires_ms);
	sqlite3_bind_text(st, 2, lease->token, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, worker, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		lease->id = sqlite3_column_int64(st, 0);
		lease->attempt = sqlite3_column_int64(st, 1);
		text_of(st, 2, lease->params, sizeof(lease->params));
		rc = finish_step(st) == 0 ? SQLITE_ROW : SQLITE_IOERR;
	}
	sqlite3_reset(st);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : code_of(rc);
	moved(q, TASK_READY, TASK_LEASED);
	return 0;
}

/* Whether the caller holds the task: the right token, or none while the lease is valid. */
static bool holds(const struct row *row, const char *token, int64_t now)
{
	if (row->task.state != TASK_LEASED || row->task.due_ms <= now)
		return false;
	return !token || strcmp(token, row->token) == 0;
}

int queue_finish(struct queue *q, int64_t id, const char *token, int64_t now)
{
	struct row row;
	int r = load(q, id, &row);

	if (r < 0)
		return r;
	if (row.task.state == TASK_FINISHED && token && strcmp(token, row.token) == 0)
		return 0;
	if (!holds(&row, token, now))
		return -ESTALE;
	return set_state(q, id, TASK_LEASED, TASK_FINISHED, now + q->cfg.keep_finished_ms, NULL);
}

int queue_renew(struct queue *q, int64_t id, const char *token, int64_t now, struct lease *lease)
{
	struct row row;
	int r = load(q, id, &row);
	sqlite3_stmt *st;

	if (r < 0)
		return r;
	if (!holds(&row, token, now))
		return -ESTALE;
	*lease = (struct lease){
		.id = id, .attempt = row.task.attempts, .expires_ms = now + q->cfg.lease_ms};
	memcpy(lease->token, row.token, sizeof(lease->token));
	memcpy(lease->params, row.task.params, sizeof(lease->params));
	st = use(q, ST_RENEW);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, lease->expires_ms);
	q->next_due = -1;
	return finish_step(st);
}

/* Doubles with each attempt; half of it is left to chance, so that tasks that failed together do not come back together. */
static int64_t back_off(struct queue *q, int64_t attempts)
{
	int64_t ms = q->cfg.backoff_ms;

	for (int64_t i = 1; i < attempts && ms < q->cfg.backoff_max_ms; i++)
		ms *= 2;
	if (ms > q->cfg.backoff_max_ms)
		ms = q->cfg.backoff_max_ms;
	q->random = q->random * 6364136223846793005ull + 1442695040888963407ull;
	return ms - (int64_t)((q->random >> 33) % (uint64_t)(ms / 2 + 1));
}

static int give_back(struct queue *q, int64_t id, int64_t attempts, const char *reason, int64_t now)
{
	int r;

	if (attempts < q->cfg.max_attempts)
		return set_state(
			q, id, TASK_LEASED, TASK_DELAYED, now + back_off(q, attempts), reason);
	r = set_state(q, id, TASK_LEASED, TASK_DEAD, now, reason);
	if (r == 0 && queue_count(q, TASK_DEAD) > q->cfg.max_dead)
		r = purge(q, TASK_DEAD, now, queue_count(q, TASK_DEAD) - q->cfg.max_dead);
	return r;
}

int queue_fail(
	struct queue *q, int64_t id, const char *token, const char *reason, bool final, int64_t now)
{
	struct row row;
	int r = load(q, id, &row);

	if (r < 0)
		return r;
	if (!holds(&row, token, now))
		return -ESTALE;
	return give_back(q, id, final ? q->cfg.max_attempts : row.task.attempts, reason, now);
}

/* --- time ----------------------------------------------------------------------------------------------------------- */
struct due {
	int64_t id, attempts;
	char worker[WORKER_BYTES];
};

static int due_list(struct queue *q, enum task_state state, int64_t now, struct due *due)
{
	sqlite3_stmt *st = use(q, ST_DUE);
	int n = 0, rc;

	sqlite3_bind_int(st, 1, state);
	sqlite3_bind_int64(st, 2, now);
	sqlite3_bind_int(st, 3, EXPIRE_BATCH);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && n < EXPIRE_BATCH) {
		due[n].id = sqlite3_column_int64(st, 0);
		due[n].attempts = sqlite3_column_int64(st, 1);
		text_of(st, 2, due[n++].worker, WORKER_BYTES);
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? n : code_of(rc);
}

static int expire_one(struct queue *q, enum task_state state, const struct due *due, int64_t now)
{
	char reason[REASON_BYTES];

	if (state == TASK_DELAYED)
		return set_state(q, due->id, TASK_DELAYED, TASK_READY, 0, NULL);
	snprintf(reason, sizeof(reason), "the lease ran out (worker \"%s\")", due->worker);
	return give_back(q, due->id, due->attempts, reason, now);
}

static int expire_state(struct queue *q, enum task_state state, int64_t now, bool *changed)
{
	_cleanup_free_ struct due *due = NULL;
	int n, r = 0;

	if (queue_count(q, state) == 0)
		return 0;
	due = calloc(EXPIRE_BATCH, sizeof(*due));
	if (!due)
		return -ENOMEM;
	n = due_list(q, state, now, due);
	if (n <= 0)
		return n;
	*changed = true;
	r = queue_begin(q);
	for (int i = 0; i < n && r == 0; i++)
		r = expire_one(q, state, &due[i], now);
	return r;
}

int queue_expire(struct queue *q, int64_t now, bool *changed)
{
	int r;

	*changed = false;
	if (queue_next_due(q) > now)
		return 0;
	r = expire_state(q, TASK_DELAYED, now, changed)
		?: expire_state(q, TASK_LEASED, now, changed);
	if (r == 0 && queue_count(q, TASK_CREATED)) {
		r = queue_begin(q) ?: purge(q, TASK_CREATED, now, EXPIRE_BATCH);
		*changed = true;
	}
	q->next_due = -1;
	return r;
}

int64_t queue_next_due(struct queue *q)
{
	static const enum task_state timed[] = {TASK_CREATED, TASK_LEASED, TASK_DELAYED};
	int64_t min = INT64_MAX;

	if (q->next_due >= 0)
		return q->next_due;
	for (size_t i = 0; i < ARRAY_SIZE(timed); i++) {
		sqlite3_stmt *st;

		if (queue_count(q, timed[i]) == 0)
			continue;
		st = use(q, ST_NEXT_DUE);
		sqlite3_bind_int(st, 1, timed[i]);
		if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL &&
			sqlite3_column_int64(st, 0) < min)
			min = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	q->next_due = min;
	return min;
}

/* --- dead letters ------------------------------------------------------------------------------------------------- */
int queue_dead(struct queue *q, int64_t after, struct task *out, int max)
{
	sqlite3_stmt *st = use(q, ST_DEAD);
	int n = 0, rc;

	sqlite3_bind_int64(st, 1, after);
	sqlite3_bind_int(st, 2, max);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && n < max) {
		struct task *t = &out[n++];

		*t = (struct task){.id = sqlite3_column_int64(st, 0),
			.attempts = sqlite3_column_int64(st, 1),
			.due_ms = sqlite3_column_int64(st, 2),
			.state = TASK_DEAD};
		text_of(st, 3, t->worker, sizeof(t->worker));
		text_of(st, 4, t->reason, sizeof(t->reason));
		text_of(st, 5, t->params, sizeof(t->params));
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? n : code_of(rc);
}

static int dead_change(struct queue *q, enum statement n, int64_t id, int64_t *changed)
{
	sqlite3_stmt *st = use(q, n);
	int r;

	sqlite3_bind_int64(st, 1, id);
	r = finish_step(st);
	if (r < 0)
		return r;
	*changed = sqlite3_changes(q->db);
	return id >= 0 && *changed == 0 ? -ENOENT : 0;
}

int queue_dead_retry(struct queue *q, int64_t id, int64_t *changed)
{
	int r = dead_change(q, ST_DEAD_RETRY, id, changed);

	if (r == 0) {
		q->count[TASK_DEAD + 1] -= *changed;
		q->count[TASK_READY + 1] += *changed;
	}
	return r;
}

int queue_dead_purge(struct queue *q, int64_t id, int64_t *changed)
{
	int r = dead_change(q, ST_DEAD_PURGE, id, changed);

	if (r == 0)
		deleted(q, TASK_DEAD, *changed);
	return r;
}
