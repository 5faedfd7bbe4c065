/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state/db.h"

#include "lib/log.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_VERSION "1" /* PRAGMA user_version; another one is a file of another manager */

#define TABLES (STATE_COUNTER + 1)

#define READ_BYTES 4096

struct statements {
	sqlite3_stmt *put, *delete, *each;
};

struct state_db {
	sqlite3 *sqlite;
	int wal_pages; /* that the journal has, after the last write */
	struct statements of[TABLES];
};

static const char schema[] =
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = NORMAL;"
	"PRAGMA user_version = " STATE_VERSION ";"
	"CREATE TABLE IF NOT EXISTS instance ("
	"  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS app ("
	"  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS fn ("
	"  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS operation ("
	"  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS counter ("
	"  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;";

/* Of each table, in the order of struct statements. */
#define SQL(table)                                                                                 \
	{                                                                                          \
		"INSERT INTO " table "(id, record) VALUES (?1, ?2)"                                \
		" ON CONFLICT(id) DO UPDATE SET record = excluded.record",                         \
			"DELETE FROM " table " WHERE id = ?1",                                     \
			"SELECT id, record FROM " table " ORDER BY seq"                            \
	}
static const char *const statement_of[TABLES][3] = {[STATE_INSTANCE] = SQL("instance"),
	[STATE_APP] = SQL("app"),
	[STATE_FN] = SQL("fn"),
	[STATE_OPERATION] = SQL("operation"),
	[STATE_COUNTER] = SQL("counter")};

static int fail(struct state_db *db, const char *what, struct err *err)
{
	return err_set(
		err, EIO, "cannot %s the state database: %s", what, sqlite3_errmsg(db->sqlite));
}

static int read_version(void *arg, int columns, char **values, char **names)
{
	bool *ours = arg;

	(void)names;
	*ours = columns == 1 && values[0] &&
		(strcmp(values[0], STATE_VERSION) == 0 || strcmp(values[0], "0") == 0);
	return 0;
}

