/* SPDX-License-Identifier: Apache-2.0 */
/* Fields one by one are held by tests/api/test_errors.py, over the wire; here what a caller gets out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/api/run_request.h"

#include <errno.h>
#include <string.h>

static int parse(const char *body, struct run_request *q, struct check *c)
{
	return run_request_parse(body, strlen(body), q, c);
}

static void test_least(void **state)
{
	struct run_request q;
	struct check c;

	(void)state;
	assert_int_equal(parse("{\"image_name\":\"a/b:1\"}", &q, &c), 0);
	assert_string_equal(q.image_name, "a/b:1");
	assert_null(q.name);
	assert_null(q.argv);
	assert_int_equal(q.memory_mib, 0);
	assert_int_equal(q.vcpus, 1);
	assert_int_equal(q.wait, RUN_WAIT_STARTED);
	assert_false(q.auto_remove);
	run_request_fini(&q);
}

static void test_most(void **state)
{
	static const char body[] = "{\"Image_Name\":\"a\",\"NAME\":\"n\",\"Args\":[\"x\",\"\",\"y "
				   "z\",\"\\\"\"],\"memory_MIB\":96,\"vcpus\":2,"
				   "\"monitor\":\"process\",\"ip_address\":\"10.1.2.3\",\"env\":{"
				   "\"K\":\"v\"},\"labels\":{\"a\":\"b\"},"
				   "\"ports\":[{\"host\":8080,\"guest\":80},{\"guest\":81,"
				   "\"address\":\"127.0.0.2\"}],\"wait\":\"ready\","
				   "\"wait_timeout_ms\":5,\"auto_remove\":true,\"read_only\":true,"
				   "\"more\":{\"deep\":[1]},\"volumes\":[],"
				   "\"vsock\":{\"cid\":5},\"restart\":null}";
	struct run_request q;
	struct check c;

	(void)state;
	assert_int_equal(parse(body, &q, &c), 0);
	assert_string_equal(q.name, "n");
	assert_string_equal(q.argv[2], "y z");
	assert_string_equal(q.argv[1], "");
	assert_string_equal(q.argv[3], "\"");
	assert_null(q.argv[4]);
	assert_int_equal(q.memory_mib, 96);
	assert_int_equal(q.ip, 0x0a010203);
	assert_string_equal(json_string_value(json_object_get(q.env, "K")), "v");
	assert_int_equal(q.port_count, 2);
	assert_true(q.vsock.wanted && q.vsock.cid == 5);
	assert_int_equal(q.ports[0].host_port, 8080);
	assert_int_equal(q.ports[0].host_ip, 0x7f000001);
	assert_int_equal(q.ports[1].guest_port, 81);
	assert_int_equal(q.ports[1].host_ip, 0x7f000002);
	assert_int_equal(q.wait, RUN_WAIT_READY);
	assert_true(q.auto_remove);
	run_request_fini(&q);
}

static void test_where(void **state)
{
	static const struct {
		const char *body, *pointer;
	} cases[] = {
		{"{}", "/image_name"},
		{"{\"image_name\":null}", "/image_name"},
		{"{\"image_name\":\"a\",\"VCPUS\":0}", "/vcpus"},
		{"{\"image_name\":\"a\",\"env\":{\"1\":\"x\"}}", "/env/1"},
		{"{\"image_name\":\"a\",\"args\":[\"a\",1]}", "/args/1"},
		{"{\"image_name\":\"a\",\"ports\":[{\"guest\":1},{}]}", "/ports/1/guest"},
		{"{\"image_name\":\"a\",\"ports\":[{\"guest\":1},{\"guest\":70000}]}",
			"/ports/1/guest"},
		{"{\"image_name\":\"a\",\"ports\":[{\"guest\":1,\"protocol\":\"icmp\"}]}",
			"/ports/0/protocol"},
		{"{\"image_name\":\"a\",\"labels\":{\"a/b~\":1}}", "/labels/a~1b~0"},
		{"{\"image_name\":\"a\",\"cmdline\":\"\\\"\"}", "/cmdline"},
		{"{\"image_name\":\"a\",\"args\":[\"a\"],\"cmdline\":\"b\"}", "/cmdline"},
		{"{\"image_name\":\"a\",\"cmdline\":\"b\",\"args\":[\"a\"]}", "/args"},
		{"{\"image_name\":\"a\",\"vsock\":1}", "/vsock"},
		{"{\"image_name\":\"a\",\"vsock\":{\"cid\":2}}", "/vsock/cid"},
		{"{\"image_name\":\"a\",\"vsock\":{\"cid\":4294967295}}", "/vsock/cid"},
		{"{\"image_name\":\"a\",\"vsock\":{\"port\":4}}", "/vsock/port"},
		{"[]", ""},
		{"", ""},
	};
	struct run_request q;
	struct check c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].body, &q, &c), -EINVAL);
		assert_string_equal(c.pointer, cases[i].pointer);
		assert_true(strlen(c.err.msg) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
