/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/common/env.h"
#include "services/common/metrics.h"
#include "services/common/registry.h"

#include <arpa/inet.h>
#include <errno.h>

static void test_endpoint(void **state)
{
	static const char *const bad[] = {"", ":", "host", "host:", ":80", "host:0", "host:65536",
		"host:-1", "host:8 0", "ho st:80", "host/x:80", "host:80/x", "h\"st:80", "[::1:80",
		"host:00000080", "https://host:80"};
	struct endpoint e;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (endpoint_parse(bad[i], &e, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(endpoint_parse("10.0.0.1:9000", &e, &err), 0);
	assert_string_equal(e.host, "10.0.0.1");
	assert_int_equal(e.port, 9000);
	assert_int_equal(endpoint_parse("http://master:80/", &e, &err), 0);
	assert_string_equal(e.text, "master:80");
	assert_int_equal(endpoint_parse("[::1]:80", &e, &err), 0);
	assert_string_equal(e.host, "[::1]");
}

static void test_own_address(void **state)
{
	char ip[INET_ADDRSTRLEN];
	struct in_addr addr;

	endpoint_own_address("127.0.0.1", ip, sizeof(ip));
	assert_string_equal(ip, "127.0.0.1");
	endpoint_own_address("not numeric", ip, sizeof(ip));
	assert_int_equal(inet_pton(AF_INET, ip, &addr), 1);
	endpoint_own_address(NULL, ip, sizeof(ip));
	assert_int_equal(inet_pton(AF_INET, ip, &addr), 1);
}

static void test_rank(void **state)
{
	struct endpoints all = {.count = 5}, fewer = {.count = 4};
	size_t order[ENDPOINTS_MAX], before[ENDPOINTS_MAX];
	int share[5] = {0};

	for (size_t i = 0; i < all.count; i++)
		snprintf(all.item[i].text, sizeof(all.item[i].text), "10.0.0.%zu:9002", i + 1);
	memcpy(fewer.item, all.item, 4 * sizeof(all.item[0]));
	for (int id = 0; id < 1000; id++) {
		char key[16];
		size_t seen = 0;

		snprintf(key, sizeof(key), "%d", id);
		endpoints_rank(&all, key, order);
		for (size_t i = 0; i < 5; i++)
			seen |= 1u << order[i];
		assert_int_equal(seen, 31);
		share[order[0]]++;
		/* Without the last one, the order of the others is the same. */
		endpoints_rank(&fewer, key, before);
		for (size_t i = 0, k = 0; i < 5; i++) {
			if (order[i] != 4)
				assert_int_equal(order[i], before[k++]);
		}
	}
	for (size_t i = 0; i < 5; i++)
		assert_in_range(share[i], 120, 280);
}

static size_t parse(const char *type, const char *body, struct endpoints *list)
{
	registry_parse(type, body, strlen(body), list);
	return list->count;
}

static void test_registry_answers(void **state)
{
	struct endpoints list;
	char many[2000] = "{\"values\":[";

	assert_int_equal(parse("text/html; charset=utf-8", "1.2.3.4:5", &list), 1);
	assert_string_equal(list.item[0].text, "1.2.3.4:5");
	assert_int_equal(parse(NULL, "1.2.3.4:5", &list), 1);
	assert_int_equal(parse("text/html", "", &list), 0);
	assert_int_equal(parse("text/html", "<html>", &list), 0);
	assert_int_equal(parse("application/json; charset=utf-8",
				 "{\"values\":[\"a:1\",7,\"bad\",\"b:2\"]}", &list),
		2);
	assert_string_equal(list.item[1].text, "b:2");
	assert_int_equal(parse("application/json", "[\"a:1\"]", &list), 0);
	assert_int_equal(parse("application/json", "{\"values\":{\"a\":\"a:1\"}}", &list), 0);
	assert_int_equal(parse("application/json", "{", &list), 0);
	for (int i = 0; i < 100; i++)
		strcat(many, i ? ",\"a:1\"" : "\"a:1\"");
	strcat(many, "]}");
	assert_int_equal(parse("application/json", many, &list), ENDPOINTS_MAX);
}

static void test_env(void **state)
{
	struct err err;
	int64_t n = 0;

	setenv("UIG_TEST_N", "", 1);
	assert_null(env_str("UIG_TEST_N"));
	assert_int_equal(env_int("UIG_TEST_N", 1, 9, 5, &n, &err), 0);
	assert_int_equal(n, 5);
	setenv("UIG_TEST_N", "9", 1);
	assert_int_equal(env_int("UIG_TEST_N", 1, 9, 5, &n, &err), 0);
	assert_int_equal(n, 9);
	setenv("UIG_TEST_N", "10", 1);
	assert_int_equal(env_int("UIG_TEST_N", 1, 9, 5, &n, &err), -EINVAL);
	setenv("UIG_TEST_N", "7x", 1);
	assert_int_equal(env_int("UIG_TEST_N", 1, 9, 5, &n, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "UIG_TEST_N"));
}

static void test_histogram(void **state)
{
	_cleanup_buf_ struct buf out = {0};
	struct histogram h = {0};

	histogram_add(&h, 500000); /* on a bound: inside */
	histogram_add(&h, 500001);
	histogram_add(&h, 40000000000); /* above all */
	metrics_histogram(&out, "t", "a=\"b\"", &h);
	assert_non_null(strstr(out.data, "micro_t_bucket{a=\"b\",le=\"0.0005\"} 1\n"));
	assert_non_null(strstr(out.data, "micro_t_bucket{a=\"b\",le=\"0.001\"} 2\n"));
	assert_non_null(strstr(out.data, "micro_t_bucket{a=\"b\",le=\"30\"} 2\n"));
	assert_non_null(strstr(out.data, "micro_t_bucket{a=\"b\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(out.data, "micro_t_sum{a=\"b\"} 40.001000001\n"));
	assert_non_null(strstr(out.data, "micro_t_count{a=\"b\"} 3\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_registry_answers),
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
