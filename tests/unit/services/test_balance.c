/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and ejection, on a clock of the test's own. */
#include "lib/util.h"
#include "services/common/balance.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PEERS = 4 };
#define MS NS_PER_MS

static struct {
	struct balancer *b;
	struct endpoints list;
	size_t from[PEERS];
	int64_t now;
} t;

static int setup(void **state)
{
	char text[32];

	(void)state;
	memset(&t, 0, sizeof(t));
	t.now = 100 * NS_PER_S;
	t.list.count = PEERS;
	for (size_t i = 0; i < PEERS; i++) {
		snprintf(text, sizeof(text), "10.0.0.%zu:9002", i + 1);
		assert_int_equal(endpoint_parse(text, &t.list.item[i], NULL), 0);
		t.from[i] = i;
	}
	return balancer_new(7, &t.b);
}

static int teardown(void **state)
{
	(void)state;
	balancer_free(t.b);
	return 0;
}

static struct balance_question question(enum balance policy)
{
	return (struct balance_question){
		.policy = policy, .list = &t.list, .from = t.from, .n = PEERS, .may_probe = true};
}

static size_t choose(enum balance policy)
{
	struct balance_question q = question(policy);

	return balancer_choose(t.b, &q, t.now);
}

static struct balance_ticket begin(size_t i)
{
	return balancer_begin(t.b, t.list.item[i].text, t.now);
}

static void done(size_t i, enum balance_result result, int64_t took)
{
	struct balance_ticket ticket = begin(i);

	t.now += took;
	balancer_end(t.b, &ticket, result, true, t.now);
}

/* Chosen and answered well, n times; hits counts whom. */
static void ask(enum balance policy, int n, int64_t took, unsigned int *hits)
{
	memset(hits, 0, PEERS * sizeof(*hits));
	while (n--) {
		size_t i = choose(policy);

		hits[i]++;
		done(i, BALANCE_GOOD, took);
	}
}

static void eject(size_t i)
{
	done(i, BALANCE_AWAY, 0);
}

static void test_round_robin(void **state)
{
	unsigned int hits[PEERS];

	for (size_t n = 0; n < 12; n++) {
		size_t i = choose(BALANCE_ROUND_ROBIN);

		assert_int_equal(i, n % PEERS);
		done(i, BALANCE_GOOD, MS);
	}
	eject(2);
	ask(BALANCE_ROUND_ROBIN, 9, MS, hits);
	assert_int_equal(hits[2], 0);
	for (size_t i = 0; i < PEERS; i++)
		assert_int_equal(hits[i], i == 2 ? 0 : 3);
}

/* Turns of one kind of service do not disturb those of another. */
static void test_round_robin_of_two_kinds(void **state)
{
	size_t front[] = {0, 1}, back[] = {2, 3};
	struct balance_question a = question(BALANCE_ROUND_ROBIN), b = a;

	a.from = front;
	b.from = back;
	a.n = b.n = 2;
	for (size_t n = 0; n < 6; n++) {
		size_t i = balancer_choose(t.b, &a, t.now);

		assert_int_equal(i, n % 2);
		done(i, BALANCE_GOOD, MS);
		i = balancer_choose(t.b, &b, t.now);
		assert_int_equal(i, 2 + n % 2);
		done(i, BALANCE_GOOD, MS);
	}
}

static void test_weighted(void **state)
{
	unsigned int hits[PEERS];
	size_t row[7];

	t.list.item[0].weight = 5;
	t.list.count = 3;
	for (size_t n = 0; n < ARRAY_SIZE(row); n++) {
		struct balance_question q = question(BALANCE_WEIGHTED);

		q.n = 3;
		row[n] = balancer_choose(t.b, &q, t.now);
		done(row[n], BALANCE_GOOD, MS);
	}
	/* Never all of the heavy one in a row. */
	assert_memory_equal(row, ((size_t[]){0, 0, 1, 0, 2, 0, 0}), sizeof(row));
	t.list.count = PEERS;
	ask(BALANCE_WEIGHTED, 800, MS, hits);
	assert_in_range(hits[0], 498, 502);
	for (size_t i = 1; i < PEERS; i++)
		assert_in_range(hits[i], 98, 102);
}

