/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/network/addrpool.h"
#include "lib/util.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static uint32_t take(struct addrpool *p, int64_t now)
{
	uint32_t index = UINT32_MAX;
	int64_t ready;

	assert_int_equal(addrpool_take(p, now, &index, &ready), 0);
	return index;
}

static void test_first_in_first_out(void **state)
{
	struct addrpool *p;
	int64_t ready = 0;
	uint32_t index;

	(void)state;
	assert_int_equal(addrpool_new(3, 100, &p), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(take(p, 0), i);
	assert_int_equal(addrpool_take(p, 0, &index, &ready), -EAGAIN);
	assert_int_equal(ready, INT64_MAX);
	addrpool_put(p, 2, 10);
	addrpool_put(p, 0, 20);
	assert_int_equal(addrpool_take(p, 109, &index, &ready), -EAGAIN);
	assert_int_equal(ready, 110);
	assert_int_equal(take(p, 110), 2);
	assert_int_equal(addrpool_take(p, 110, &index, &ready), -EAGAIN);
	assert_int_equal(ready, 120);
	assert_int_equal(take(p, 120), 0);
	assert_int_equal(addrpool_used(p), 3);
	addrpool_free(p);
}

static void test_this_one(void **state)
{
	struct addrpool *p;

	(void)state;
	assert_int_equal(addrpool_new(4, 1000, &p), 0);
	assert_int_equal(addrpool_take_index(p, 4), -ENOENT);
	assert_int_equal(addrpool_take_index(p, 1), 0);
	assert_int_equal(addrpool_take_index(p, 1), -EBUSY);
	assert_int_equal(take(p, 0), 0);
	assert_int_equal(take(p, 0), 2); /* 1 is used */
	addrpool_put(p, 1, 0);
	assert_int_equal(addrpool_take_index(p, 1), 0); /* in its quarantine */
	addrpool_put(p, 1, 50);
	assert_int_equal(take(p, 0), 3);
	assert_int_equal(take(p, 1050), 1); /* the entry of the first put does not count */
	addrpool_free(p);
}

/* Many steps at random, held against what must be true of any order. */
static void test_any_order(void **state)
{
	enum { COUNT = 7, STEPS = 20000 };
	struct addrpool *p;
	bool used[COUNT] = {0};
	int64_t free_since[COUNT] = {0}, ready;
	uint32_t seed = 1, in_use = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		free_since[i] = -1000;
	assert_int_equal(addrpool_new(COUNT, 5, &p), 0);
	for (int64_t now = 0; now < STEPS; now++) {
		uint32_t index;

		seed = seed * 1664525u + 1013904223u;
		index = (seed >> 8) % COUNT;
		if (seed >> 30 == 0) {
			assert_int_equal(addrpool_take_index(p, index), used[index] ? -EBUSY : 0);
			in_use += !used[index];
			used[index] = true;
		} else if (seed >> 30 == 1 && addrpool_take(p, now, &index, &ready) == 0) {
			assert_false(used[index]);
			assert_true(now - free_since[index] >= 5);
			used[index] = true;
			in_use++;
		} else if (used[index]) {
			addrpool_put(p, index, now);
			used[index] = false;
			free_since[index] = now;
			in_use--;
		}
		assert_int_equal(addrpool_used(p), in_use);
	}
	addrpool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_in_first_out),
		cmocka_unit_test(test_this_one),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
