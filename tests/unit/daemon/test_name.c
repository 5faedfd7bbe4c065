/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/image/name.h"
#include "lib/util.h"

#include <string.h>

static void test_names(void **state)
{
	static const char *const good[] = {"a", "0", "a.b_c-d", "a..b", "9lives"};
	static const char *const bad[] = {
		"", ".", "..", "-a", "_a", "A", "a b", "a/b", "a:b", "a\n", "ä", "a+b", "a%2f"};
	char name[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(name_is_valid(bad[i]));
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_true(name_is_valid(name));
	name[63] = 'a';
	name[64] = '\0';
	assert_false(name_is_valid(name));
}

static void test_image_names(void **state)
{
	static const char *const good[] = {"a", "a/b", "a/b/c:1.0", "a:latest", "x.y/z_z:0"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", "../a", "a/../b", "a/.",
		"a:", ":a", "a:b:c", "a:b/c", "A/b", "a/-b", "a b", "a+b"};
	char name[400], encoded[IMAGE_NAME_MAX_BYTES + 1], back[IMAGE_NAME_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(image_name_is_valid(good[i]));
		image_name_encode(good[i], encoded);
		assert_null(strchr(encoded, '/'));
		assert_true(image_name_decode(encoded, strlen(encoded), back));
		assert_string_equal(back, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(image_name_is_valid(bad[i]));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '/' : 'a';
	name[IMAGE_NAME_MAX_BYTES - 1] = '\0'; /* 239 characters, ending in 'a' */
	assert_true(image_name_is_valid(name));
	name[IMAGE_NAME_MAX_BYTES - 1] = 'a';
	name[IMAGE_NAME_MAX_BYTES] = 'a';
	name[IMAGE_NAME_MAX_BYTES + 1] = '\0';
	assert_false(image_name_is_valid(name));
	assert_false(image_name_decode("..", 2, back));
	assert_false(image_name_decode("a++b", 4, back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_image_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
