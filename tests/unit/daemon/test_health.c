/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: what is asked for, what a row of results means, first lines of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/instance/health.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

static int take(const char *text, struct health_spec *spec, struct check *c)
{
	_cleanup_json_ json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return health_take(c, "health", value, spec);
}

static void test_good(void **state)
{
	struct health_spec s = {0};
	struct check c = {.pointer = ""};
	_cleanup_json_ json_t *back = NULL;

	(void)state;
	assert_int_equal(take("null", &s, &c), 0);
	assert_int_equal(s.kind, HEALTH_NONE);
	assert_int_equal(take("{\"tcp\":80}", &s, &c), 0);
	assert_int_equal(s.kind, HEALTH_TCP);
	assert_int_equal(s.interval_ms, 10000);
	assert_int_equal(take("{\"http\":{\"port\":81,\"path\":\"/a?b\"},\"interval_ms\":100,"
			      "\"timeout_ms\":10,\"retries\":1,\"start_period_ms\":5}",
				 &s, &c),
		0);
	assert_int_equal(s.kind, HEALTH_HTTP);
	assert_int_equal(s.port, 81);
	assert_string_equal(s.path, "/a?b");
	back = health_spec_json(&s);
	s = (struct health_spec){0};
	assert_int_equal(health_take(&c, "health", back, &s), 0);
	assert_int_equal(s.retries, 1);
	assert_int_equal(s.start_period_ms, 5);
	assert_string_equal(s.path, "/a?b");
}

static void refuse(const char *text, const char *pointer)
{
	struct health_spec s = {.retries = 77};
	struct check c = {.pointer = ""};

	assert_int_equal(take(text, &s, &c), -EINVAL);
	assert_string_equal(c.pointer, pointer);
	assert_int_equal(s.retries, 77);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("7", "/health");
	refuse("{}", "/health");
	refuse("{\"tcp\":80,\"http\":{\"port\":80}}", "/health");
	refuse("{\"tcp\":0}", "/health/tcp");
	refuse("{\"tcp\":null}", "/health/tcp");
	refuse("{\"tcp\":70000}", "/health/tcp");
	refuse("{\"http\":80}", "/health/http");
	refuse("{\"http\":{}}", "/health/http/port");
	refuse("{\"http\":{\"port\":80,\"path\":\"x\"}}", "/health/http/path");
	refuse("{\"http\":{\"port\":80,\"path\":\"/a b\"}}", "/health/http/path");
	refuse("{\"http\":{\"port\":80,\"path\":\"/\\r\\nX: y\"}}", "/health/http/path");
	refuse("{\"tcp\":1,\"interval_ms\":99}", "/health/interval_ms");
	refuse("{\"tcp\":1,\"timeout_ms\":60001}", "/health/timeout_ms");
	refuse("{\"tcp\":1,\"retries\":0}", "/health/retries");
	refuse("{\"tcp\":1,\"start_period_ms\":-1}", "/health/start_period_ms");
	refuse("{\"tcp\":1,\"every\":1}", "/health/every");
}

/* + a check that passes, - one that fails, = one that fails in the start period; behind each the state: s, h, u. */
static void expect(const char *row)
{
	const struct health_spec spec = {.retries = 2, .start_period_ms = 10};
	struct health_tally t = {0};

	for (; *row; row += 2) {
		enum health_state before = t.state;
		bool changed = health_count(
			&t, &spec, *row == '+', *row == '=' ? 9 * NS_PER_MS : 10 * NS_PER_MS);

		assert_int_equal("shu"[t.state], row[1]);
		assert_int_equal(changed, t.state != before);
	}
}

static void test_rows(void **state)
{
	(void)state;
	expect("+h+h");
	expect("-s-u-u-u");
	expect("=s=s=s=s-s-u");
	expect("+h-h-u+h-h+h-h-u");
	expect("+h=h=u"); /* what was well once has no start period any more */
	expect("-s-u-u+h-h-u");
}

static int status(const char *text)
{
	return health_status(text, strlen(text));
}

static void test_answers(void **state)
{
	(void)state;
	assert_int_equal(status("HTTP/1.1 200 OK\r\n"), 200);
	assert_int_equal(status("HTTP/1.0 503"), 503);
	assert_int_equal(status("HTTP/1.1 200"), 200);
	assert_int_equal(status("HTTP/1.1 20"), -EAGAIN);
	assert_int_equal(status("H"), -EAGAIN);
	assert_int_equal(status(""), -EAGAIN);
	assert_int_equal(status("SSH-2.0-x"), -EPROTO);
	assert_int_equal(status("HTTP/1.1 2x0"), -EPROTO);
	assert_int_equal(status("HTTP/11 200 "), -EPROTO);
	assert_int_equal(status("HTTP/1.1  200"), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
