/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of a function: what is taken, what is refused and where, what is there when nothing is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/fn/spec.h"
#include "lib/jsonx.h"

static int parse(const char *text, struct fn_spec *spec, struct check *c)
{
	_cleanup_json_ json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return fn_spec_parse(root, spec, c);
}

static void test_defaults(void **state)
{
	_cleanup_json_ json_t *full = NULL;
	struct fn_spec spec, again;
	struct check c;

	(void)state;
	assert_int_equal(parse("{\"image\": \"web\"}", &spec, &c), 0);
	assert_int_equal(spec.port, 0);
	assert_int_equal(spec.min, 0);
	assert_int_equal(spec.max, 4);
	assert_int_equal(spec.concurrency, 16);
	assert_int_equal(spec.queue, 256);
	assert_int_equal(spec.idle_s, 60);
	assert_int_equal(spec.start_timeout_ms, 30000);
	assert_int_equal(spec.timeout_ms, 60000);
	full = fn_spec_json(&spec);
	assert_null(json_object_get(full, "port"));
	assert_int_equal(json_integer_value(json_object_get(full, "min")), 0);
	assert_int_equal(fn_spec_parse(full, &again, &c), 0);
	assert_true(fn_spec_hash(&spec, "x") == fn_spec_hash(&again, "x"));
	fn_spec_fini(&again);
	fn_spec_fini(&spec);
}

static void test_hash(void **state)
{
	static const char *const other[] = {"{\"image\": \"other\"}",
		"{\"image\": \"web\", \"env\": {\"A\": \"b\"}}",
		"{\"image\": \"web\", \"port\": 1}", "{\"image\": \"web\", \"args\": [\"a\"]}"};
	struct fn_spec one, two;
	struct check c;

	(void)state;
	assert_int_equal(parse("{\"image\": \"web\"}", &one, &c), 0);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		assert_int_equal(parse(other[i], &two, &c), 0);
		assert_true(fn_spec_hash(&one, "x") != fn_spec_hash(&two, "x"));
		fn_spec_fini(&two);
	}
	assert_int_equal(parse("{\"image\": \"web\", \"idle_s\": 1}", &two, &c), 0);
	assert_true(fn_spec_hash(&one, "x") == fn_spec_hash(&two, "x"));
	assert_true(fn_spec_hash(&one, "x") != fn_spec_hash(&one, "y"));
	fn_spec_fini(&two);
	fn_spec_fini(&one);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *pointer;
	} table[] = {
		{"{}", "/image"},
		{"{\"image\": 1}", "/image"},
		{"{\"image\": \"../x\"}", "/image"},
		{"{\"image\": \"web\", \"max\": 0}", "/max"},
		{"{\"image\": \"web\", \"max\": 257}", "/max"},
		{"{\"image\": \"web\", \"max\": 1.5}", "/max"},
		{"{\"image\": \"web\", \"min\": -1}", "/min"},
		{"{\"image\": \"web\", \"min\": 3, \"max\": 2}", "/min"},
		{"{\"image\": \"web\", \"port\": 0}", "/port"},
		{"{\"image\": \"web\", \"concurrency\": 0}", "/concurrency"},
		{"{\"image\": \"web\", \"queue\": 100000}", "/queue"},
		{"{\"image\": \"web\", \"idle_s\": \"1\"}", "/idle_s"},
		{"{\"image\": \"web\", \"timeout_ms\": 0}", "/timeout_ms"},
		{"{\"image\": \"web\", \"ports\": []}", "/ports"},
		{"{\"image\": \"web\", \"name\": \"x\"}", "/name"},
		{"{\"image\": \"web\", \"args\": \"x\"}", "/args"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fn_spec spec;
		struct check c;

		if (parse(table[i].text, &spec, &c) == 0)
			fail_msg("%s was taken", table[i].text);
		assert_string_equal(c.pointer, table[i].pointer);
		assert_true(c.err.msg[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
