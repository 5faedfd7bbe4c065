/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void starts_empty(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 0);
	assert_null(b.data);
	buf_consume(&b, 5);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_string_equal(b.data, "");
}

static void grows_and_ends_with_nul(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&b, "%03d,", i), 0);
	assert_int_equal(b.len, 4000);
	assert_int_equal(strlen(b.data), 4000);
	assert_memory_equal(b.data + 3996, "999,", 4);
	assert_int_equal(buf_add(&b, "a\0b", 3), 0);
	assert_int_equal(b.len, 4003);
	assert_memory_equal(b.data + 4000, "a\0b", 4);
}

static void limit_leaves_it_unchanged(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 8);
	assert_int_equal(buf_addstr(&b, "12345678"), 0);
	assert_int_equal(buf_addstr(&b, "9"), -EMSGSIZE);
	assert_int_equal(buf_printf(&b, "%d", 9), -EMSGSIZE);
	assert_string_equal(b.data, "12345678");
	assert_int_equal(buf_add(&b, "x", SIZE_MAX - 2), -ENOMEM);
	buf_consume(&b, 4);
	assert_int_equal(buf_addstr(&b, "9"), 0);
	assert_string_equal(b.data, "56789");
}

static void consume_takes_at_most_all(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 0);
	buf_addstr(&b, "hello");
	buf_consume(&b, 2);
	assert_string_equal(b.data, "llo");
	buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty),
		cmocka_unit_test(grows_and_ends_with_nul),
		cmocka_unit_test(limit_leaves_it_unchanged),
		cmocka_unit_test(consume_takes_at_most_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
