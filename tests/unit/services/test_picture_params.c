/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/util.h"
#include "services/common/picture_params.h"

#include <errno.h>

static void test_good(void **state)
{
	static const struct {
		const char *text, *back;
	} cases[] = {
		{"", ""},
		{"op=invert", ""},
		{"op=grayscale", "op=grayscale"},
		{"width=640&op=resize", "op=resize&width=640"},
		{"op=resize&width=16384&height=1", "op=resize&width=16384&height=1"},
		{"op=blur", "op=blur"},
		{"op=blur&radius=4", "op=blur"},
		{"op=blur&radius=30", "op=blur&radius=30"},
		{"op=thumbnail&size=16", "op=thumbnail&size=16"},
		{"op=edges&format=png", "op=edges&format=png"},
		{"format=jpg&quality=60", "quality=60&format=jpeg"},
		{"format=same&op=&radius=", ""},
	};
	char text[PICTURE_PARAMS_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct picture_params p, again;
		struct err err = {0};

		if (picture_params_parse(cases[i].text, &p, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.msg);
		picture_params_format(&p, text);
		assert_string_equal(text, cases[i].back);
		assert_int_equal(picture_params_parse(text, &again, &err), 0);
		assert_int_equal(again.op, p.op);
		assert_int_equal(again.radius, p.radius);
		assert_int_equal(again.size, p.size);
		assert_int_equal(again.quality, p.quality);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"op=rotate", "op must be invert"},
		{"op=INVERT", "op must be"},
		{"op=invert&op=blur", "op is given twice"},
		{"op=blur&radius=0", "radius must be a number from 1 to 30"},
		{"op=blur&radius=31", "radius must be"},
		{"op=blur&radius=-1", "radius must be"},
		{"op=blur&radius=4x", "radius must be"},
		{"op=blur&radius=4294967297", "radius must be"},
		{"op=blur&radius=3&radius=4", "radius is given twice"},
		{"op=blur&width=10", "width is not for blur"},
		{"width=10", "width is not for invert"},
		{"op=resize", "resize needs width, height or both"},
		{"op=resize&width=16385", "width must be"},
		{"op=thumbnail&size=15", "size must be"},
		{"format=gif", "format must be png or jpeg"},
		{"format=png&format=jpeg", "format is given twice"},
		{"quality=101", "quality must be"},
		{"colour=red", "there is no parameter \"colour\""},
		{"op", "not of the form"},
		{"op=blur&", "not of the form"},
		{"&", "not of the form"},
		{"=", "there is no parameter"},
	};
	char longer[PICTURE_PARAMS_BYTES + 1];

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(cases); i++) {
		const char *text = i < ARRAY_SIZE(cases) ? cases[i].text : longer,
			   *why = i < ARRAY_SIZE(cases) ? cases[i].why : "longer than 200";
		struct picture_params p = {.radius = 77};
		struct err err = {0};

		if (picture_params_parse(text, &p, &err) != -EINVAL)
			fail_msg("%s was taken", text);
		if (!strstr(err.msg, why))
			fail_msg("%s: %s", text, err.msg);
		assert_int_equal(p.radius, 77); /* untouched */
	}
}

static void test_names(void **state)
{
	for (int op = 0; op < PICTURE_OPS; op++)
		assert_true(strlen(picture_op_name((enum picture_op)op)) > 3);
	assert_true(picture_params_knows("quality"));
	assert_true(picture_params_knows("op"));
	assert_false(picture_params_knows("image"));
	assert_false(picture_params_knows(""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
