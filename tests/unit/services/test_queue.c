/* SPDX-License-Identifier: Apache-2.0 */
/* The queue with a clock of its own: no waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/db/queue.h"

#include <errno.h>
#include <sqlite3.h>

static char dir[32], path[64];
static struct queue *q;
static struct queue_config cfg;
static const struct task_spec plain;

static void reopen(int64_t now)
{
	struct err err = {0};

	queue_close(q);
	q = NULL;
	if (queue_open(&cfg, now, &q, &err) < 0)
		fail_msg("%s", err.msg);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/uig-queue-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/q", dir);
	cfg = (struct queue_config){.path = path,
		.lease_ms = 1000,
		.orphan_ms = 60000,
		.backoff_ms = 100,
		.backoff_max_ms = 400,
		.keep_finished_ms = 10000,
		.max_attempts = 3,
		.max_tasks = 10,
		.max_dead = 2};
	reopen(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	queue_close(q);
	q = NULL;
	unlink(path);
	return rmdir(dir); /* the log must be gone as well */
}

static int64_t create(int64_t now, bool ready)
{
	int64_t id;

	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, &plain, now, &id), 0);
	if (ready)
		assert_int_equal(queue_ready(q, id, now), 0);
	assert_int_equal(queue_commit(q), 0);
	return id;
}

static int lease(int64_t now, struct lease *l)
{
	int r;

	assert_int_equal(queue_begin(q), 0);
	r = queue_lease(q, "w", now, l);
	assert_int_equal(queue_commit(q), 0);
	return r;
}

static void expire(int64_t now)
{
	bool changed;

	assert_int_equal(queue_expire(q, now, &changed), 0);
	assert_int_equal(queue_commit(q), 0);
}

static enum task_state state_of(int64_t id)
{
	struct task t;

	assert_int_equal(queue_get(q, id, &t), 0);
	return t.state;
}

static void test_order(void **state)
{
	struct lease l;

	assert_int_equal(create(0, false), 0);
	assert_int_equal(create(0, true), 1);
	assert_int_equal(create(0, true), 2);
	assert_int_equal(lease(1, &l), 0);
	assert_int_equal(l.id, 1);
	assert_int_equal(l.attempt, 1);
	assert_int_equal(l.expires_ms, 1001);
	assert_int_equal(strlen(l.token), 32);
	queue_begin(q);
	assert_int_equal(queue_ready(q, 0, 1), 0);
	queue_commit(q);
	assert_int_equal(lease(1, &l), 0);
	assert_int_equal(l.id, 0); /* the lowest id, whenever it got ready */
	assert_int_equal(lease(1, &l), 0);
	assert_int_equal(lease(1, &l), -ENOENT);
}

static void test_back_off_and_death(void **state)
{
	struct lease l;
	struct task dead[4];
	int64_t now = 0, id = create(0, true), n;

	for (int attempt = 1; attempt <= 3; attempt++) {
		struct task t;

		assert_int_equal(lease(now, &l), 0);
		assert_int_equal(l.attempt, attempt);
		queue_begin(q);
		assert_int_equal(queue_fail(q, id, l.token, "broken", false, now), 0);
		queue_commit(q);
		assert_int_equal(queue_get(q, id, &t), 0);
		if (attempt == 3) {
			assert_int_equal(t.state, TASK_DEAD);
			break;
		}
		/* 100, 200, of which at most half is left to chance */
		assert_int_equal(t.state, TASK_DELAYED);
		assert_in_range(t.due_ms - now, 50 * attempt, 100 * attempt);
		assert_int_equal(queue_next_due(q), t.due_ms);
		expire(t.due_ms - 1);
		assert_int_equal(state_of(id), TASK_DELAYED);
		expire(t.due_ms);
		assert_int_equal(state_of(id), TASK_READY);
		now = t.due_ms;
	}
	assert_int_equal(queue_dead(q, -1, dead, 4), 1);
	assert_string_equal(dead[0].reason, "broken");
	assert_string_equal(dead[0].worker, "w");
	assert_int_equal(dead[0].attempts, 3);
	queue_begin(q);
	assert_int_equal(queue_dead_retry(q, 77, &n), -ENOENT);
	assert_int_equal(queue_dead_retry(q, id, &n), 0);
	queue_commit(q);
	assert_int_equal(queue_count(q, TASK_DEAD), 0);
	assert_int_equal(lease(now, &l), 0);
	assert_int_equal(l.attempt, 1);
}

static void test_lease_runs_out(void **state)
{
	struct lease a, b, r;
	int64_t id = create(0, true);

	assert_int_equal(lease(0, &a), 0);
	assert_int_equal(queue_next_due(q), 1000);
	queue_begin(q);
	assert_int_equal(queue_renew(q, id, a.token, 600, &r), 0);
	assert_int_equal(r.expires_ms, 1600);
	assert_string_equal(r.token, a.token);
	queue_commit(q);
	expire(1599);
	assert_int_equal(state_of(id), TASK_LEASED);
	queue_begin(q);
	assert_int_equal(queue_finish(q, id, a.token, 1600),
		-ESTALE); /* too late, even before it was collected */
	queue_commit(q);
	expire(1600);
	assert_int_equal(state_of(id), TASK_DELAYED);
	expire(1700);
	assert_int_equal(lease(1700, &b), 0);
	assert_string_not_equal(a.token, b.token);
	queue_begin(q);
	assert_int_equal(queue_finish(q, id, a.token, 1701), -ESTALE);
	assert_int_equal(queue_renew(q, id, a.token, 1701, &r), -ESTALE);
	assert_int_equal(queue_finish(q, id, b.token, 1701), 0);
	assert_int_equal(queue_finish(q, id, b.token, 1702), 0);
	assert_int_equal(queue_finish(q, id, NULL, 1702), -ESTALE);
	assert_int_equal(queue_finish(q, 99, NULL, 1702), -ENOENT);
	queue_commit(q);
}

