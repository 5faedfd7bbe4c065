/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue in one SQLite file. The index (state, due, id) serves every question of order: the first ready task, the next
 * lease to run out, the next delay or orphan; a second one, of ready tasks only, says which has waited longest.
 *
 * Write-ahead log, synchronous NORMAL: a commit is in the log, where the end of this process cannot harm it; who needs it to be on the disk
 * syncs the log (sync_fd), for as many commits as there are by then, and while requests are served that need no sync. (That is all
 * that FULL would do, in the middle of each commit.) The log's header, and what a checkpoint moves, SQLite syncs itself.
 *
 * locking_mode is
 * EXCLUSIVE, set before the journal mode: then the index of the log is in this process's memory and not in a mapped file FILE-shm. On a shared
 * folder (9p) a unikernel's mapping is a copy of its own, so that such a file would be shared with nobody; and a queue has one
 * user anyway, which the exclusive lock enforces.
 *
 * Counts of tasks by state are kept here, along with the changes; after a failed transaction they are read anew.
 */
#include "services/db/sqlite_impl.h"

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LOAD                                                                                       \
	"SELECT id, state, due, since, attempts, priority, start, token, worker, reason, key,"     \
	" params FROM task WHERE "

static const char *const sql[STATEMENTS] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_INSERT] =
		"INSERT INTO task (id, state, due, since, created, priority, start, key, params)"
		" VALUES (?1, -1, ?2, ?3, ?3, ?4, ?5, ?6, ?7)",
	[ST_LOAD] = LOAD "id = ?1",
	[ST_FIND] = "SELECT id FROM task WHERE key = ?1",
	[ST_STORE] = "UPDATE task SET state = ?2, due = ?3, since = ?4, attempts = ?5, token = ?6,"
		     " worker = ?7, reason = ?8 WHERE id = ?1",
	[ST_TAKE] = "UPDATE task SET state = 1, due = ?1, since = ?2, attempts = attempts + 1,"
		    " token = ?3, worker = ?4 WHERE id ="
		    " (SELECT id FROM task WHERE state = 0 ORDER BY due, id LIMIT 1)"
		    " RETURNING id, attempts, params",
	[ST_DUE] = "SELECT id FROM task WHERE state = ?1 AND due <= ?2 ORDER BY due LIMIT ?3",
	[ST_NEXT_DUE] = "SELECT min(due) FROM task WHERE state = ?1",
	[ST_PURGE] = "DELETE FROM task WHERE id IN"
		     " (SELECT id FROM task WHERE state = ?1 AND due <= ?2 ORDER BY due LIMIT ?3)",
	[ST_CLIP] = "UPDATE task SET due = ?1 WHERE state = 1 AND due > ?1",
	[ST_DEAD] = LOAD "state = 3 AND id > ?1 ORDER BY id LIMIT ?2",
	[ST_DEAD_RETRY] = "UPDATE task SET state = 0, due = -priority, since = ?2, attempts = 0"
			  " WHERE state = 3 AND (?1 < 0 OR id = ?1)",
	[ST_DEAD_DELETE] = "DELETE FROM task WHERE state = 3 AND (?1 < 0 OR id = ?1)",
	[ST_OLDEST] = "SELECT min(since) FROM task WHERE state = 0",
	[ST_COUNT] = "SELECT state, count(*) FROM task GROUP BY state",
	[ST_NEXT_ID] = "SELECT coalesce(max(id) + 1, 0) FROM task",
	[ST_META] = "SELECT value FROM meta WHERE name = ?1",
	[ST_SAVE_META] =
		"INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
};

static struct sqlite *sqlite_of(struct backend *b)
{
	return (struct sqlite *)b;
}

static const char *sqlite_error(const struct backend *b)
{
	return sqlite3_errmsg(((const struct sqlite *)b)->db);
}

static uint64_t sqlite_scan_steps(const struct backend *b)
{
	const struct sqlite *s = (const struct sqlite *)b;
	uint64_t steps = 0;

	for (size_t i = 0; i < STATEMENTS; i++) {
		if (i != ST_COUNT)
			steps += (uint64_t)sqlite3_stmt_status(
				s->st[i], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
	}
	return steps;
}

/* --- statements ------------------------------------------------------------------------------------------------------ */
int sqlite_prepare(struct sqlite *s)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < STATEMENTS && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v3(
			s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL);
	return rc;
}

