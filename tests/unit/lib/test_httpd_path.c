/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/httpd_path.h"
#include "lib/util.h"

#include <errno.h>

static void test_bad(void **state)
{
	static const char *const bad[] = {"", "x", "//", "/a//b", "/%", "/%4", "/%zz", "/a%00b",
		"/%00", "*x", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5"};
	struct httpd_path p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (httpd_path_parse(&p, bad[i]) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void test_split(void **state)
{
	struct httpd_path p;

	assert_int_equal(httpd_path_parse(&p, "/a%2fb/..%2F..%2fetc/c%20d/?q=/x/y"), 0);
	assert_int_equal(p.count, 3);
	assert_string_equal(p.seg[0], "a/b");
	assert_string_equal(p.seg[1], "../../etc");
	assert_string_equal(p.seg[2], "c d");
	assert_true(p.trailing);
	assert_string_equal(p.raw, "/a%2fb/..%2F..%2fetc/c%20d/");
	httpd_path_fini(&p);
	assert_int_equal(httpd_path_parse(&p, "http://host:1/x?y"), 0);
	assert_int_equal(p.count, 1);
	assert_string_equal(p.seg[0], "x");
	httpd_path_fini(&p);
	assert_int_equal(httpd_path_parse(&p, "http://host?y"), 0);
	assert_int_equal(p.count, 0);
	httpd_path_fini(&p);
}

static bool fits(const char *target, const char *pattern, bool lenient, const char *value)
{
	struct httpd_params params;
	struct httpd_path p;
	bool yes;

	assert_int_equal(httpd_path_parse(&p, target), 0);
	yes = httpd_path_match(&p, pattern, lenient, &params);
	if (yes && value) {
		assert_int_equal(params.count, 1);
		assert_int_equal(params.item[0].name_len, 2);
		assert_memory_equal(params.item[0].name, "id", 2);
		assert_string_equal(params.item[0].value, value);
	}
	httpd_params_fini(&params);
	httpd_path_fini(&p);
	return yes;
}

static void test_match(void **state)
{
	assert_true(fits("/", "/", false, NULL));
	assert_false(fits("/x", "/", false, NULL));
	assert_false(fits("/", "/x", false, NULL));
	assert_false(fits("*", "/", false, NULL));
	assert_true(fits("/task/7/ready", "/task/{id}/ready", false, "7"));
	assert_false(fits("/task/7", "/task/{id}/ready", false, NULL));
	assert_false(fits("/task/7/ready/x", "/task/{id}/ready", false, NULL));
	assert_false(fits("/task/", "/task/{id}", true, NULL));
	assert_false(fits("/Task/7", "/task/{id}", false, NULL));
	assert_true(fits("/Task/aB", "/task/{id}", true, "aB"));
	assert_false(fits("/task/7/", "/task/{id}", false, NULL));
	assert_true(fits("/task/7/", "/task/{id}", true, "7"));
	assert_true(fits("/task/..%2f7", "/task/{id}", true, "../7"));
	assert_false(fits("/taskx/7", "/task/{id}", false, NULL));
	assert_false(fits("/tas/7", "/task/{id}", false, NULL));
}

static void test_rest(void **state)
{
	assert_true(fits("/image/a/b%2fc", "/image/{id...}", false, "a/b/c"));
	assert_true(fits("/image/a", "/image/{id...}", false, "a"));
	assert_false(fits("/image", "/image/{id...}", false, NULL));
	assert_false(fits("/image/", "/image/{id...}", false, NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
