/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/kvstore/store.h"

#include <errno.h>

static struct store *s;

static int setup(void **state)
{
	(void)state;
	return store_new(&s);
}

static int teardown(void **state)
{
	(void)state;
	store_free(s);
	return 0;
}

static void test_first_write_wins(void **state)
{
	assert_null(store_get(s, "k", 0, 1));
	assert_int_equal(store_put(s, "k", "a", 0, 1), 0);
	assert_int_equal(store_put(s, "k", "b", 0, 2), 0);
	assert_int_equal(store_put(s, "k", "c", 10, 2), 0);
	assert_string_equal(store_get(s, "k", 0, 1000), "a");
	assert_null(store_get(s, "k", 1, 1000));
	assert_false(store_remove(s, "k", "a", 3));
}

static void test_time_to_live(void **state)
{
	assert_int_equal(store_put(s, "k", "a", 10, 0), 0);
	assert_int_equal(store_put(s, "k", "b", 20, 0), 0);
	assert_int_equal(store_put(s, "k", "c", 0, 5), 0); /* for ever, but the key is held */
	assert_string_equal(store_get(s, "k", 0, 9), "a");
	assert_string_equal(store_get(s, "k", 1, 9), "b");
	assert_null(store_get(s, "k", 2, 9));
	assert_int_equal(store_put(s, "k", "a", 10, 9), 0); /* renewed, at its place */
	assert_string_equal(store_get(s, "k", 0, 18), "a");
	assert_string_equal(store_get(s, "k", 0, 19), "b");
	assert_null(store_get(s, "k", 0, 20));
	assert_int_equal(store_put(s, "k", "c", 0, 21), 0);
	assert_string_equal(store_get(s, "k", 0, INT64_MAX), "c");
}

static void test_remove(void **state)
{
	size_t keys, bytes;

	store_put(s, "k", "a", 10, 0);
	store_put(s, "k", "b", 10, 0);
	assert_false(store_remove(s, "k", "x", 1));
	assert_true(store_remove(s, "k", "a", 1));
	assert_string_equal(store_get(s, "k", 0, 1), "b");
	assert_true(store_remove(s, "k", "b", 1));
	assert_false(store_remove(s, "k", "b", 1));
	store_count(s, 1, &keys, &bytes);
	assert_int_equal(keys, 0);
	assert_int_equal(bytes, 0);
}

static void test_limits(void **state)
{
	static char key[STORE_KEY_MAX_BYTES + 2], value[STORE_VALUE_MAX_BYTES + 2];
	size_t keys, bytes;
	char name[32];

	memset(key, 'k', sizeof(key) - 1);
	memset(value, 'v', sizeof(value) - 1);
	assert_int_equal(store_put(s, key, "v", 0, 0), -EMSGSIZE);
	assert_int_equal(store_put(s, "k", value, 0, 0), -EMSGSIZE);
	for (int i = 0; i < STORE_VALUES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(store_put(s, "many", name, 10, 0), 0);
	}
	assert_int_equal(store_put(s, "many", "one more", 10, 0), -ENOSPC);
	assert_int_equal(store_put(s, "many", "one more", 10, 10), 0);
	for (int i = 0; i < STORE_KEYS_MAX - 1; i++) {
		snprintf(name, sizeof(name), "key%d", i);
		assert_int_equal(store_put(s, name, "v", 100, 10), 0);
	}
	assert_int_equal(store_put(s, "too many", "v", 0, 10), -ENOSPC);
	assert_int_equal(store_put(s, "key7", "w", 100, 10), 0); /* a key that is there */
	store_count(s, 10, &keys, &bytes);
	assert_int_equal(keys, STORE_KEYS_MAX);
	assert_true(bytes <= STORE_TOTAL_MAX_BYTES);
	assert_int_equal(store_put(s, "too many", "v", 0, 200), 0); /* what ran out makes room */
	store_count(s, 200, &keys, &bytes);
	assert_int_equal(keys, 1);
}

static void test_bytes(void **state)
{
	static char value[STORE_VALUE_MAX_BYTES];
	char name[32];
	size_t keys, bytes;
	int r = 0;

	memset(value, 'v', sizeof(value) - 1);
	for (int i = 0; i < 1000 && r == 0; i++) {
		snprintf(name, sizeof(name), "%d", i);
		r = store_put(s, name, value, 0, 0);
	}
	assert_int_equal(r, -ENOSPC);
	store_count(s, 0, &keys, &bytes);
	assert_in_range(bytes, STORE_TOTAL_MAX_BYTES - 2 * sizeof(value), STORE_TOTAL_MAX_BYTES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_write_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_to_live, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