sqlite3_stmt *sqlite_use(struct sqlite *s, enum statement n)
{
	sqlite3_stmt *st = s->st[n];

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return st;
}

/* NULL for "": so that an index of keys does not hold those that are none. */
static void bind_text(sqlite3_stmt *st, int n, const char *text)
{
	if (text[0])
		sqlite3_bind_text(st, n, text, -1, SQLITE_STATIC);
}

static void text_of(sqlite3_stmt *st, int column, char *out, size_t size)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	snprintf(out, size, "%s", s ? (const char *)s : "");
}

/* The result of a step that is an error: the transaction can only be undone now. */
static int failed(struct sqlite *s, int rc)
{
	s->failed = true;
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

/* Runs a statement to its end. */
int sqlite_finish(struct sqlite *s, sqlite3_stmt *st)
{
	int rc;

	do
		rc = sqlite3_step(st);
	while (rc == SQLITE_ROW);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : failed(s, rc);
}

/* One row: 0, none: -ENOENT. After it the columns may be read until the statement is reset. */
int sqlite_first(struct sqlite *s, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 0;
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? -ENOENT : failed(s, rc);
}

/* A write outside a transaction, or after one of it has failed, would be a commit of its own. */
static int may_write(const struct sqlite *s)
{
	return s->open && !s->failed ? 0 : -EIO;
}

/* --- opening and closing --------------------------------------------------------------------------------------------- */
int sqlite_recount(struct sqlite *s)
{
	sqlite3_stmt *st = sqlite_use(s, ST_COUNT);
	int rc;

	memset(s->count, 0, sizeof(s->count));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t state = sqlite3_column_int64(st, 0);

		if (state >= TASK_CREATED && state <= TASK_DELAYED)
			s->count[state + 1] = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : failed(s, rc);
}

static void sqlite_close(struct backend *b)
{
	struct sqlite *s = sqlite_of(b);

	if (s->open)
		sqlite_finish(s, sqlite_use(s, ST_ROLLBACK));
	if (s->reserved > s->next_id && sqlite_finish(s, sqlite_use(s, ST_BEGIN)) == 0 &&
		(ids_end(s) < 0 || sqlite_finish(s, sqlite_use(s, ST_COMMIT)) < 0))
		sqlite_finish(s, sqlite_use(s, ST_ROLLBACK));
	if (s->wal >= 0)
		close(s->wal);
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s);
}

/* --- transactions ---------------------------------------------------------------------------------------------------- */
static int sqlite_begin(struct backend *b)
{
	struct sqlite *s = sqlite_of(b);
	int r = sqlite_finish(s, sqlite_use(s, ST_BEGIN));

	s->open = r == 0;
	s->failed = false;
	return r;
}

static int sqlite_commit(struct backend *b, bool lasting)
{
	struct sqlite *s = sqlite_of(b);
	int r = s->failed ? -EIO : ids_save(s) ?: sqlite_finish(s, sqlite_use(s, ST_COMMIT));

	(void)lasting; /* the caller syncs */
	s->open = false;
	if (r == 0) {
		s->committed = s->reserved;
		return 0;
	}
	s->id_unsaved = true;
	s->reserved = s->next_id; /* what this transaction has reserved is not */
	log_error("a transaction is undone", "error=%d text=\"%s\"", -r, sqlite3_errmsg(s->db));
	if (!sqlite3_get_autocommit(s->db))
		sqlite_finish(s, sqlite_use(s, ST_ROLLBACK));
	sqlite_recount(s);
	s->failed = false;
	return r;
}

static int sqlite_sync_fd(struct backend *b)
{
	struct sqlite *s = sqlite_of(b);

	if (s->wal < 0)
		s->wal = open(sqlite3_filename_wal(sqlite3_db_filename(s->db, "main")),
			O_RDONLY | O_CLOEXEC);
	s->syncing = s->committed;
	return s->wal < 0 ? -errno : s->wal;
}

static void sqlite_synced(struct backend *b)
{
	struct sqlite *s = sqlite_of(b);

	s->durable = s->syncing;
}

