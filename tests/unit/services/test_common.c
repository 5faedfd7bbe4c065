/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base64.h"
#include "services/common/env.h"
#include "services/common/metrics.h"
#include "services/common/registry.h"
#include "services/common/registry_parse.h"

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

static void test_registry_address(void **state)
{
	static const struct {
		const char *text, *is;
	} good[] = {
		{"127.0.0.1:9000", "http://127.0.0.1:9000"},
		{"http://kv:80/", "http://kv:80"},
		{"kvstore://10.0.0.2", "kvstore://10.0.0.2:9000"},
		{"memcached://10.0.0.2", "memcached://10.0.0.2:11211"},
		{"memcached://localhost:7", "memcached://127.0.0.1:7"},
		{"ETCD://node-1.example:12379/", "etcd://node-1.example:12379"},
		{"etcd://[::1]", "etcd://[::1]:2379"},
		{"etcd://[::1]:5", "etcd://[::1]:5"},
	};
	static const char *const bad[] = {"", "10.0.0.2", "redis://10.0.0.2", "memcached://",
		"memcached://cache", "memcached://10.0.0.2:", "etcd://a:b", "etcd://a:70000",
		"etcd://http://a:1", "kvstore://a/b", "://a:1", "etcd://a b"};
	struct registry_address a = {0};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(registry_address_parse(good[i].text, &a, NULL), 0);
		assert_string_equal(a.text, good[i].is);
		assert_non_null(a.backend);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};

		assert_int_equal(registry_address_parse(bad[i], &a, &err), -EINVAL);
		assert_true(err.msg[0]);
	}
}

static int lease_of(const char *text, int64_t *id, int64_t *ttl)
{
	return etcd_parse_lease(text, strlen(text), id, ttl);
}

/* Base64: "MTAuMC4wLjE6OTAwMg==" is 10.0.0.1:9002, "aDoxO3dlaWdodD01" is h:1;weight=5. */
static void test_etcd_answers(void **state)
{
	static const char *const bad[] = {"", "[]", "{", "{}", "{\"header\":1}", "{\"kvs\":[]}"};
	static const char range[] =
		"{\"header\":{\"revision\":\"9\"},\"kvs\":[{\"key\":\"eA==\",\"value\":"
		"\"MTAuMC4wLjE6OTAwMg==\"},{\"value\":\"aDoxO3dlaWdodD01\"},{\"value\":\"!\"},"
		"{\"value\":7},7,{\"value\":\"eA==\"}],\"count\":\"4\"}";
	static const char *const no_lease[] = {"", "{}", "{\"result\":{}}",
		"{\"header\":{},\"ID\":7}", "{\"header\":{},\"ID\":\"-7\"}",
		"{\"header\":{},\"ID\":\"99999999999999999999\"}"};
	struct endpoints list;
	int64_t id, ttl;

	assert_int_equal(etcd_parse_range(range, strlen(range), &list), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.item[0].text, "10.0.0.1:9002");
	assert_int_equal(list.item[1].weight, 5);
	assert_int_equal(etcd_parse_range("{\"header\":{}}", 13, &list), 0);
	assert_int_equal(list.count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(etcd_parse_range(bad[i], strlen(bad[i]), &list), -EPROTO);
	assert_int_equal(lease_of("{\"header\":{},\"ID\":\"7587\",\"TTL\":\"15\"}", &id, &ttl), 0);
	assert_int_equal(id, 7587);
	assert_int_equal(ttl, 15);
	assert_int_equal(lease_of("{\"result\":{\"header\":{},\"ID\":\"7\"}}\n", &id, &ttl), 0);
	assert_int_equal(ttl, 0); /* gone */
	for (size_t i = 0; i < ARRAY_SIZE(no_lease); i++)
		assert_int_equal(
			etcd_parse_lease(no_lease[i], strlen(no_lease[i]), &id, &ttl), -EPROTO);
}

static int look(const char *text, struct memcached_slots *slots)
{
	return memcached_parse("k", text, strlen(text), slots);
}

static void test_memcached_answers(void **state)
{
	static const char good[] =
		"VALUE k 0 5 17\r\na:1\r\n\r\nVALUE k.31 4 7 18446744073709551615\r\n1.2.3.4\r\n"
		"VALUE k.2 0 5 9\r\nbb:22\r\nVALUE k.3 0 5 9\r\nbb:22\r\nEND\r\n";
	static const char *const bad[] = {"\r\n", "\n", "END\n", "ERROR\r\n", "SERVER_ERROR x\r\n",
		"END\r\nEND\r\n", "VALUE \r\n", "VALUE k\r\n", "VALUE k 0 1\r\nx\r\nEND\r\n",
		"VALUE x 0 1 1\r\nx\r\nEND\r\n", "VALUE k.32 0 1 1\r\nx\r\nEND\r\n",
		"VALUE k.0 0 1 1\r\nx\r\nEND\r\n", "VALUE k. 0 1 1\r\nx\r\nEND\r\n",
		"VALUE k 0 1 1 1\r\nx\r\nEND\r\n", "VALUE k 0 1 1\r\nxx\r\nEND\r\n",
		"VALUE k 0 70000 1\r\nx", "VALUE k 0 99999999999999999999 1\r\n",
		"VALUE k 0 -1 1\r\n", "VALUE k 0 1 1\r\nx\r\nVALUE k 0 1 1\r\nx\r\nEND\r\n"};
	struct memcached_slots slots;
	struct endpoints list;

	assert_int_equal(look(good, &slots), 0);
	assert_true(slots.slot[0].taken && slots.slot[31].taken && slots.slot[2].cas == 9);
	assert_true(slots.slot[31].cas == UINT64_MAX);
	memcached_list(&slots, &list);
	assert_int_equal(list.count,
		1); /* the first has a line end in it, the last no port, one is there twice */
	assert_string_equal(list.item[0].text, "bb:22");
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		assert_int_equal(memcached_parse("k", good, n, &slots), -EAGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(look(bad[i], &slots), -EPROTO);
	assert_int_equal(look("END\r\n", &slots), 0);
}

static void test_base64(void **state)
{
	static const char *const bad[] = {"A", "AA", "AAA",
		"A===", "====", "AB==", "AAB=", "A A=", "AAA\n", "AAAA=", "AA=A", "-_=="};
	char data[300], back[300];
	struct buf out = {0};

	for (size_t n = 0; n < sizeof(data); n++) {
		data[n] = (char)(n * 7 + 3);
		out.len = 0;
		assert_int_equal(base64_add(&out, data, n), 0);
		assert_int_equal(out.len, (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(out.data, out.len, back, n), n);
		assert_memory_equal(back, data, n);
		if (n)
			assert_int_equal(base64_decode(out.data, out.len, back, n - 1), -EMSGSIZE);
	}
	buf_fini(&out);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			base64_decode(bad[i], strlen(bad[i]), back, sizeof(back)), -EINVAL);
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
		cmocka_unit_test(test_registry_address),
		cmocka_unit_test(test_etcd_answers),
		cmocka_unit_test(test_memcached_answers),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_registry_answers),
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