static void test_durable(void **state)
{
	struct lease l;
	int64_t id;

	create(0, true);
	create(0, true);
	lease(0, &l);
	reopen(100);
	assert_int_equal(queue_count(q, TASK_LEASED), 1);
	assert_int_equal(queue_count(q, TASK_READY), 1);
	queue_begin(q);
	assert_int_equal(queue_finish(q, l.id, l.token, 200), 0);
	/* Not committed: gone with the next opening. */
	assert_int_equal(queue_create(q, &plain, 200, &id), 0);
	assert_int_equal(id, 2);
	reopen(300);
	assert_int_equal(state_of(l.id), TASK_LEASED);
	assert_int_equal(create(300, false), 2);
}

/* A clock that was far ahead before the restart must not lock a task for ever. */
static void test_clock_goes_back(void **state)
{
	struct lease l;
	int64_t id = create(1000000, true);

	lease(1000000, &l);
	reopen(50);
	assert_int_equal(queue_next_due(q), 1050);
	expire(1050);
	assert_int_equal(state_of(id), TASK_DELAYED);
}

static void test_ids_never_repeat(void **state)
{
	bool changed;

	create(0, false);
	create(0, false);
	assert_int_equal(queue_expire(q, 60000, &changed), 0); /* both are orphans */
	assert_int_equal(queue_commit(q), 0);
	assert_true(changed);
	assert_int_equal(queue_count(q, TASK_CREATED), 0);
	reopen(60001);
	assert_int_equal(create(60001, false), 2);
}

static void test_limits(void **state)
{
	struct lease l;
	int64_t id;

	for (int i = 0; i < 10; i++)
		create(0, true);
	queue_begin(q);
	assert_int_equal(queue_create(q, &plain, 0, &id), -ENOSPC);
	queue_commit(q);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(lease(0, &l), 0);
		queue_begin(q);
		assert_int_equal(queue_finish(q, l.id, l.token, 0), 0);
		queue_commit(q);
	}
	/* Finished ones make room, and old ones go: two with each new one. */
	create(10000, false);
	assert_int_equal(queue_count(q, TASK_FINISHED), 8);
	assert_int_equal(queue_get(q, 0, &(struct task){0}), -ENOENT);
}

static void test_dead_are_bounded(void **state)
{
	struct task dead[4];
	struct lease l;

	cfg.max_attempts = 1;
	reopen(0);
	for (int i = 0; i < 4; i++) {
		create(i, true);
		assert_int_equal(lease(i, &l), 0);
		queue_begin(q);
		assert_int_equal(queue_fail(q, l.id, NULL, "x", false, i), 0);
		queue_commit(q);
	}
	assert_int_equal(queue_dead(q, -1, dead, 4), 2);
	assert_int_equal(dead[0].id, 2);
	assert_int_equal(dead[1].id, 3);
	assert_int_equal(queue_dead(q, 2, dead, 4), 1);
}

static void test_not_a_database(void **state)
{
	struct queue *none = NULL;
	struct err err = {0};
	FILE *f;

	queue_close(q);
	q = NULL;
	f = fopen(path, "w");
	for (int i = 0; i < 4096; i++)
		fputs("this is not it ", f);
	fclose(f);
	assert_int_equal(queue_open(&cfg, 0, &none, &err), -EIO);
	assert_non_null(strstr(err.msg, path));
	assert_null(none);
	cfg.path = "/nonexistent/q";
	assert_int_equal(queue_open(&cfg, 0, &none, &err), -EIO);
}

/* What is to be done stays with a task through leases and restarts; a final failure uses no other attempt. */
static void test_params(void **state)
{
	const struct task_spec spec = {.params = "op=blur&radius=3"};
	struct lease l;
	struct task t;
	int64_t id;

	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, &spec, 0, &id), 0);
	assert_int_equal(queue_ready(q, id, 0), 0);
	assert_int_equal(queue_commit(q), 0);
	reopen(1);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_lease(q, "w", 1, &l), 0);
	assert_string_equal(l.params, spec.params);
	assert_int_equal(queue_renew(q, id, l.token, 2, &l), 0);
	assert_string_equal(l.params, spec.params);
	assert_int_equal(queue_fail(q, id, l.token, "no picture", true, 3), 0);
	assert_int_equal(queue_commit(q), 0);
	assert_int_equal(queue_dead(q, -1, &t, 1), 1);
	assert_int_equal(t.attempts, 1);
	assert_string_equal(t.params, spec.params);
	assert_string_equal(t.reason, "no picture");
	assert_int_equal(queue_get(q, create(5, true), &t), 0);
	assert_string_equal(t.params, "");
}

/* A file of the first version is taken over with its tasks. */
static void test_first_version(void **state)
{
	sqlite3 *db;
	struct lease l;

	queue_close(q);
	q = NULL;
	unlink(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			"CREATE TABLE task (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, due "
			"INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, token TEXT, worker "
			"TEXT, reason TEXT, created INTEGER NOT NULL);"
			"INSERT INTO task (id, state, due, created) VALUES (7, 0, 0, 0);"
			"PRAGMA user_version = 1;",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	reopen(0);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_lease(q, "w", 1, &l), 0);
	assert_int_equal(l.id, 7);
	assert_string_equal(l.params, "");
	assert_int_equal(queue_commit(q), 0);
	reopen(2);
	assert_int_equal(queue_count(q, TASK_LEASED), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_back_off_and_death, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lease_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_durable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids_never_repeat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_params, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_version, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
