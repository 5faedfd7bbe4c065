/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/api/log_events.h"

#include <string.h>

static void expect(uint64_t offset, const char *data, bool last, ssize_t taken, const char *event)
{
	_cleanup_buf_ struct buf out;

	buf_init(&out, 0);
	assert_int_equal(log_event(&out, offset, data, strlen(data), last), taken);
	assert_string_equal(out.len ? out.data : "", event);
}

static void test_lines(void **state)
{
	(void)state;
	expect(0, "a\nb\n", false, 2, "id: 2\ndata: a\n\n");
	expect(100, "\n", false, 1, "id: 101\ndata: \n\n");
	expect(1ull << 40, "x y\r\nz", false, 5, "id: 1099511627781\ndata: x y\n\n");
	expect(0, "\r\n", false, 2, "id: 2\ndata: \n\n");
}

static void test_line_ends_inside(void **state)
{
	(void)state;
	expect(0, "10%\r20%\n", false, 8, "id: 8\ndata: 10%\ndata: 20%\n\n");
	expect(0, "\r\r\r\n", false, 4, "id: 4\ndata: \ndata: \ndata: \n\n");
	/* what looks like a field of an event stays data */
	expect(0, "x\revent: gap\n", false, 13, "id: 13\ndata: x\ndata: event: gap\n\n");
}

static void test_without_its_end(void **state)
{
	(void)state;
	expect(0, "half", false, 0, "");
	expect(0, "half", true, 4, "id: 4\ndata: half\n\n");
	expect(0, "", true, 0, "");
	expect(7, "half\r", true, 5, "id: 12\ndata: half\ndata: \n\n");
}

static void test_long_lines_are_cut(void **state)
{
	static char line[3 * LOG_LINE_MAX_BYTES];
	_cleanup_buf_ struct buf out;

	(void)state;
	buf_init(&out, 0);
	memset(line, 'x', sizeof(line));
	assert_int_equal(log_event(&out, 0, line, sizeof(line), false), LOG_LINE_MAX_BYTES);
	assert_int_equal(log_event(&out, 0, line, LOG_LINE_MAX_BYTES - 1, false), 0);
	line[LOG_LINE_MAX_BYTES] = '\n';
	assert_int_equal(log_event(&out, 0, line, sizeof(line), false), LOG_LINE_MAX_BYTES);
}

static void test_ids(void **state)
{
	static const char *const wrong[] = {
		NULL, "", " 1", "-1", "+1", "x", "1x", "1 ", "0x1", "99999999999999999999999"};
	uint64_t offset = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(log_event_id(wrong[i], &offset));
	assert_int_equal(offset, 5);
	assert_true(log_event_id("0", &offset));
	assert_int_equal(offset, 0);
	assert_true(log_event_id("18446744073709551615", &offset));
	assert_int_equal(offset, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_line_ends_inside),
		cmocka_unit_test(test_without_its_end),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
