/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every queue does, whatever it is kept in, with a clock of its own: no waiting. Without an argument in a file of SQLite; with
 * QUEUE_URL=postgresql://... in that database, whose tables named micro_* are dropped before each test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/log.h"
#include "services/db/queue.h"

#include <errno.h>

static char dir[32], url[200];
static struct queue *q;
static struct queue_config cfg;

#ifdef WITH_POSTGRES
#include <libpq-fe.h>

static void forget_tables(const char *conninfo)
{
	PGconn *c = PQconnectdb(conninfo);
	PGresult *r = PQexec(c,
		"SET client_min_messages = warning; DROP TABLE IF EXISTS micro_task, micro_count;"
		"DROP SEQUENCE IF EXISTS micro_task_id");

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s", PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
}
#else
static void forget_tables(const char *conninfo)
{
	fail_msg("no PostgreSQL in this build: %s", conninfo);
}
#endif

static struct queue *open_queue(int64_t now)
{
	struct queue *opened = NULL;
	struct backend *b;
	struct err err = {0};

	if (backend_open(url, (struct backend_watch){0}, &b, &err) < 0 ||
		queue_open(&cfg, b, now, &opened, &err) < 0)
		fail_msg("%s", err.msg);
	return opened;
}

static void reopen(int64_t now)
{
	queue_close(q);
	q = NULL;
	q = open_queue(now);
}

static int setup(void **state)
{
	const char *given = getenv("QUEUE_URL");

	(void)state;
	if (given) {
		snprintf(url, sizeof(url), "%s", given);
		forget_tables(url);
	} else {
		strcpy(dir, "/tmp/uig-queue-XXXXXX");
		assert_non_null(mkdtemp(dir));
		snprintf(url, sizeof(url), "sqlite:%s/q", dir);
	}
	cfg = (struct queue_config){.lease_ms = 1000,
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
	if (getenv("QUEUE_URL"))
		return 0;
	unlink(strchr(url, ':') + 1);
	return rmdir(dir); /* the log must be gone as well */
}

static int64_t create_as(const struct wish *wish, int64_t now, bool ready)
{
	enum task_state state;
	int64_t id;

	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, wish, now, &id, &state), 0);
	if (ready)
		assert_int_equal(queue_ready(q, id, now), 0);
	assert_int_equal(queue_commit(q), 0);
	return id;
}

static int64_t create(int64_t now, bool ready)
{
	return create_as(NULL, now, ready);
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
	assert_int_equal(queue_expire(q, now), 0);
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
		assert_true(queue_next_due(q) <= t.due_ms);
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
	assert_int_equal(queue_dead_retry(q, 77, now, &n), -ENOENT);
	assert_int_equal(queue_dead_retry(q, id, now, &n), 0);
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
	assert_true(queue_next_due(q) <= 1000);
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
	enum task_state created;
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
	assert_int_equal(queue_create(q, NULL, 200, &id, &created), 0);
	assert_int_equal(id, 2);
	reopen(300);
	assert_int_equal(state_of(l.id), TASK_LEASED);
	assert_int_equal(queue_count(q, TASK_LEASED), 1);
	assert_int_equal(queue_count(q, TASK_CREATED), 0);
	assert_true(create(300, false) >= 2); /* PostgreSQL leaves a gap */
}

/* A clock that was far ahead before the restart must not lock a task for ever. */
static void test_clock_goes_back(void **state)
{
	struct lease l;
	int64_t id = create(1000000, true);

	lease(1000000, &l);
	reopen(50);
	assert_true(queue_next_due(q) <= 1050);
	expire(1050);
	assert_int_equal(state_of(id), TASK_DELAYED);
}

static void test_ids_never_repeat(void **state)
{
	create(0, false);
	create(0, false);
	expire(60000); /* both are orphans */
	assert_int_equal(queue_count(q, TASK_CREATED), 0);
	reopen(60001);
	assert_int_equal(create(60001, false), 2);
}

static void test_limits(void **state)
{
	struct lease l;
	enum task_state created;
	int64_t id;

	for (int i = 0; i < 10; i++)
		create(0, true);
	queue_begin(q);
	assert_int_equal(queue_create(q, NULL, 0, &id, &created), -ENOSPC);
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

/* High ones first, of the same priority the lowest id; it survives failures. */
static void test_priority(void **state)
{
	static const int64_t order[] = {2, 3, 0, 1};
	struct lease l;
	struct task t;

	create(0, true);
	create(0, true);
	create_as(&(struct wish){.priority = 9}, 0, true);
	create_as(&(struct wish){.priority = 5}, 0, true);
	assert_int_equal(lease(1, &l), 0);
	assert_int_equal(l.id, 2);
	queue_begin(q);
	assert_int_equal(queue_fail(q, 2, l.token, "again", false, 1), 0);
	queue_commit(q);
	expire(1000);
	assert_int_equal(queue_get(q, 2, &t), 0);
	assert_int_equal(t.priority, 9);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(lease(1000, &l), 0);
		assert_int_equal(l.id, order[i]);
	}
}