static void test_least(void **state)
{
	struct balance_ticket held[3];

	for (size_t i = 0; i < 3; i++)
		held[i] = begin(i);
	assert_int_equal(choose(BALANCE_LEAST), 3);
	t.list.item[0].weight = 4; /* can take four times as much */
	done(3, BALANCE_GOOD, MS);
	assert_int_equal(choose(BALANCE_LEAST), 0);
	for (size_t i = 0; i < 3; i++)
		balancer_end(t.b, &held[i], BALANCE_DROPPED, true, t.now);
	assert_int_equal(balancer_ejected(t.b), 0);
}

static void test_two_choices(void **state)
{
	struct balance_ticket held[8];
	unsigned int hits[PEERS];

	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = begin(1);
	ask(BALANCE_TWO, 400, MS, hits);
	assert_int_equal(hits[1], 0); /* any other is the better of two */
	for (size_t i = 0; i < PEERS; i++)
		assert_true(i == 1 || hits[i] > 80);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		balancer_end(t.b, &held[i], BALANCE_DROPPED, true, t.now);
}

static void test_fastest(void **state)
{
	unsigned int hits[PEERS];

	/* Each is asked once before anything is known. */
	for (size_t i = 0; i < PEERS; i++) {
		size_t c = choose(BALANCE_FASTEST);

		assert_int_equal(c, i);
		done(c, BALANCE_GOOD, i == 2 ? MS : 20 * MS);
	}
	ask(BALANCE_FASTEST, 50, MS, hits);
	assert_int_equal(hits[2], 50);
	done(2, BALANCE_GOOD, 200 * MS); /* slow once: that counts at once */
	assert_int_not_equal(choose(BALANCE_FASTEST), 2);
	/* What is not asked is forgotten by and by, and tried again. */
	ask(BALANCE_FASTEST, 3000, 20 * MS, hits);
	assert_true(hits[2] > 0);
}

/* A long poll is no slow answer. */
static void test_fastest_untimed(void **state)
{
	struct balance_ticket ticket;

	for (size_t i = 0; i < PEERS; i++)
		done(i, BALANCE_GOOD, (int64_t)(i + 1) * MS);
	assert_int_equal(choose(BALANCE_FASTEST), 0);
	ticket = begin(0);
	t.now += MS;
	balancer_end(t.b, &ticket, BALANCE_GOOD, false, t.now + 30 * NS_PER_S);
	assert_int_equal(choose(BALANCE_FASTEST), 0);
}

static void test_hash(void **state)
{
	struct balance_question q = question(BALANCE_HASH);
	size_t owner[100], moved = 0;
	char key[16];

	for (size_t k = 0; k < ARRAY_SIZE(owner); k++) {
		snprintf(key, sizeof(key), "%zu", k);
		q.key = key;
		owner[k] = balancer_choose(t.b, &q, t.now);
		done(owner[k], BALANCE_GOOD, MS);
		assert_int_equal(balancer_choose(t.b, &q, t.now), owner[k]);
	}
	eject(1);
	t.now += BALANCE_BACKOFF_NS / 2;
	for (size_t k = 0; k < ARRAY_SIZE(owner); k++) {
		size_t i;

		snprintf(key, sizeof(key), "%zu", k);
		i = balancer_choose(t.b, &q, t.now);
		assert_true(owner[k] == 1 ? i != 1 : i == owner[k]);
		moved += i != owner[k];
	}
	assert_in_range(moved, 10, 45);
	/* The probe goes where its key belongs and not where somebody has to be looked at. */
	t.now += BALANCE_BACKOFF_NS;
	for (size_t k = 0; k < ARRAY_SIZE(owner); k++) {
		snprintf(key, sizeof(key), "%zu", k);
		assert_int_equal(balancer_choose(t.b, &q, t.now), owner[k]);
	}
	q.key = NULL; /* in turn: the one that is back first */
	assert_int_equal(balancer_choose(t.b, &q, t.now), 1);
}

