/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/yaml_json.h"

#include <errno.h>
#include <string.h>

static void test_values(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{"", "null"},
		{"a: 1\nb: [x, 'y', \"z\"]", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\"]}"},
		{"- -5\n- 0\n- 1.5\n- 007\n- '1'\n- 0x10\n- 1e3",
			"[-5,0,1.5,\"007\",\"1\",\"0x10\",\"1e3\"]"},
		{"- true\n- false\n- yes\n- null\n- ~\n-", "[true,false,\"yes\",null,null,null]"},
		{"- 99999999999999999999", "[\"99999999999999999999\"]"},
		{"a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}"},
		{"{a: {b: {c: []}}}", "{\"a\":{\"b\":{\"c\":[]}}}"},
		{"3.1.0", "\"3.1.0\""},
		{"--- 1\n...\n", "1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *root = NULL;
		_cleanup_free_ char *text = NULL;

		assert_int_equal(yaml_load(cases[i].yaml, strlen(cases[i].yaml), &root, NULL), 0);
		text = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		assert_string_equal(text, cases[i].json);
		json_decref(root);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"a: 1\na: 2", "a: &x 1\nb: *x", "a: !!str 1", "*x", "[",
		"{a", "a: b: c", "? [a]\n: 1", "--- 1\n--- 2\n", "\xff", "&x {a: *x}", "&x [*x]",
		"\t- a"};
	char deep[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		json_t *root;

		if (yaml_load(bad[i], strlen(bad[i]), &root, &err) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_non_null(strstr(err.msg, "line"));
	}
	memset(deep, '[', sizeof(deep));
	assert_int_equal(yaml_load(deep, sizeof(deep), &(json_t *){NULL}, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
