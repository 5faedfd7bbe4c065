/* SPDX-License-Identifier: Apache-2.0 */
/* How many replicas a service is to have: the field, the metric, the decision on a clock of the test's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/app/scale.h"
#include "lib/jsonx.h"

#define S INT64_C(1000000000)

static int take(const char *text, struct scale_spec *spec, struct check *c)
{
	_cleanup_json_ json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(json);
	*c = (struct check){.pointer = ""};
	*spec = (struct scale_spec){0};
	return scale_take(c, json, spec);
}

#define METRIC "\"metric\":{\"service\":\"db\",\"port\":9001,\"name\":\"micro_oldest_ms\"}"

static void test_field(void **state)
{
	static const char *const bad[] = {"7", "{}", "{\"min\":1,\"max\":4,\"target\":5}",
		"{\"min\":1,\"max\":4," METRIC "}", "{\"max\":4,\"target\":5," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":0," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":-0.5," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":1.5e9," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":\"5\"," METRIC "}",
		"{\"min\":5,\"max\":4,\"target\":5," METRIC "}",
		"{\"min\":0,\"max\":0,\"target\":5," METRIC "}",
		"{\"min\":1,\"max\":257,\"target\":5," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":5,\"x\":1," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":5,\"interval_ms\":99," METRIC "}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":[]}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":1}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":0,"
		"\"name\":\"a\"}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"D\",\"port\":1,"
		"\"name\":\"a\"}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":1,"
		"\"name\":\"1a\"}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":1,"
		"\"name\":\"a b\"}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":1,"
		"\"name\":\"a\",\"path\":"
		"\"x\"}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":1,"
		"\"name\":\"a\",\"path\":"
		"\"/x\\r\\ny\"}}",
		"{\"min\":1,\"max\":4,\"target\":5,\"metric\":{\"service\":\"db\",\"port\":1,"
		"\"name\":\"a\",\"y\":1}}"};
	struct scale_spec spec;
	struct check c;

	assert_int_equal(take("{\"min\":0,\"max\":4,\"target\":500," METRIC "}", &spec, &c), 0);
	assert_int_equal(spec.max, 4);
	assert_int_equal(spec.port, 9001);
	assert_int_equal(spec.interval_ms, 500);
	assert_int_equal(spec.down_after_s, 10);
	assert_string_equal(spec.path, "/metrics");
	assert_string_equal(spec.name, "micro_oldest_ms");
	assert_int_equal(take("{\"min\":0,\"max\":4,\"target\":0.25," METRIC "}", &spec, &c), 0);
	assert_true(spec.target > 0.24 && spec.target < 0.26);
	assert_int_equal(take("null", &spec, &c), 0);
	assert_int_equal(spec.max, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (take(bad[i], &spec, &c) != -EINVAL || strncmp(c.pointer, "/scale", 6) != 0 ||
			!c.err.msg[0])
			fail_msg("%s", bad[i]);
		assert_int_equal(spec.max, 0);
	}
}

static const struct scale_spec rule = {.min = 1, .max = 8, .target = 100, .down_after_s = 10};

static void test_up(void **state)
{
	struct scale_state s = {0};
	int64_t now = 5 * S;

	assert_int_equal(scale_decide(&rule, &s, 1, 100, now), 1); /* at the target is well */
	assert_int_equal(scale_decide(&rule, &s, 1, 101, now), 2);
	assert_int_equal(scale_decide(&rule, &s, 2, 900, now + S / 2),
		2); /* what is new has not shown itself */
	assert_int_equal(scale_decide(&rule, &s, 2, 900, now + S), 4);
	assert_int_equal(scale_decide(&rule, &s, 4, 150, now + 2 * S), 5);
	assert_int_equal(scale_decide(&rule, &s, 5, 1e12, now + 3 * S), 8);
	assert_int_equal(scale_decide(&rule, &s, 8, 1e12, now + 4 * S), 8);
}

static void test_down(void **state)
{
	struct scale_state s = {0};
	int64_t now = 5 * S;
	unsigned n = 3;

	assert_int_equal(scale_decide(&rule, &s, n, 0, now), 3);
	assert_int_equal(scale_decide(&rule, &s, n, 0, now + 9 * S), 3);
	assert_int_equal(
		scale_decide(&rule, &s, n, 60, now + 9 * S), 3); /* between: it begins anew */
	assert_int_equal(scale_decide(&rule, &s, n, 50, now + 10 * S), 3);
	assert_int_equal(scale_decide(&rule, &s, n, 50, now + 19 * S), 3);
	assert_int_equal(scale_decide(&rule, &s, n, 0, now + 20 * S), 2);
	assert_int_equal(scale_decide(&rule, &s, 2, 0, now + 21 * S), 2); /* one at a time */
	assert_int_equal(scale_decide(&rule, &s, 2, 0, now + 30 * S), 1);
	assert_int_equal(scale_decide(&rule, &s, 1, 0, now + 90 * S), 1);
}

/* From none, and when somebody has set what the rule does not have. */
static void test_limits(void **state)
{
	struct scale_spec none = rule;
	struct scale_state s = {0};

	none.min = 0;
	assert_int_equal(scale_decide(&none, &s, 0, 1, S), 0);
	assert_int_equal(scale_decide(&none, &s, 0, 1000, S), 1);
	assert_int_equal(scale_decide(&none, &s, 1, 0, 2 * S), 1);
	assert_int_equal(scale_decide(&none, &s, 1, 0, 12 * S), 0);
	assert_int_equal(scale_decide(&rule, &s, 0, 70, 20 * S), 1);
	assert_int_equal(scale_decide(&rule, &s, 20, 70, 20 * S), 8);
}

static int metric(const char *text, double *value)
{
	*value = -1;
	return scale_metric(text, strlen(text), "m", value);
}

static void test_metric(void **state)
{
	static const char *const bad[] = {"m x", "m -1", "m NaN", "m +Inf", "m 1e999", "m{",
		"m{a=\"}\"", "m ", "m 0x10", "m 1111111111111111111111111111111111111111111",
		"m 1e308\nm 1e308"};
	double v;

	assert_int_equal(metric("# HELP m x\n# TYPE m gauge\nmm 3\nm_x 4\nm 250\n", &v), 0);
	assert_true(v == 250);
	assert_int_equal(metric("m{a=\"}\\\"\"} 1.5e1 1700000000\r\nm{b=\"x\"}\t2", &v), 0);
	assert_true(v == 17);
	assert_int_equal(metric("", &v), -ENOENT);
	assert_int_equal(metric("m\n#m 1\n m 1\n", &v), -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (metric(bad[i], &v) != -EPROTO || v != -1)
			fail_msg("%s", bad[i]);
	}
}

static void test_answer(void **state)
{
	static const char *const bad[] = {
		"", "HTTP/1.1 200 OK\r\nm 1\n", "HTTP/1.1 404 no\r\n\r\nm 1\n", "m 1\r\n\r\nm 1\n"};
	static const char good[] =
		"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nm 9: x\r\n\r\nm 7\n";
	double v = -1;

	assert_int_equal(scale_answer(good, strlen(good), "m", &v), 0);
	assert_true(v == 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(scale_answer(bad[i], strlen(bad[i]), "m", &v), -EPROTO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_metric),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
