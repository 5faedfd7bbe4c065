/* SPDX-License-Identifier: Apache-2.0 */
/* What only the queue in a file has: the file itself, older versions of it, its lock; and the parsers of db's requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/log.h"
#include "services/db/parse.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32], path[72];
static const struct queue_config cfg = {.lease_ms = 1000,
	.orphan_ms = 60000,
	.backoff_ms = 100,
	.backoff_max_ms = 400,
	.keep_finished_ms = 10000,
	.max_attempts = 3,
	.max_tasks = 10,
	.max_dead = 2};

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/uig-queue-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/q", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct queue *open_queue(int64_t now)
{
	struct queue *q = NULL;
	struct backend *b;
	struct err err = {0};

	if (sqlite_open(path, &b, &err) < 0 || queue_open(&cfg, b, now, &q, &err) < 0)
		fail_msg("%s", err.msg);
	return q;
}

static void test_not_a_database(void **state)
{
	struct backend *none = NULL;
	struct err err = {0};
	FILE *f = fopen(path, "w");

	for (int i = 0; i < 4096; i++)
		fputs("this is not it ", f);
	fclose(f);
	assert_int_equal(sqlite_open(path, &none, &err), -EIO);
	assert_non_null(strstr(err.msg, path));
	assert_null(none);
	assert_int_equal(sqlite_open("/nonexistent/q", &none, &err), -EIO);
}

static void make(const char *statements)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Files of the versions before are taken over with their tasks. */
static void test_older_version(void **state)
{
	struct lease l;
	struct queue *q;

	make("CREATE TABLE task (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, due INTEGER NOT "
	     "NULL,"
	     " attempts INTEGER NOT NULL DEFAULT 0, token TEXT, worker TEXT, reason TEXT,"
	     " created INTEGER NOT NULL);"
	     "INSERT INTO task (id, state, due, created) VALUES (7, 0, 0, 40);"
	     "PRAGMA user_version = 1;");
	q = open_queue(0);
	assert_int_equal(queue_oldest_ms(q, 100), 60);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_lease(q, "w", 100, &l), 0);
	assert_int_equal(l.id, 7);
	assert_string_equal(l.params, "");
	assert_int_equal(queue_commit(q), 0);
	queue_close(q);
	q = open_queue(200);
	assert_int_equal(queue_count(q, TASK_LEASED), 1);
	queue_close(q);
}

static void test_newer_version(void **state)
{
	struct backend *none = NULL;
	struct err err = {0};

	make("CREATE TABLE task (x); PRAGMA user_version = 99;");
	assert_int_equal(sqlite_open(path, &none, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "newer"));
}

/* The log's index is in memory: no file that would have to be mapped and shared. */
static void test_no_shared_memory(void **state)
{
	struct queue *q = open_queue(0);
	enum task_state created;
	struct stat st;
	char name[80];
	int64_t id;

	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, NULL, 0, &id, &created), 0);
	assert_int_equal(queue_commit(q), 0);
	snprintf(name, sizeof(name), "%s-wal", path);
	assert_int_equal(stat(name, &st), 0);
	assert_true(st.st_size > 0);
	snprintf(name, sizeof(name), "%s-shm", path);
	assert_int_equal(stat(name, &st), -1);
	queue_close(q);
}

static int64_t create(struct queue *q)
{
	enum task_state created;
	int64_t id;

	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, NULL, 0, &id, &created), 0);
	assert_int_equal(queue_commit(q), 0);
	return id;
}

