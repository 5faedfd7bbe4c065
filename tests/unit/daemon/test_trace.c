/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor tells of a start: it may have been taken over by its guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/monitor/monitor.h"
#include "daemon/monitor/trace.h"

static struct shell shell;

static void take(const char *text)
{
	json_error_t error;
	json_t *status = json_loads(text, 0, &error);

	if (!status)
		fail_msg("%s: %s", text, error.text);
	trace_take(&shell, status);
	json_decref(status);
}

static int fini(void **state)
{
	json_decref(shell.trace);
	shell = (struct shell){0};
	return 0;
}

static void test_good(void **state)
{
	const json_t *step;

	take("{\"reached\": true, \"listen_port\": 8080, \"request_ns\": 5, \"steps\": ["
	     "{\"step\": \"parsed\", \"by\": \"monitor\", \"us\": 1.5, \"more\": 1},"
	     "{\"step\": \"listen told\", \"by\": \"monitor\", \"us\": 9, \"exits\": 3}]}");
	assert_true(shell.listens);
	assert_int_equal(shell.listen_port, 8080);
	assert_int_equal(shell.trace_ns, 5);
	assert_int_equal(json_array_size(shell.trace), 2);
	step = json_array_get(shell.trace, 0);
	assert_int_equal(json_object_size(step), 3);
	assert_null(json_object_get(step, "exits"));
	step = json_array_get(shell.trace, 1);
	assert_string_equal(json_string_value(json_object_get(step, "step")), "listen told");
	assert_int_equal(json_integer_value(json_object_get(step, "exits")), 3);
	take("{}");
	assert_null(shell.trace);
	assert_false(shell.listens);
	assert_int_equal(shell.listen_port, 0);
}

static void test_ports(void **state)
{
	static const char *const bad[] = {"null", "0", "-1", "65536", "\"80\"", "80.5", "[80]"};
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{\"listen_port\": %s}", bad[i]);
		take(text);
		assert_int_equal(shell.listen_port, 0);
	}
	take("{\"listen_port\": 65535}");
	assert_int_equal(shell.listen_port, 65535);
}

static void test_bad_steps(void **state)
{
	static const char *const bad[] = {"1", "null", "[]", "{}", "{\"step\": \"a\", \"us\": 1}",
		"{\"step\": \"\", \"by\": \"m\", \"us\": 1}",
		"{\"step\": 7, \"by\": \"m\", \"us\": 1}",
		"{\"step\": \"a\\n\", \"by\": \"m\", \"us\": 1}",
		"{\"step\": \"a\", \"by\": \"\\u001b[31m\", \"us\": 1}",
		"{\"step\": \"a\", \"by\": \"\\u00e4\", \"us\": 1}",
		"{\"step\": \"a\", \"by\": \"m\", \"us\": -1}",
		"{\"step\": \"012345678901234567890123456789012\", \"by\": \"m\", \"us\": 1}"};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{\"request_ns\": 5, \"steps\": [%s]}", bad[i]);
		take(text);
		if (json_array_size(shell.trace) != 0)
			fail_msg("%s", bad[i]);
	}
	take("{\"request_ns\": 5, \"steps\": {\"a\": 1}}");
	assert_int_equal(json_array_size(shell.trace), 0);
	take("{\"request_ns\": -5, \"steps\": []}");
	assert_null(shell.trace);
	take("{\"request_ns\": 9223372036854775807, \"steps\": []}");
	assert_null(shell.trace);
}

static void test_many(void **state)
{
	json_t *steps = json_array(), *status;

	for (unsigned i = 0; i < 10 * TRACE_STEPS_MAX; i++)
		json_array_append_new(
			steps, json_pack("{s:s, s:s, s:i}", "step", "a", "by", "m", "us", 1));
	status = json_pack("{s:i, s:o}", "request_ns", 5, "steps", steps);
	trace_take(&shell, status);
	json_decref(status);
	assert_int_equal(json_array_size(shell.trace), TRACE_STEPS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_good, fini),
		cmocka_unit_test_teardown(test_ports, fini),
		cmocka_unit_test_teardown(test_bad_steps, fini),
		cmocka_unit_test_teardown(test_many, fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
