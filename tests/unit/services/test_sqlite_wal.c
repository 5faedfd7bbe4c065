/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash would leave is what was committed: after each commit the files are copied as they are, and the copy, opened by SQLite's own
 * VFS, has the same rows. And a commit is one write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/util.h"
#include "services/db/sqlite_wal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

#define PRAGMAS                                                                                    \
	"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"       \
	"PRAGMA wal_autocheckpoint=30; CREATE TABLE t (id INTEGER PRIMARY KEY, v, pad);"           \
	"CREATE INDEX i ON t (v, id)"

static char dir[32], path[64], copy[64];
static sqlite3 *db;
static int writes;
static bool full;

/* In the place of the VFS's own call. */
static ssize_t count_write(int fd, const void *data, size_t len, off_t at)
{
	writes++;
	if (!full)
		return pwrite(fd, data, len, at);
	errno = ENOSPC;
	return -1;
}

static int run(sqlite3 *which, const char *sql)
{
	return sqlite3_exec(which, sql, NULL, NULL, NULL);
}

static void do_(const char *sql)
{
	if (run(db, sql) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t ask(sqlite3 *which, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(which, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void copy_file(const char *from, const char *to, const char *end)
{
	char a[80], b[80], buf[4096];
	ssize_t n;
	int in, out;

	snprintf(a, sizeof(a), "%s%s", from, end);
	snprintf(b, sizeof(b), "%s%s", to, end);
	in = open(a, O_RDONLY);
	out = open(b, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

/* The files as they are now hold what the connection sees. */
static void assert_on_disk(void)
{
	static const char sum[] = "SELECT coalesce(sum(id * 31 + v), 0) + count(*) FROM t";
	sqlite3 *other;

	copy_file(path, copy, "");
	copy_file(path, copy, "-wal");
	assert_int_equal(sqlite3_open_v2(copy, &other, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
	assert_int_equal(ask(other, sum), ask(db, sum));
	assert_int_equal(ask(other,
				 "SELECT count(*) FROM pragma_integrity_check"
				 " WHERE integrity_check = 'ok'"),
		1);
	sqlite3_close(other);
}

static int setup(void **state)
{
	sqlite3_vfs *base = sqlite3_vfs_find("unix");

	(void)state;
	base->xSetSystemCall(base, "pwrite", (sqlite3_syscall_ptr)count_write);
	base->xSetSystemCall(base, "pwrite64", (sqlite3_syscall_ptr)count_write);
	strcpy(dir, "/tmp/uig-wal-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/q", dir);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	full = false;
	assert_string_not_equal(wal_vfs("unix"), "unix");
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				 wal_vfs("unix")),
		SQLITE_OK);
	do_(PRAGMAS);
	return 0;
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[80];

	(void)state;
	sqlite3_close(db);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", i % 2 ? path : copy, ends[i / 2]);
		unlink(name);
	}
	return rmdir(dir);
}

/* Over several rounds of the log: small commits, each one write but for those that begin the log anew. */
static void test_commits(void **state)
{
	char sql[200];
	int more = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(sql, sizeof(sql),
			"BEGIN; INSERT INTO t VALUES (%d, %d, 'x'); UPDATE t SET v = v + 1 WHERE id"
			" = %d; COMMIT",
			i, i % 7, i / 2);
		writes = 0;
		do_(sql);
		assert_true(writes >= 1);
		more += writes > 1;
		if (i % 5 == 0)
			assert_on_disk();
	}
	assert_true(more < 30);
	assert_on_disk();
}

/* A transaction that does not fit into the cache: pages that are written before the commit, and again; what is undone is not there. */
static void test_spilled(void **state)
{
	(void)state;
	do_("PRAGMA cache_size = 10");
	for (int i = 0; i < 3; i++) {
		do_("BEGIN; WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE "
		    "x"
		    " < 400) INSERT INTO t SELECT (SELECT coalesce(max(id), 0) FROM t) + x, x,"
		    " zeroblob(700) FROM n; UPDATE t SET v = v + 1; UPDATE t SET v = v + 1 WHERE id"
		    " % 50 = 1");
		do_(i == 1 ? "ROLLBACK" : "COMMIT");
		assert_on_disk();
		do_("UPDATE t SET v = 5 WHERE id = 3");
		assert_on_disk();
	}
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), 800);
}

/* A commit that cannot be written fails as a commit, and nothing of it is there. */
static void test_full(void **state)
{
	(void)state;
	do_("INSERT INTO t VALUES (1, 1, '')");
	for (int i = 0; i < 3; i++) {
		do_("BEGIN; INSERT INTO t VALUES (2, 2, '')");
		full = true;
		assert_int_equal(run(db, "COMMIT"), SQLITE_FULL);
		full = false;
		if (!sqlite3_get_autocommit(db))
			do_("ROLLBACK");
		assert_int_equal(ask(db, "SELECT count(*) FROM t"), 1 + i);
		assert_on_disk();
		do_("INSERT INTO t SELECT max(id) + 10, 0, '' FROM t");
		assert_on_disk();
	}
}

/* One that comes after a crash goes on where the log ends. */
static void test_reopened(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		do_("INSERT INTO t (v, pad) VALUES (1, '')");
		copy_file(path, copy, "");
		copy_file(path, copy, "-wal");
		sqlite3_close(db);
		copy_file(copy, path, "");
		copy_file(copy, path, "-wal");
		assert_int_equal(
			sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, wal_vfs("unix")), 0);
		do_("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=NORMAL");
		do_("INSERT INTO t (v, pad) VALUES (1, '')");
		do_("INSERT INTO t (v, pad) VALUES (2, '')");
		assert_on_disk();
		assert_int_equal(ask(db, "SELECT count(*) FROM t"), 3 * (i + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spilled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reopened, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
