/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as JSON: what is taken, what is refused and at which line. */
#include "tests/unit/cli/test.h"

#include "cli/image/yaml.h"

#include "lib/buf.h"
#include "lib/jsonx.h"

#include <errno.h>

static void test_values(void **state)
{
	static const char text[] = "a: 1\nb: '1'\nc: [x, ~, true, -7, 1.5, 0x10, yes, \"\"]\nd:\n  "
				   "e: |\n    two\n    lines\n"
				   "f: 99999999999999999999\ng:\n";
	struct yaml doc;
	struct err err = {0};
	json_t *wanted _cleanup_json_ = json_loads(
		"{\"a\":1,\"b\":\"1\",\"c\":[\"x\",null,true,-7,\"1.5\",\"0x10\",\"yes\",\"\"],"
		"\"d\":{\"e\":\"two\\nlines\\n\"},\"f\":\"99999999999999999999\",\"g\":null}",
		0, NULL);

	assert_int_equal(yaml_load("m", text, sizeof(text) - 1, &doc, &err), 0);
	assert_true(json_equal(doc.root, wanted));
	assert_int_equal(yaml_line(&doc, ""), 1);
	assert_int_equal(yaml_line(&doc, "/b"), 2);
	assert_int_equal(yaml_line(&doc, "/c/3"), 3);
	assert_int_equal(yaml_line(&doc, "/c/99"), 3);
	assert_int_equal(yaml_line(&doc, "/d/e"), 5);
	assert_int_equal(yaml_line(&doc, "/none/at/all"), 1);
	yaml_fini(&doc);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "empty"},
		{"# only a comment\n", "empty"},
		{"a: 1\n---\nb: 2\n", "m:2: there is more than one document"},
		{"a: &x 1\n", "m:1: anchors and tags"},
		{"a: 1\nb: *a\n", "m:2: "},
		{"a: !!str 1\n", "anchors and tags"},
		{"a: &x [1]\n", "anchors and tags"},
		{"<<: {a: 1}\n", "merge keys"},
		{"a: 1\nb: 2\na: 3\n", "m:3: \"a\" stands twice"},
		{"[a, b]: 1\n", "a key is not a plain word"},
		{"a: [1, 2\nb: 3\n", "m:"},
		{"a:\n\t- 1\n", "m:2: "},
		{"a: \"\\0\"\n", "NUL"},
		{"a: \xff\xfe\n", "m:"},
		{"a: [[[[[[[[[[[[1]]]]]]]]]]]]\n", "nested too deeply"},
		{"{a: 1", "m:"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct yaml doc = {.name = "untouched"};
		struct err err = {0};

		assert_int_equal(
			yaml_load("m", cases[i].text, strlen(cases[i].text), &doc, &err), -EINVAL);
		assert_contains(err.msg, cases[i].says);
		assert_string_equal(doc.name, "untouched");
	}
}

static void test_limits(void **state)
{
	struct buf big _cleanup_buf_ = {0}, many _cleanup_buf_ = {0};
	struct yaml doc;
	struct err err = {0};

	for (int i = 0; i < YAML_MAX_BYTES; i++)
		assert_int_equal(buf_addstr(&big, "#"), 0);
	assert_int_equal(buf_addstr(&big, "#"), 0);
	assert_int_equal(yaml_load("m", big.data, big.len, &doc, &err), -EMSGSIZE);
	assert_int_equal(buf_addstr(&many, "[0"), 0);
	for (int i = 0; i < YAML_MAX_NODES; i++)
		assert_int_equal(buf_addstr(&many, ",0"), 0);
	assert_int_equal(buf_addstr(&many, "]"), 0);
	assert_int_equal(yaml_load("m", many.data, many.len, &doc, &err), -EINVAL);
	assert_contains(err.msg, "too many values");
}

/* As `uigniter image trace` writes them for a program that opens thousands of modules. */
static void test_many_files(void **state)
{
	enum { FILES = 5000 };
	struct buf text _cleanup_buf_ = {0};
	struct yaml doc;
	struct err err = {0};

	assert_int_equal(buf_addstr(&text, "files:\n"), 0);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(
			buf_addstr(&text,
				"- from: /usr/lib/python3/dist-packages/package/module.py\n"
				"  to: /usr/lib/python3/dist-packages/package/module.py\n"),
			0);
	assert_int_equal(yaml_load("m", text.data, text.len, &doc, &err), 0);
	assert_int_equal(json_array_size(json_object_get(doc.root, "files")), FILES);
	assert_int_equal(yaml_line(&doc, "/files/4999/to"), 2 * FILES + 1);
	yaml_fini(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