/* --- tasks ----------------------------------------------------------------------------------------------------------- */
static int sqlite_insert(struct backend *b, struct task *t, int64_t max_waiting)
{
	struct sqlite *s = sqlite_of(b);
	const int64_t *n = s->count;
	sqlite3_stmt *st;
	int r = may_write(s);

	if (r < 0)
		return r;
	if (n[TASK_CREATED + 1] + n[TASK_READY + 1] + n[TASK_DELAYED + 1] >= max_waiting)
		return -ENOSPC;
	r = ids_next(s, &t->id);
	if (r < 0)
		return r;
	st = sqlite_use(s, ST_INSERT);
	sqlite3_bind_int64(st, 1, t->id);
	sqlite3_bind_int64(st, 2, t->due_ms);
	sqlite3_bind_int64(st, 3, t->since_ms);
	sqlite3_bind_int64(st, 4, t->priority);
	sqlite3_bind_int64(st, 5, t->start_ms);
	bind_text(st, 6, t->key);
	bind_text(st, 7, t->params);
	r = sqlite_finish(s, st);
	if (r < 0)
		return r;
	s->count[TASK_CREATED + 1]++;
	return 0;
}

static void row_of(sqlite3_stmt *st, struct task *t)
{
	*t = (struct task){.id = sqlite3_column_int64(st, 0),
		.state = (enum task_state)sqlite3_column_int(st, 1),
		.due_ms = sqlite3_column_int64(st, 2),
		.since_ms = sqlite3_column_int64(st, 3),
		.attempts = sqlite3_column_int64(st, 4),
		.priority = sqlite3_column_int64(st, 5),
		.start_ms = sqlite3_column_int64(st, 6)};
	text_of(st, 7, t->token, sizeof(t->token));
	text_of(st, 8, t->worker, sizeof(t->worker));
	text_of(st, 9, t->reason, sizeof(t->reason));
	text_of(st, 10, t->key, sizeof(t->key));
	text_of(st, 11, t->params, sizeof(t->params));
}

static int sqlite_load(struct backend *b, int64_t id, bool lock, struct task *t)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_LOAD);
	int r;

	(void)lock; /* the whole file is ours */
	sqlite3_bind_int64(st, 1, id);
	r = sqlite_first(s, st);
	if (r < 0)
		return r;
	row_of(st, t);
	sqlite3_reset(st);
	return 0;
}

static int sqlite_find(struct backend *b, const char *key, int64_t *id)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_FIND);
	int r;

	bind_text(st, 1, key);
	r = sqlite_first(s, st);
	if (r == 0)
		*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return r;
}

static int sqlite_store(struct backend *b, const struct task *t, enum task_state from)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_STORE);
	int r = may_write(s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, t->id);
	sqlite3_bind_int(st, 2, t->state);
	sqlite3_bind_int64(st, 3, t->due_ms);
	sqlite3_bind_int64(st, 4, t->since_ms);
	sqlite3_bind_int64(st, 5, t->attempts);
	bind_text(st, 6, t->token);
	bind_text(st, 7, t->worker);
	bind_text(st, 8, t->reason);
	r = sqlite_finish(s, st);
	if (r == 0) {
		s->count[from + 1]--;
		s->count[t->state + 1]++;
	}
	return r;
}

static int sqlite_take(struct backend *b, struct task *t)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_TAKE);
	int r = may_write(s);

	if (r < 0)
		return r;
	if (s->count[TASK_READY + 1] == 0)
		return -ENOENT;
	sqlite3_bind_int64(st, 1, t->due_ms);
	sqlite3_bind_int64(st, 2, t->since_ms);
	bind_text(st, 3, t->token);
	bind_text(st, 4, t->worker);
	r = sqlite_first(s, st);
	if (r < 0)
		return r;
	t->id = sqlite3_column_int64(st, 0);
	t->attempts = sqlite3_column_int64(st, 1);
	text_of(st, 2, t->params, sizeof(t->params));
	s->count[TASK_READY + 1]--;
	s->count[TASK_LEASED + 1]++;
	return sqlite_finish(s, st);
}

/* --- time ------------------------------------------------------------------------------------------------------------ */
static int sqlite_due(struct backend *b, enum task_state state, int64_t now, int64_t *ids, int max)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_DUE);
	int n = 0, rc = SQLITE_DONE;

	if (s->count[state + 1] == 0)
		return 0;
	sqlite3_bind_int(st, 1, state);
	sqlite3_bind_int64(st, 2, now);
	sqlite3_bind_int(st, 3, max);
	while (n < max && (rc = sqlite3_step(st)) == SQLITE_ROW)
		ids[n++] = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? n : failed(s, rc);
}