/* Failures that are not in a row eject nobody; three in a row do. */
static void test_failures_in_a_row(void **state)
{
	for (int n = 0; n < 10; n++) {
		done(0, BALANCE_BAD, MS);
		done(0, BALANCE_BAD, MS);
		done(0, BALANCE_GOOD, MS);
	}
	assert_int_equal(balancer_ejections(t.b), 0);
	for (int n = 0; n < BALANCE_FAILURES; n++)
		done(0, BALANCE_BAD, MS);
	assert_int_equal(balancer_ejections(t.b), 1);
	assert_int_equal(balancer_ejected(t.b), 1);
}

static int64_t ejected_for(size_t i)
{
	struct balance_question q = question(BALANCE_ROUND_ROBIN);
	int64_t from = t.now;

	q.from = (size_t[]){i, (i + 1) % PEERS};
	q.n = 2;
	done(q.from[1], BALANCE_GOOD, 0); /* the other one had its turn */
	while (balancer_choose(t.b, &q, t.now) != i) {
		t.now += 10 * MS;
		assert_true(t.now - from < 2 * BALANCE_BACKOFF_MAX_NS);
	}
	return t.now - from;
}

static void test_half_open(void **state)
{
	struct balance_ticket probe;
	unsigned int hits[PEERS];
	int64_t first, second;

	eject(0);
	first = ejected_for(0);
	assert_in_range(first, BALANCE_BACKOFF_NS / 2, BALANCE_BACKOFF_NS + 10 * MS);
	probe = begin(0);
	assert_int_not_equal(choose(BALANCE_ROUND_ROBIN), 0); /* one at a time */
	balancer_end(t.b, &probe, BALANCE_BAD, true, t.now);  /* one failure is enough now */
	second = ejected_for(0);
	assert_true(second > first);
	probe = begin(0);
	balancer_end(t.b, &probe, BALANCE_DROPPED, true, t.now); /* given up: the next may try */
	assert_int_equal(choose(BALANCE_ROUND_ROBIN), 0);
	probe = begin(0);
	balancer_end(t.b, &probe, BALANCE_GOOD, true, t.now);
	assert_int_equal(balancer_ejected(t.b), 0);
	ask(BALANCE_ROUND_ROBIN, 40, MS, hits);
	assert_int_equal(hits[0], 10);
}

static void test_backoff_grows_to_its_limit(void **state)
{
	int64_t last = 0;

	for (int n = 0; n < 9; n++) {
		eject(3);
		last = ejected_for(3);
	}
	assert_in_range(
		last, BALANCE_BACKOFF_MAX_NS / 4 * 3 - 10 * MS, BALANCE_BACKOFF_MAX_NS + 10 * MS);
	done(3, BALANCE_GOOD, MS);
	t.now += 3 * 60 * NS_PER_S; /* forgiven */
	eject(3);
	assert_in_range(ejected_for(3), 0, BALANCE_BACKOFF_NS + 10 * MS);
}

/* What can not be repeated elsewhere is no probe, unless nothing else comes for seconds. */
static void test_probe_is_repeatable(void **state)
{
	struct balance_question q = question(BALANCE_ROUND_ROBIN);

	eject(0);
	q.may_probe = false;
	t.now += BALANCE_BACKOFF_NS;
	for (int n = 0; n < 8; n++) {
		size_t i = balancer_choose(t.b, &q, t.now);

		assert_int_not_equal(i, 0);
		done(i, BALANCE_GOOD, 0);
	}
	t.now += 6 * NS_PER_S;
	assert_int_equal(balancer_choose(t.b, &q, t.now), 0);
}

/* A storm of failures of requests that were under way when it was ejected is one failure. */
static void test_late_failures(void **state)
{
	struct balance_ticket held[20];

	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = begin(0);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		balancer_end(t.b, &held[i], BALANCE_AWAY, true, t.now);
	assert_int_equal(balancer_ejections(t.b), 1);
	assert_in_range(ejected_for(0), 0, BALANCE_BACKOFF_NS + 10 * MS);
}