static int note_wal(void *arg, sqlite3 *sqlite, const char *name, int pages)
{
	struct state_db *db = arg;

	(void)sqlite;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static int prepare(struct state_db *db, const char *sql, sqlite3_stmt **out)
{
	return sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

/* SQLITE_OK, or why this file is of no use. */
static int open_file(struct state_db *db, const char *path)
{
	bool ours = false;
	int r = sqlite3_open_v2(path, &db->sqlite,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(db->sqlite, "PRAGMA user_version", read_version, &ours, NULL);
	if (r == SQLITE_OK && !ours)
		r = SQLITE_MISMATCH;
	if (r == SQLITE_OK)
		r = sqlite3_exec(db->sqlite, schema, NULL, NULL, NULL);
	if (r == SQLITE_OK)
		sqlite3_wal_hook(db->sqlite, note_wal, db); /* in the place of SQLite's own */
	for (int t = 0; t < TABLES && r == SQLITE_OK; t++) {
		r = prepare(db, statement_of[t][0], &db->of[t].put);
		r = r == SQLITE_OK ? prepare(db, statement_of[t][1], &db->of[t].delete) : r;
		r = r == SQLITE_OK ? prepare(db, statement_of[t][2], &db->of[t].each) : r;
	}
	return r;
}

static void close_file(struct state_db *db)
{
	for (int t = 0; t < TABLES; t++) {
		sqlite3_finalize(db->of[t].put);
		sqlite3_finalize(db->of[t].delete);
		sqlite3_finalize(db->of[t].each);
	}
	sqlite3_close(db->sqlite);
	*db = (struct state_db){0};
}

static bool is_unusable(int r)
{
	return r == SQLITE_CORRUPT || r == SQLITE_NOTADB || r == SQLITE_MISMATCH;
}

/* 0 or -errno: whether all its bytes can be had. */
static int read_through(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char piece[READ_BYTES];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		;
	return n < 0 ? -errno : 0;
}

/*
 * SQLite takes a disk that fails (EIO) for a file that is malformed, and with the file all VMs would go. So what can not be read says
 * nothing, and what can be read is tried once more. An SQLite code; -errno with err: it can not be read.
 */
static int open_again(struct state_db *db, const char *path, struct err *err)
{
	char journal[4200];
	int r;

	close_file(db);
	snprintf(journal, sizeof(journal), "%s-wal", path);
	r = read_through(path);
	r = r < 0 ? r : read_through(journal);
	return r < 0 ? err_sys(err, -r, "cannot read %s", path) : open_file(db, path);
}

/* With its journal, which belongs to this file only. */
static int put_aside(const char *path)
{
	char from[4200], to[4200];

	snprintf(to, sizeof(to), "%s.unusable", path);
	if (rename(path, to) < 0)
		return -errno;
	snprintf(from, sizeof(from), "%s-wal", path);
	unlink(from);
	snprintf(from, sizeof(from), "%s-shm", path);
	unlink(from);
	return 0;
}

/* Environments may hold secrets. SQLite gives its journal the mode of the file. */
static void make_private(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && fchmod(fd, 0600) < 0)
		log_warn("cannot make a file private", "path=%s error=%d", path, errno);
}

int state_db_open(const char *state_dir, struct state_db **out, struct err *err)
{
	struct state_db *db = calloc(1, sizeof(*db));
	char path[4096];
	int r;

	if (!db)
		return err_sys(err, ENOMEM, "state database");
	snprintf(path, sizeof(path), "%s/state.db", state_dir);
	make_private(path);
	r = open_file(db, path);
	if (is_unusable(r)) {
		r = open_again(db, path, err);
		if (r < 0) {
			state_db_close(db);
			return r;
		}
	}
	if (is_unusable(r)) {
		log_error("the state database can not be used and is put aside",
			"path=%s error=\"%s\"", path, sqlite3_errstr(r));
		close_file(db);
		r = put_aside(path) < 0 ? SQLITE_CANTOPEN : SQLITE_OK;
		make_private(path);
		r = r == SQLITE_OK ? open_file(db, path) : r;
	}
	if (r != SQLITE_OK) {
		err_set(err, EIO, "cannot open %s: %s", path, sqlite3_errstr(r));
		state_db_close(db);
		return -EIO;
	}
	*out = db;
	return 0;
}

void state_db_close(struct state_db *db)
{
	if (!db)
		return;
	close_file(db);
	free(db);
}

static int run(struct state_db *db, sqlite3_stmt *statement, const char *what, struct err *err)
{
	int r = sqlite3_step(statement);

	if (r != SQLITE_DONE)
		r = fail(db, what, err);
	else
		r = 0;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return r;
}

int state_db_put(struct state_db *db, enum state_table table, const char *id, const char *record,
	struct err *err)
{
	sqlite3_stmt *put = db->of[table].put;

	sqlite3_bind_text(put, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 2, record, -1, SQLITE_STATIC);
	return run(db, put, "write to", err);
}

int state_db_delete(struct state_db *db, enum state_table table, const char *id, struct err *err)
{
	sqlite3_stmt *delete = db->of[table].delete;

	sqlite3_bind_text(delete, 1, id, -1, SQLITE_STATIC);
	return run(db, delete, "delete from", err);
}

int state_db_each(
	struct state_db *db, enum state_table table, state_db_fn *fn, void *arg, struct err *err)
{
	sqlite3_stmt *each = db->of[table].each;
	int r = 0, step;

	while ((step = sqlite3_step(each)) == SQLITE_ROW && r >= 0) {
		r = fn(arg, (const char *)sqlite3_column_text(each, 0),
			(const char *)sqlite3_column_text(each, 1),
			(size_t)sqlite3_column_bytes(each, 1));
	}
	if (r >= 0 && step != SQLITE_DONE && step != SQLITE_ROW)
		r = fail(db, "read", err);
	sqlite3_reset(each);
	return r;
}

int state_db_journal_pages(const struct state_db *db)
{
	return db->wal_pages;
}

int state_db_checkpoint(struct state_db *db, struct err *err)
{
	if (sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) !=
		SQLITE_OK)
		return fail(db, "take the journal over into", err);
	db->wal_pages = 0;
	return 0;
}
