/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/kvstore/cache.h"

#include <errno.h>

#define LIMIT_BYTES 100000

static struct cache *c;

static int setup(void **state)
{
	(void)state;
	return cache_new(LIMIT_BYTES, &c);
}

static int teardown(void **state)
{
	(void)state;
	cache_free(c);
	return 0;
}

static int put(const char *key, const char *value, int64_t until, int64_t now)
{
	struct item *item = item_new(key, strlen(key), (uint32_t)strlen(value));
	int r;

	assert_non_null(item);
	memcpy(item_value(item), value, strlen(value));
	item->until_ns = until;
	r = cache_put(c, item, now);
	if (r < 0)
		item_free(item);
	return r;
}

static bool has(const char *key, const char *value, int64_t now)
{
	struct item *item = cache_get(c, key, strlen(key), now);

	return item && item->size == strlen(value) &&
		memcmp(item_value(item), value, item->size) == 0;
}

static bool is_there(const char *key, int64_t now)
{
	return cache_get(c, key, strlen(key), now) != NULL;
}

static struct cache_counts counts(void)
{
	struct cache_counts n;

	cache_count(c, &n);
	return n;
}

static void test_put_get_remove(void **state)
{
	uint64_t cas;

	(void)state;
	assert_false(is_there("a", 1));
	assert_int_equal(put("a", "1", 0, 1), 0);
	assert_int_equal(put("ab", "2", 0, 1), 0);
	assert_int_equal(put("b", "", 0, 1), 0);
	assert_true(has("a", "1", 1) && has("ab", "2", 1) && has("b", "", 1));
	cas = cache_get(c, "a", 1, 1)->cas;
	assert_int_equal(put("a", "new", 0, 1), 0);
	assert_true(has("a", "new", 1));
	assert_true(cache_get(c, "a", 1, 1)->cas > cas);
	assert_int_equal(counts().items, 3);
	assert_true(cache_remove(c, "a", 1, 1));
	assert_false(cache_remove(c, "a", 1, 1));
	assert_true(cache_remove(c, "ab", 2, 1) && cache_remove(c, "b", 1, 1));
	assert_int_equal(counts().items, 0);
	assert_int_equal(counts().bytes, 0);
	assert_int_equal(counts().total_items, 4);
}

static void test_keys_of_all_lengths(void **state)
{
	char key[CACHE_KEY_MAX_BYTES + 1];

	(void)state;
	memset(key, 'k', sizeof(key));
	for (size_t n = 1; n <= CACHE_KEY_MAX_BYTES; n++) {
		struct item *item = item_new(key, n, 1);

		*item_value(item) = (char)n;
		assert_int_equal(cache_put(c, item, 1), 0);
	}
	for (size_t n = 1; n <= CACHE_KEY_MAX_BYTES; n++)
		assert_int_equal(*item_value(cache_get(c, key, n, 1)), (char)n);
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(put("a", "1", 10, 1), 0);
	assert_true(is_there("a", 9));
	assert_false(is_there("a", 10));
	assert_int_equal(counts().reclaimed, 1);
	assert_int_equal(put("a", "1", 10, 10), 0); /* dead at once */
	assert_false(is_there("a", 10));
	assert_false(cache_remove(c, "a", 1, 10));
	assert_int_equal(counts().items, 0);
}

static void test_flush(void **state)
{
	(void)state;
	put("a", "1", 0, 1);
	cache_flush(c, 1, 1);
	put("b", "1", 0, 1); /* after it, in the same ns */
	assert_false(is_there("a", 1));
	assert_true(is_there("b", 1));
	cache_flush(c, 100, 2);
	assert_true(is_there("b", 99));
	put("c", "1", 0, 99);
	put("d", "1", 0, 100);
	assert_false(is_there("b", 100) || is_there("c", 100));
	assert_true(is_there("d", 100));
	cache_flush(c, 300, 200);
	cache_flush(c, 400, 200); /* in its place */
	assert_true(is_there("d", 399));
	assert_false(is_there("d", 400));
}

static void test_least_recently_used_goes(void **state)
{
	char key[16];
	char value[1001] = {0};

	(void)state;
	memset(value, 'v', 1000);
	put("mine", "x", 0, 1);
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(put(key, value, 0, 1), 0);
		assert_true(is_there("mine", 1));
		assert_true(counts().bytes <= LIMIT_BYTES);
	}
	assert_true(is_there("k999", 1));
	assert_false(is_there("k0", 1));
	assert_true(counts().items > 80 && counts().items < 100);
	assert_int_equal(counts().evictions, 1001 - counts().items);
}

static void test_dead_are_no_evictions(void **state)
{
	char value[60001] = {0};

	(void)state;
	memset(value, 'v', 60000);
	assert_int_equal(put("a", value, 10, 1), 0);
	assert_int_equal(put("b", value, 0, 10), 0);
	assert_int_equal(counts().evictions, 0);
	assert_int_equal(counts().reclaimed, 1);
	assert_int_equal(put("c", value, 0, 10), 0);
	assert_int_equal(counts().evictions, 1);
}

static void test_too_large(void **state)
{
	struct item *item = item_new("a", 1, LIMIT_BYTES);

	(void)state;
	put("a", "old", 0, 1);
	assert_int_equal(cache_put(c, item, 1), -EMSGSIZE);
	item_free(item);
	assert_true(has("a", "old", 1));
	assert_int_equal(counts().items, 1);
}

/* The table doubles several times; everything is still found. */
static void test_many(void **state)
{
	struct cache *big;
	char key[16];

	(void)state;
	assert_int_equal(cache_new(64 << 20, &big), 0);
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "k%d", i);

		assert_int_equal(cache_put(big, item_new(key, (size_t)n, 0), 1), 0);
	}
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "k%d", i);

		assert_non_null(cache_get(big, key, (size_t)n, 1));
	}
	cache_free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_get_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_of_all_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush, setup, teardown),
		cmocka_unit_test_setup_teardown(test_least_recently_used_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_are_no_evictions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
