/* SPDX-License-Identifier: Apache-2.0 */
#include "services/db/sqlite_impl.h"
#include "services/db/sqlite_wal.h"

#include <errno.h>
#include <string.h>

#define HEAP_LIMIT     (16 * MIB)
#define SCHEMA_VERSION 3
#define OPEN_WAIT_MS   5000 /* for the lock of one that was killed and is not quite gone */

/* steps[n] makes a file of version n + 1 of one of version n, so that any file becomes the newest. */
static const char *const steps[SCHEMA_VERSION] = {
	"CREATE TABLE task (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, due INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL DEFAULT 0, token TEXT, worker TEXT, reason TEXT,"
	" created INTEGER NOT NULL);",
	"ALTER TABLE task ADD COLUMN params TEXT;",
	"CREATE INDEX IF NOT EXISTS task_due ON task (state, due, id);"
	"CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"ALTER TABLE task ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE task ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE task ADD COLUMN start INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE task ADD COLUMN key TEXT;"
	"UPDATE task SET since = created;"
	"CREATE UNIQUE INDEX task_key ON task (key) WHERE key IS NOT NULL;"
	"CREATE INDEX task_ready ON task (since) WHERE state = 0;",
};

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
static int make_schema(sqlite3 *db)
{
	int version = 0, rc = version_of(db, &version);

	if (rc != SQLITE_OK || version == SCHEMA_VERSION)
		return rc;
	if (version > SCHEMA_VERSION)
		return SQLITE_SCHEMA;
	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (; rc == SQLITE_OK && version < SCHEMA_VERSION; version++)
		rc = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA user_version = 3; COMMIT", NULL, NULL, NULL);
	return rc;
}

static int set_up(struct sqlite *s, const char *path, const char *vfs)
{
	static const char pragmas[] =
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
		"PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
		"PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=4194304;";
	int rc = sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, wal_vfs(vfs));

	sqlite3_busy_timeout(s->db, OPEN_WAIT_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, pragmas, NULL, NULL, NULL);
	return rc == SQLITE_OK ? make_schema(s->db) : rc;
}

/* A system without file locks still has only this one process. */
static int open_file(struct sqlite *s, const char *path)
{
	int rc = set_up(s, path, "unix"), why = sqlite3_extended_errcode(s->db);

	if (rc == SQLITE_IOERR && (why == SQLITE_IOERR_LOCK || why == SQLITE_IOERR_RDLOCK)) {
		sqlite3_close(s->db);
		rc = set_up(s, path, "unix-none");
	}
	return rc;
}

int sqlite_open(const char *path, struct backend **out, struct err *err)
{
	struct sqlite *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	s->b.ops = &sqlite_ops;
	s->wal = -1;
	sqlite3_hard_heap_limit64(HEAP_LIMIT);
	rc = open_file(s, path);
	if (rc == SQLITE_OK)
		rc = sqlite_prepare(s);
	if (rc == SQLITE_OK && ids_load(s) == 0 && sqlite_recount(s) == 0) {
		*out = &s->b;
		return 0;
	}
	if (rc == SQLITE_SCHEMA)
		rc = err_set(err, ENOTSUP, "%s was written by a newer version", path);
	else
		rc = err_set(err, EIO, "cannot open the queue %s: %s", path,
			rc == SQLITE_BUSY ? "another program has it open" : sqlite3_errmsg(s->db));
	s->b.ops->close(&s->b);
	return rc;
}
