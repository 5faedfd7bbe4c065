/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway passes on: headers of one connection stay on it, targets and methods are what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/fn/head.h"

#include <string.h>

static void test_headers_of_a_connection_stay(void **state)
{
	static const char *const names[] = {"Connection", "connection", "Keep-Alive", "TE",
		"Trailer", "Transfer-Encoding", "UPGRADE", "Proxy-Connection",
		"Proxy-Authorization", "Proxy-Authenticate", "X-Hop", "x-other"};
	struct fn_connection c = {""};

	(void)state;
	fn_connection_add(&c, "close, X-Hop");
	fn_connection_add(&c, "\tX-Other ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(fn_passes_up(&c, names[i], "1", false));
		assert_false(fn_passes_down(&c, names[i], "1"));
	}
	assert_true(fn_passes_up(&c, "X-Ho", "1", false));
	assert_true(fn_passes_down(&c, "X-Hopp", ""));
}

static void test_more_than_can_be_known(void **state)
{
	struct fn_connection c = {""};
	char many[2000];

	(void)state;
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	fn_connection_add(&c, many);
	assert_false(fn_passes_up(&c, "X-Any", "1", false));
	assert_false(fn_passes_down(&c, "X-Any", "1"));
}

static void test_what_is_ours(void **state)
{
	struct fn_connection c = {""};

	(void)state;
	assert_false(fn_passes_up(&c, "Content-Length", "1", false));
	assert_false(fn_passes_up(&c, "X-Forwarded-For", "1.2.3.4", false));
	assert_false(fn_passes_up(&c, "Expect", "100-continue", false));
	assert_true(fn_passes_up(&c, "Authorization", "Basic x", false));
	assert_false(fn_passes_up(&c, "authorization", "Bearer x", true));
	assert_false(fn_passes_up(&c, "X-Empty", "", false));
	assert_false(fn_passes_down(&c, "Content-Length", "1"));
	assert_false(fn_passes_down(&c, "X-Uigniter-Start", "warm"));
	assert_true(fn_passes_down(&c, "Set-Cookie", "a=b"));
}

static void test_dirt(void **state)
{
	struct fn_connection c = {""};

	(void)state;
	assert_false(fn_passes_down(&c, "", "x"));
	assert_false(fn_passes_down(&c, "X Y", "x"));
	assert_false(fn_passes_down(&c, "X\r\nSet-Cookie", "x"));
	assert_false(fn_passes_down(&c, "X", "a\r\nSet-Cookie: b"));
	assert_false(fn_passes_up(&c, "X", "a\x7f", false));
	assert_true(fn_passes_up(&c, "X", "a\tb \xc3\xa4", false));
}

static void test_targets(void **state)
{
	static const struct {
		const char *target, *behind;
	} table[] = {
		{"/fn/a/invoke", "/"},
		{"/fn/a/invoke/", "/"},
		{"/fn/a/invoke/b/c/", "/b/c/"},
		{"/fn/a/invoke?x=/1", "/?x=/1"},
		{"/fn/a/invoke/b%2fc?x=%20&y", "/b%2fc?x=%20&y"},
		{"http://host:1/fn/a/invoke/b", "/b"},
		{"HTTP://host/fn/a/invoke", "/"},
		{"/fn/a/invoke/b#c", "/b"},
		{"/fn", "/"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(fn_target_behind(table[i].target, 3, out, sizeof(out)));
		assert_string_equal(out, table[i].behind);
		assert_true(fn_target_is_valid(out));
	}
	assert_false(fn_target_behind("/fn/a/invoke/123456", 3, out, 7));
	assert_true(fn_target_behind("/fn/a/invoke/12345", 3, out, 7));
	assert_false(fn_target_is_valid("/a b"));
	assert_false(fn_target_is_valid("/a\r\n"));
	assert_false(fn_target_is_valid("/\xff"));
	assert_false(fn_target_is_valid(""));
	assert_false(fn_target_is_valid("*"));
}

static void test_methods(void **state)
{
	(void)state;
	assert_true(fn_method_is_valid("GET"));
	assert_true(fn_method_is_valid("M-SEARCH"));
	assert_false(fn_method_is_valid("CONNECT"));
	assert_false(fn_method_is_valid("TRACE"));
	assert_false(fn_method_is_valid("get"));
	assert_false(fn_method_is_valid(""));
	assert_false(fn_method_is_valid("ABCDEFGHIJKLMNOPQ"));
	assert_false(fn_method_is_valid("GET\r\n"));
	assert_true(fn_method_is_idempotent("PUT"));
	assert_true(fn_method_is_idempotent("HEAD"));
	assert_false(fn_method_is_idempotent("POST"));
	assert_false(fn_method_is_idempotent("PATCH"));
	assert_false(fn_method_is_idempotent("GETS"));
	assert_false(fn_method_is_idempotent(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_of_a_connection_stay),
		cmocka_unit_test(test_more_than_can_be_known),
		cmocka_unit_test(test_what_is_ours),
		cmocka_unit_test(test_dirt),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
