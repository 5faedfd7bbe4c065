/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/jsonx.h"

#include <errno.h>

static int parse(const char *text, unsigned int depth, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;

	return jsonx_parse(text, strlen(text), depth, &json, err);
}

static void test_parse(void **state)
{
	static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}",
		"[1,]", "{} x", "\"\xff\"", "1e999", "99999999999999999999", "nul", "{'a':1}"};
	struct err err;

	assert_int_equal(parse("{\"a\":[1,2]}", 2, NULL), 0);
	assert_int_equal(parse("\"text\"", 1, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], 8, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(parse("{\n \"a\": x}", 8, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "line 2"));
}

static void test_depth(void **state)
{
	char text[201];
	struct err err;

	assert_int_equal(parse("[[1]]", 2, NULL), 0);
	assert_int_equal(parse("[[[1]]]", 2, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "deep"));
	assert_int_equal(parse("[\"[[[[\\\"[[\"]", 1, NULL), 0);
	memset(text, '[', 200);
	text[200] = '\0';
	assert_int_equal(parse(text, 1000, &err), -EINVAL);
}

static void test_fields(void **state)
{
	_cleanup_json_ json_t *json = NULL;
	static const char text[] = "{\"s\":\"abc\",\"n\":7,\"b\":true,\"z\":null}";
	const char *s = "old";
	int64_t n = 1;
	bool b = false;
	struct err err;

	assert_int_equal(jsonx_parse_object(text, strlen(text), 4, &json, &err), 0);
	assert_int_equal(jsonx_str(json, "s", 3, &s, &err), 0);
	assert_string_equal(s, "abc");
	assert_int_equal(jsonx_str(json, "s", 2, &s, &err), -EINVAL);
	assert_int_equal(jsonx_str(json, "n", 9, &s, &err), -EINVAL);
	assert_int_equal(jsonx_str(json, "x", 9, &s, &err), -ENOENT);
	assert_int_equal(jsonx_int(json, "n", 0, 7, &n, &err), 0);
	assert_int_equal(n, 7);
	assert_int_equal(jsonx_int(json, "n", 8, 9, &n, &err), -EINVAL);
	assert_int_equal(jsonx_int(json, "s", 0, 9, &n, &err), -EINVAL);
	assert_int_equal(jsonx_bool(json, "b", &b, &err), 0);
	assert_true(b);
	assert_int_equal(jsonx_opt_int(json, "z", 0, 9, &n, &err), 0);
	assert_int_equal(jsonx_opt_str(json, "x", 9, &s, &err), 0);
	assert_int_equal(jsonx_opt_bool(json, "s", &b, &err), -EINVAL);
	assert_int_equal(n, 7);
	assert_string_equal(s, "abc");
}

static void test_object(void **state)
{
	json_t *json = NULL;
	struct err err;

	assert_int_equal(jsonx_parse_object("[]", 2, 4, &json, &err), -EINVAL);
	assert_null(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
