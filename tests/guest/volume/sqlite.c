/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite with its write-ahead log, whose index is a shared mapping: two connections, many transactions, a checkpoint, a new start. */
#include "tests/guest/guest.h"

#include <sqlite3.h>

static int row(void *arg, int n, char **value, char **name)
{
	for (int i = 0; i < n; i++)
		say("  %s=%s\n", name[i], value[i] ? value[i] : "NULL");
	return 0;
}

static void sql(sqlite3 *db, const char *text)
{
	char *message = NULL;
	int rc = sqlite3_exec(db, text, row, NULL, &message);

	if (rc != SQLITE_OK)
		say("%s: %d %s\n", text, rc, message ? message : "");
	sqlite3_free(message);
}

static void transactions(sqlite3 *db, int count)
{
	for (int i = 0; i < count; i++) {
		sql(db, "BEGIN");
		for (int j = 0; j < 20; j++)
			sql(db, "INSERT INTO t(text) VALUES(hex(zeroblob(60)))");
		sql(db, i % 4 == 3 ? "ROLLBACK" : "COMMIT");
	}
}

int main(void)
{
	sqlite3 *a, *b;

	NEED(sqlite3_open("test.db", &a) == SQLITE_OK && sqlite3_open("test.db", &b) == SQLITE_OK);
	sql(a, "PRAGMA journal_mode=WAL");
	sql(a, "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)");
	transactions(a, 12);
	sql(b, "SELECT count(*) FROM t");
	transactions(b, 8);
	sql(a, "SELECT count(*) FROM t");
	sql(b, "PRAGMA wal_checkpoint(TRUNCATE)");
	transactions(a, 2);
	SHOW(sqlite3_close(a));
	sql(b, "SELECT count(*), max(id), sum(length(text)) FROM t");
	sql(b, "PRAGMA integrity_check");
	SHOW(sqlite3_close(b));
	SHOW(access("test.db-wal", F_OK));
	NEED(sqlite3_open("test.db", &a) == SQLITE_OK);
	sql(a, "SELECT count(*) FROM t");
	SHOW(sqlite3_close(a));
	return 0;
}