static void test_all_ejected(void **state)
{
	struct balance_question q = question(BALANCE_ROUND_ROBIN);

	for (size_t i = PEERS; i-- > 0;) {
		eject(i);
		t.now += BALANCE_BACKOFF_NS / 3;
	}
	assert_int_equal(balancer_ejected(t.b), PEERS);
	q.n = 2;
	q.from = (size_t[]){0, 1};
	assert_int_equal(balancer_choose(t.b, &q, t.now), 1); /* back before 0 */
	done(1, BALANCE_GOOD, 0);                             /* and well, as it turns out */
	assert_int_equal(balancer_ejected(t.b), PEERS - 1);
}

static void test_first(void **state)
{
	struct balance_question q = question(BALANCE_LEAST);
	size_t order[] = {3, 1, 0, 2};

	q.from = order;
	assert_int_equal(balancer_first(t.b, &q, t.now), 3);
	eject(3);
	assert_int_equal(balancer_first(t.b, &q, t.now), 1);
	eject(1);
	eject(0);
	eject(2);
	assert_int_equal(balancer_first(t.b, &q, t.now), 3);
}

/* More instances than the table has places, over time and at a time. */
static void test_many(void **state)
{
	struct balance_ticket held[100];
	char text[32];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
			snprintf(text, sizeof(text), "10.1.%d.%zu:1", round, i);
			held[i] = balancer_begin(t.b, text, t.now);
		}
		for (size_t i = 0; i < ARRAY_SIZE(held); i++)
			balancer_end(t.b, &held[i], BALANCE_GOOD, true, t.now);
	}
	assert_int_equal(balancer_ejected(t.b), 0);
}

static void test_settings(void **state)
{
	static const char *const bad[] = {"x", "hash,", "hash,,hash", "db=", "db=x", "ui=hash",
		"=hash", "hash ", "db=db=hash", "HASH"};
	struct balance_policies p;
	struct err err = {0};

	assert_int_equal(balance_policies_parse("", &p, &err), 0);
	assert_int_equal(balance_policy(&p, "dbendpoint"), BALANCE_ROUND_ROBIN);
	assert_int_equal(balance_policy(&p, "storageendpoint"), BALANCE_HASH);
	assert_int_equal(
		balance_policies_parse("two_choices,storage=fastest,db=weighted", &p, &err), 0);
	assert_int_equal(balance_policy(&p, "masterendpoint"), BALANCE_TWO);
	assert_int_equal(balance_policy(&p, "storageendpoint"), BALANCE_FASTEST);
	assert_int_equal(balance_policy(&p, "dbendpoint"), BALANCE_WEIGHTED);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (i == 1) /* a comma at the end is no item */
			continue;
		err = (struct err){0};
		assert_int_equal(balance_policies_parse(bad[i], &p, &err), -EINVAL);
		assert_true(strlen(err.msg) > 20);
	}
}

static void test_weights_of_endpoints(void **state)
{
	static const char *const bad[] = {"h:1;weight=0", "h:1;weight=1001",
		"h:1;weight=", "h:1;weight=-1", "h:1;weight=1x", "h:1;w=1", "h:1;", ";weight=1",
		"h:1;weight=00001"};
	struct endpoint e = {0};

	assert_int_equal(endpoint_parse_weighted("10.0.0.1:9002;weight=25", &e, NULL), 0);
	assert_string_equal(e.text, "10.0.0.1:9002");
	assert_int_equal(e.weight, 25);
	assert_int_equal(endpoint_parse_weighted("10.0.0.1:9002", &e, NULL), 0);
	assert_int_equal(e.weight, 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(endpoint_parse_weighted(bad[i], &e, NULL), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_round_robin),
		TEST(test_round_robin_of_two_kinds),
		TEST(test_weighted),
		TEST(test_least),
		TEST(test_two_choices),
		TEST(test_fastest),
		TEST(test_fastest_untimed),
		TEST(test_hash),
		TEST(test_failures_in_a_row),
		TEST(test_half_open),
		TEST(test_backoff_grows_to_its_limit),
		TEST(test_probe_is_repeatable),
		TEST(test_late_failures),
		TEST(test_all_ejected),
		TEST(test_first),
		TEST(test_many),
		TEST(test_settings),
		TEST(test_weights_of_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