static int sqlite_next_due(struct backend *b, int64_t *at)
{
	static const enum task_state timed[] = {TASK_CREATED, TASK_LEASED, TASK_DELAYED};
	struct sqlite *s = sqlite_of(b);

	*at = INT64_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(timed); i++) {
		sqlite3_stmt *st;
		int r;

		if (s->count[timed[i] + 1] == 0)
			continue;
		st = sqlite_use(s, ST_NEXT_DUE);
		sqlite3_bind_int(st, 1, timed[i]);
		r = sqlite_first(s, st);
		if (r == 0 && sqlite3_column_type(st, 0) != SQLITE_NULL &&
			sqlite3_column_int64(st, 0) < *at)
			*at = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		if (r < 0)
			return r;
	}
	return 0;
}

static int sqlite_purge(struct backend *b, enum task_state state, int64_t until, int64_t max)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_PURGE);
	int r = may_write(s);

	if (r < 0 || s->count[state + 1] == 0)
		return r;
	sqlite3_bind_int(st, 1, state);
	sqlite3_bind_int64(st, 2, until);
	sqlite3_bind_int64(st, 3, max);
	r = sqlite_finish(s, st);
	if (r < 0)
		return r;
	s->count[state + 1] -= sqlite3_changes(s->db);
	return sqlite3_changes(s->db);
}

static int sqlite_clip_leases(struct backend *b, int64_t latest)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_CLIP);

	sqlite3_bind_int64(st, 1, latest);
	return sqlite_finish(s, st);
}

/* --- dead letters ---------------------------------------------------------------------------------------------------- */
static int sqlite_list_dead(struct backend *b, int64_t after, struct task *out, int max)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_DEAD);
	int n = 0, rc = SQLITE_DONE;

	sqlite3_bind_int64(st, 1, after);
	sqlite3_bind_int(st, 2, max);
	while (n < max && (rc = sqlite3_step(st)) == SQLITE_ROW)
		row_of(st, &out[n++]);
	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? n : failed(s, rc);
}

static int change_dead(
	struct sqlite *s, enum statement n, int64_t id, int64_t now, int64_t *changed)
{
	sqlite3_stmt *st = sqlite_use(s, n);
	int r = may_write(s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, id);
	if (n == ST_DEAD_RETRY)
		sqlite3_bind_int64(st, 2, now);
	r = sqlite_finish(s, st);
	if (r == 0)
		*changed = sqlite3_changes(s->db);
	return r;
}

static int sqlite_retry_dead(struct backend *b, int64_t id, int64_t now, int64_t *n)
{
	struct sqlite *s = sqlite_of(b);
	int r = change_dead(s, ST_DEAD_RETRY, id, now, n);

	if (r == 0) {
		s->count[TASK_DEAD + 1] -= *n;
		s->count[TASK_READY + 1] += *n;
	}
	return r;
}

static int sqlite_delete_dead(struct backend *b, int64_t id, int64_t *n)
{
	struct sqlite *s = sqlite_of(b);
	int r = change_dead(s, ST_DEAD_DELETE, id, 0, n);

	if (r == 0)
		s->count[TASK_DEAD + 1] -= *n;
	return r;
}

/* --- questions ------------------------------------------------------------------------------------------------------- */
static int sqlite_counts(struct backend *b, int64_t counts[TASK_STATES])
{
	memcpy(counts, sqlite_of(b)->count, sizeof(sqlite_of(b)->count));
	return 0;
}

static int sqlite_oldest(struct backend *b, int64_t *since_ms)
{
	struct sqlite *s = sqlite_of(b);
	sqlite3_stmt *st = sqlite_use(s, ST_OLDEST);
	int r = s->count[TASK_READY + 1] ? sqlite_first(s, st) : -ENOENT;

	if (r == 0)
		*since_ms = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return r;
}

const struct backend_ops sqlite_ops = {
	.name = "sqlite",
	.close = sqlite_close,
	.error = sqlite_error,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.sync_fd = sqlite_sync_fd,
	.synced = sqlite_synced,
	.insert = sqlite_insert,
	.load = sqlite_load,
	.find = sqlite_find,
	.store = sqlite_store,
	.take = sqlite_take,
	.due = sqlite_due,
	.next_due = sqlite_next_due,
	.purge = sqlite_purge,
	.clip_leases = sqlite_clip_leases,
	.list_dead = sqlite_list_dead,
	.retry_dead = sqlite_retry_dead,
	.delete_dead = sqlite_delete_dead,
	.counts = sqlite_counts,
	.oldest = sqlite_oldest,
	.scan_steps = sqlite_scan_steps,
};