static void test_delay(void **state)
{
	struct lease l;
	int64_t id = create_as(&(struct wish){.delay_ms = 500}, 100, true);

	assert_int_equal(state_of(id), TASK_DELAYED);
	assert_int_equal(lease(599, &l), -ENOENT);
	assert_true(queue_next_due(q) <= 600);
	expire(599);
	assert_int_equal(state_of(id), TASK_DELAYED);
	expire(600);
	assert_int_equal(lease(600, &l), 0);
	assert_int_equal(l.id, id);
	/* The picture came later than the delay was long. */
	id = create_as(&(struct wish){.delay_ms = 500}, 1000, false);
	queue_begin(q);
	assert_int_equal(queue_ready(q, id, 2000), 0);
	queue_commit(q);
	assert_int_equal(state_of(id), TASK_READY);
}

static void test_key(void **state)
{
	const struct wish a = {.key = "a"}, b = {.key = "b"};
	enum task_state now_is;
	int64_t id = create_as(&a, 0, false), again;

	assert_int_equal(create_as(&b, 0, false), id + 1);
	assert_int_equal(create_as(&a, 1, true), id);
	queue_begin(q);
	assert_int_equal(queue_create(q, &a, 2, &again, &now_is), 0);
	assert_int_equal(again, id);
	assert_int_equal(now_is, TASK_READY);
	queue_commit(q);
	assert_int_equal(queue_count(q, TASK_CREATED) + queue_count(q, TASK_READY), 2);
	reopen(3);
	assert_int_equal(create_as(&a, 3, false), id);
	/* Known also when the queue is full. */
	for (int i = 0; i < 8; i++)
		create(3, true);
	assert_int_equal(create_as(&a, 3, false), id);
	/* Forgotten with its task: the orphan of "b" makes room for another. */
	expire(60000);
	assert_int_equal(queue_get(q, id + 1, &(struct task){0}), -ENOENT);
	assert_true(create_as(&b, 60000, false) > id + 1);
}

/* What is to be done stays with a task through leases and restarts; a final failure uses no other attempt. */
static void test_params(void **state)
{
	const struct wish wish = {.params = "op=blur&radius=3"};
	struct lease l;
	struct task t;
	int64_t id = create_as(&wish, 0, true);

	reopen(1);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_lease(q, "w", 1, &l), 0);
	assert_string_equal(l.params, wish.params);
	assert_int_equal(queue_renew(q, id, l.token, 2, &l), 0);
	assert_string_equal(l.params, wish.params);
	assert_int_equal(queue_fail(q, id, l.token, "no picture", true, 3), 0);
	assert_int_equal(queue_commit(q), 0);
	assert_int_equal(queue_dead(q, -1, &t, 1), 1);
	assert_int_equal(t.attempts, 1);
	assert_string_equal(t.params, wish.params);
	assert_string_equal(t.reason, "no picture");
	assert_int_equal(queue_get(q, create(5, true), &t), 0);
	assert_string_equal(t.params, "");
}

static void test_oldest(void **state)
{
	struct lease l;

	assert_int_equal(queue_oldest_ms(q, 100), 0);
	create(100, true);
	create_as(&(struct wish){.priority = 1}, 150, true);
	assert_int_equal(queue_oldest_ms(q, 400), 300);
	lease(400, &l); /* the younger one */
	assert_int_equal(l.id, 1);
	assert_int_equal(queue_oldest_ms(q, 500), 400);
	lease(500, &l);
	assert_int_equal(queue_oldest_ms(q, 600), 0);
}

/* Every write of a group goes when one of them fails. */
static void test_undone(void **state)
{
	int64_t id;
	enum task_state created;

	create(0, true);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_create(q, NULL, 0, &id, &created), 0);
	queue_close(q); /* killed before the commit */
	q = open_queue(1);
	assert_int_equal(queue_get(q, id, &(struct task){0}), -ENOENT);
	assert_int_equal(queue_count(q, TASK_READY), 1);
	assert_int_equal(queue_count(q, TASK_CREATED), 0);
}