static void copy(const char *suffix)
{
	char from[80], to[80], buf[4096];
	FILE *in, *out;
	size_t n;

	snprintf(from, sizeof(from), "%s%s", path, suffix);
	snprintf(to, sizeof(to), "%s.copy%s", path, suffix);
	in = fopen(from, "r");
	out = fopen(to, "w");
	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		assert_int_equal(fwrite(buf, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* The id that comes after a kill -9 at this moment: of the process alone, or of the machine, which may forget all that was not synced. */
static int64_t next_after_kill(bool machine)
{
	char whole[72];
	struct queue *q;
	int64_t id;

	copy("");
	copy("-wal");
	strcpy(whole, path);
	strcat(path, ".copy");
	if (machine)
		make("UPDATE meta SET value = value + 1 WHERE name = 'boot';"
		     "UPDATE meta SET value = 0 WHERE name = 'next_id'; DELETE FROM task;");
	q = open_queue(0);
	id = create(q);
	queue_close(q);
	unlink(path);
	strcpy(path, whole);
	return id;
}

/* What has been told is never told again; where it is known that nothing was told, there is no gap. */
static void test_ids(void **state)
{
	struct queue *q = open_queue(0);

	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(create(q), i);
	assert_int_equal(next_after_kill(false), 3);
	assert_int_equal(next_after_kill(true), 100);
	queue_close(q);
	make("UPDATE meta SET value = value + 1 WHERE name = 'boot'");
	q = open_queue(0);
	assert_int_equal(create(q), 3);
	assert_true(queue_unsynced(q));
	assert_int_equal(next_after_kill(true), 103);
	queue_close(q);
}

/* No number of a reservation is told before that is on the disk, and a sync that had begun before it does not count. */
static void test_ids_and_syncs(void **state)
{
	struct queue *q = open_queue(0);

	create(q);
	queue_close(q);
	make("UPDATE meta SET value = 98 WHERE name = 'next_id';"
	     "UPDATE meta SET value = 100 WHERE name = 'reserved'");
	q = open_queue(0);
	assert_int_equal(create(q), 98);
	assert_true(queue_unsynced(q)); /* whose reservation may not have been synced before */
	assert_true(queue_sync_fd(q) >= 0);
	queue_synced(q);
	assert_int_equal(create(q), 99);
	assert_false(queue_unsynced(q));
	assert_true(queue_sync_fd(q) >= 0);
	assert_int_equal(create(q), 100);
	assert_true(queue_unsynced(q)); /* the next reservation */
	queue_synced(q);
	assert_int_equal(create(q), 101);
	assert_true(queue_unsynced(q));
	assert_true(queue_sync_fd(q) >= 0);
	queue_synced(q);
	assert_int_equal(create(q), 102);
	assert_false(queue_unsynced(q));
	queue_close(q);
}

/* What clients rely on is said to need a sync, and nothing else is. */
static void test_what_lasts(void **state)
{
	enum task_state created;
	struct lease l;
	struct queue *q = open_queue(0);
	struct task t;
	int64_t id;

	create(q);
	queue_must_last(q);
	queue_unsynced(q);
	assert_true(queue_sync_fd(q) >= 0);
	queue_synced(q);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, NULL, 0, &id, &created), 0);
	assert_false(queue_must_last(q));
	assert_int_equal(queue_commit(q), 0);
	assert_false(queue_unsynced(q));
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_ready(q, 0, 0), 0);
	assert_true(queue_must_last(q));
	assert_int_equal(queue_commit(q), 0);
	assert_true(queue_unsynced(q));
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_lease(q, "w", 0, &l), 0);
	assert_int_equal(queue_renew(q, 0, l.token, 0, &l), 0);
	assert_int_equal(queue_get(q, 0, &t), 0);
	assert_false(queue_must_last(q));
	assert_int_equal(queue_commit(q), 0);
	assert_false(queue_unsynced(q));
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_finish(q, 0, l.token, 0), 0);
	assert_int_equal(queue_commit(q), 0);
	assert_true(queue_unsynced(q));
	/* Nor may it be read before. */
	assert_int_equal(queue_get(q, 0, &t), 0);
	assert_true(queue_must_last(q));
	assert_false(queue_unsynced(q));
	queue_close(q);
}

static void test_urls(void **state)
{
	static const char *const bad[] = {"", "sqlite", "mysql://x", "/tmp/q", "postgresql:x"};
	struct backend *none = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			backend_open(bad[i], (struct backend_watch){0}, &none, &err), -EINVAL);
	assert_null(none);
}

static void test_parse_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1a", "0x1", "1234567890123456789", "1,"};
	int64_t n, ids[3];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(parse_id(bad[i], &n));
		assert_int_equal(parse_number(bad[i], 0, 9, &n), -EINVAL);
		assert_int_equal(parse_ids(bad[i], ids, 3), -EINVAL);
	}
	assert_true(parse_id("999999999999999999", &n));
	assert_int_equal(n, INT64_C(999999999999999999));
	assert_int_equal(parse_number("10", 0, 9, &n), -EINVAL);
	assert_int_equal(parse_number("9", 0, 9, &n), 0);
	assert_int_equal(parse_ids("7", ids, 3), 1);
	assert_int_equal(parse_ids("1,22,333", ids, 3), 3);
	assert_int_equal(ids[2], 333);
	assert_int_equal(parse_ids("1,2,3,4", ids, 3), -EINVAL);
	assert_int_equal(parse_ids("1,,3", ids, 3), -EINVAL);
	assert_int_equal(parse_ids(",1", ids, 3), -EINVAL);
}

static void test_parse_wish(void **state)
{
	char text[PARAMS_BYTES + 1], out[8];
	struct err err;
	struct wish w;

	assert_int_equal(parse_wish(NULL, NULL, NULL, NULL, &w, &err), 0);
	assert_int_equal(parse_wish("9", "60000", "a:b-1._", "op=blur&radius=3", &w, &err), 0);
	assert_int_equal(w.priority, 9);
	assert_int_equal(w.delay_ms, 60000);
	assert_int_equal(parse_wish("10", NULL, NULL, NULL, &w, &err), -EINVAL);
	assert_int_equal(parse_wish("-1", NULL, NULL, NULL, &w, &err), -EINVAL);
	assert_int_equal(parse_wish(NULL, "99999999999999", NULL, NULL, &w, &err), -EINVAL);
	assert_int_equal(parse_wish(NULL, NULL, "", NULL, &w, &err), -EINVAL);
	assert_int_equal(parse_wish(NULL, NULL, "a b", NULL, &w, &err), -EINVAL);
	assert_int_equal(parse_wish(NULL, NULL, NULL, "a;b", &w, &err), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[PARAMS_BYTES] = '\0';
	assert_int_equal(parse_wish(NULL, NULL, NULL, text, &w, &err), -EINVAL);
	assert_int_equal(parse_wish(NULL, NULL, text, NULL, &w, &err), -EINVAL);
	text[PARAMS_BYTES - 1] = '\0';
	assert_int_equal(parse_wish(NULL, NULL, NULL, text, &w, &err), 0);
	parse_text("a\tb\xff\x7f"
		   "cdefgh",
		out, sizeof(out));
	assert_string_equal(out, "a?b??cd");
	parse_text(NULL, out, sizeof(out));
	assert_string_equal(out, "");
	assert_true(plain_name("w-1._x"));
	assert_false(plain_name(""));
	assert_false(plain_name("a:b"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_a_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_shared_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids_and_syncs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_lasts, setup, teardown),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_parse_numbers),
		cmocka_unit_test(test_parse_wish),
	};

	log_init("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