/* Two users of one database: each task goes to one of them, and what one leaves behind the other collects. */
static void test_shared(void **state)
{
	struct queue *other;
	struct lease a, b, c;
	int64_t id;

	if (!queue_shared(q))
		skip();
	other = open_queue(0);
	create(0, true);
	create(0, true);
	assert_int_equal(queue_begin(q), 0);
	assert_int_equal(queue_begin(other), 0);
	assert_int_equal(queue_lease(q, "a", 1, &a), 0);
	assert_int_equal(queue_lease(other, "b", 1, &b), 0); /* not waiting for q's commit */
	assert_int_equal(queue_lease(other, "b", 1, &c), -ENOENT);
	assert_int_not_equal(a.id, b.id);
	assert_int_equal(queue_commit(q), 0);
	assert_int_equal(queue_commit(other), 0);
	assert_int_equal(queue_count(q, TASK_LEASED), 2);
	id = b.id;
	queue_close(other);
	assert_int_equal(queue_finish(q, id, b.token, 2), -EIO); /* no transaction */
	queue_begin(q);
	assert_int_equal(queue_finish(q, id, b.token, 2), 0);
	assert_int_equal(queue_commit(q), 0);
	expire(1001);
	assert_int_equal(state_of(a.id), TASK_DELAYED);
	assert_int_equal(queue_count(q, TASK_DELAYED), 1);
}

/* Random requests against the simplest model of a queue: an array of states. */
#define MODEL 40

struct model {
	int64_t id[MODEL];
	enum task_state state[MODEL];
	char token[MODEL][TOKEN_BYTES];
	int n;
};

static int of_state(const struct model *m, enum task_state state)
{
	int n = 0;

	for (int i = 0; i < m->n; i++)
		n += m->state[i] == state;
	return n;
}

static int lowest_ready(const struct model *m)
{
	for (int i = 0; i < m->n; i++) {
		if (m->state[i] == TASK_READY)
			return i;
	}
	return -1;
}

static void model_lease(struct model *m, int64_t now)
{
	int want = lowest_ready(m);
	struct lease l;
	int r = queue_lease(q, "w", now, &l);

	assert_int_equal(r, want < 0 ? -ENOENT : 0);
	if (r < 0)
		return;
	assert_int_equal(l.id, m->id[want]);
	m->state[want] = TASK_LEASED;
	memcpy(m->token[want], l.token, TOKEN_BYTES);
}

static void model_change(struct model *m, int i, int verb, int64_t now)
{
	enum task_state s = m->state[i];
	bool leased = s == TASK_LEASED;
	struct lease l;

	switch (verb) {
	case 0:
		assert_int_equal(queue_ready(q, m->id[i], now),
			s == TASK_FINISHED || s == TASK_DEAD ? -ESTALE : 0);
		m->state[i] = s == TASK_CREATED ? TASK_READY : s;
		break;
	case 1:
		assert_int_equal(queue_finish(q, m->id[i], m->token[i], now),
			leased || (s == TASK_FINISHED) ? 0 : -ESTALE);
		m->state[i] = leased ? TASK_FINISHED : s;
		break;
	case 2:
		assert_int_equal(
			queue_fail(q, m->id[i], m->token[i], "r", true, now), leased ? 0 : -ESTALE);
		m->state[i] = leased ? TASK_DEAD : s;
		break;
	case 3:
		assert_int_equal(
			queue_renew(q, m->id[i], m->token[i], now, &l), leased ? 0 : -ESTALE);
		break;
	default:
		assert_int_equal(queue_finish(q, m->id[i], "another", now), -ESTALE);
		break;
	}
}

static void model_check(const struct model *m)
{
	int64_t counts[TASK_STATES];

	assert_int_equal(queue_counts(q, counts), 0);
	for (int s = TASK_CREATED; s <= TASK_DELAYED; s++)
		assert_int_equal(counts[s + 1], of_state(m, (enum task_state)s));
	for (int i = 0; i < m->n; i++)
		assert_int_equal(state_of(m->id[i]), m->state[i]);
}

static void test_model(void **state)
{
	uint64_t random = 20261123;
	struct model m = {.n = 0};

	cfg.max_tasks = cfg.max_dead = MODEL;
	cfg.lease_ms = 100000;
	reopen(0);
	for (int step = 0; step < 300; step++) {
		int i;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		i = (int)(random >> 40) % MODEL;
		assert_int_equal(queue_begin(q), 0);
		if (i < m.n)
			model_change(&m, i, (int)(random >> 33) % 5, step);
		else if (m.n < MODEL && random >> 63) {
			enum task_state created;

			assert_int_equal(queue_create(q, NULL, step, &m.id[m.n], &created), 0);
			m.state[m.n] = TASK_CREATED;
			strcpy(m.token[m.n++], "none yet");
		} else
			model_lease(&m, step);
		if (random >> 60 & 1)
			assert_int_equal(queue_commit(q), 0);
		if (step % 30 == 0) {
			assert_int_equal(queue_commit(q), 0);
			reopen(step);
			model_check(&m);
		}
	}
	assert_int_equal(queue_commit(q), 0);
	assert_int_equal(queue_scan_steps(q), 0);
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
		cmocka_unit_test_setup_teardown(test_priority, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_params, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oldest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_model, setup, teardown),
	};

	log_init("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
