/* SPDX-License-Identifier: Apache-2.0 */
/* The options of run as a request's body. */
#include "tests/unit/cli/test.h"

#include "cli/command.h"
#include "cli/parse.h"
#include "cli/run_request.h"

#include "lib/jsonx.h"

#include <errno.h>

static int request(json_t **body, struct err *err, int argc, char **argv)
{
	struct args *a _cleanup_(args_freep) = NULL;
	int words, rc;

	rc = args_parse(command_find(argc, argv, &words), argc, argv, &a, err);
	return rc ? rc : run_request(a, body, err);
}

#define REQUEST(body, err, ...)                                                                    \
	request(body, err, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),          \
		(char *[]){__VA_ARGS__, NULL})
#define W(s) ((char[]){s})

static void test_whole_body(void **state)
{
	json_t *body _cleanup_json_ = NULL, *wanted _cleanup_json_ = NULL;
	struct err err = {0};

	setenv("UIG_TEST_ENV", "mine", 1);
	assert_int_equal(
		REQUEST(&body, &err, W("run"), W("-d"), W("--rm"), W("--name"), W("n"), W("-m"),
			W("65M"), W("-e"), W("A=b=c"), W("-e"), W("UIG_TEST_ENV"), W("-e"),
			W("UIG_TEST_UNSET"), W("-l"), W("k"), W("-p"), W("127.0.0.2:8080:80"),
			W("-p"), W("81"), W("--wait"), W("--timeout"), W("1.5"), W("img:1"),
			W("--"), W("/bin/p"), W("a b")),
		0);
	wanted = json_loads(
		"{\"image_name\":\"img:1\",\"name\":\"n\",\"memory_mib\":65,\"auto_remove\":true,"
		"\"env\":{\"A\":\"b=c\",\"UIG_TEST_ENV\":\"mine\"},\"labels\":{\"k\":\"\"},"
		"\"ports\":[{\"address\":\"127.0.0.2\",\"host\":8080,\"guest\":80},"
		"{\"address\":\"127.0.0.1\",\"host\":0,\"guest\":81}],"
		"\"wait\":\"ready\",\"wait_timeout_ms\":1500,\"args\":[\"/bin/p\",\"a b\"]}",
		0, NULL);
	assert_non_null(wanted);
	assert_true(json_equal(body, wanted));
}

static void test_from_a_snapshot(void **state)
{
	json_t *body _cleanup_json_ = NULL, *wanted _cleanup_json_ = NULL;
	struct err err = {0};

	assert_int_equal(
		REQUEST(&body, &err, W("run"), W("-d"), W("--from"), W("one"), W("--name"), W("n")),
		0);
	wanted = json_pack("{s:s, s:s}", "from", "one", "name", "n");
	assert_true(json_equal(body, wanted));
}

static void test_foreground_removes_itself(void **state)
{
	json_t *body _cleanup_json_ = NULL;
	struct err err = {0};

	assert_int_equal(REQUEST(&body, &err, W("run"), W("--rm"), W("img")), 0);
	assert_null(json_object_get(body, "auto_remove"));
}

static void test_limits(void **state)
{
	static const char *const bad[] = {"", "x", "-1", "0", "1.5x", "1001", "nan", "inf", "0x1"};
	json_t *body _cleanup_json_ = NULL, *wanted _cleanup_json_ = NULL;
	struct err err = {0};

	assert_int_equal(REQUEST(&body, &err, W("run"), W("--cpu-limit"), W("1.5"),
				 W("--cpu-weight"), W("20"), W("--pids-limit"), W("64"), W("img")),
		0);
	wanted = json_loads("{\"cpu_percent\":150,\"cpu_weight\":20,\"pids\":64}", 0, NULL);
	assert_true(json_equal(json_object_get(body, "limits"), wanted));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *none = NULL;
		char value[16];

		snprintf(value, sizeof(value), "%s", bad[i]);
		err = (struct err){0};
		assert_int_equal(
			REQUEST(&none, &err, W("run"), W("--cpu-limit"), value, W("img")), -EINVAL);
		assert_null(none);
	}
}

static void test_ports(void **state)
{
	static const struct {
		const char *text, *address;
		int host, guest;
		const char *protocol;
	} good[] = {{"80", "127.0.0.1", 0, 80, NULL}, {"53/udp", "127.0.0.1", 0, 53, "udp"},
		{"127.0.0.2:5353:53/udp", "127.0.0.2", 5353, 53, "udp"},
		{"1:2/tcp", "127.0.0.1", 1, 2, "tcp"}, {"8080:80", "127.0.0.1", 8080, 80, NULL},
		{"0:80", "127.0.0.1", 0, 80, NULL}, {"0.0.0.0:65535:1", "0.0.0.0", 65535, 1, NULL}};
	static const char *const bad[] = {"", ":", "80:", ":80", "0", "x", "65536", "1:65536",
		"65536:1", "-1:80", "1:2:3", "1.2.3:1:2", "127.0.0.1::80", "1:127.0.0.1:2:3",
		"080000:1", "1/", "1/UDP", "1/udp ", "/udp", "1/udp/tcp", "1/udp:2", "1/sctp",
		"a.b.c.d:1:2", "127.0.0.1:1:2 ", "1 :2", "255.255.255.255.255:1:2"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		json_t *p _cleanup_json_ = parse_port(good[i].text);

		assert_non_null(p);
		assert_string_equal(
			json_string_value(json_object_get(p, "address")), good[i].address);
		assert_int_equal(json_integer_value(json_object_get(p, "host")), good[i].host);
		assert_int_equal(json_integer_value(json_object_get(p, "guest")), good[i].guest);
		if (good[i].protocol)
			assert_string_equal(json_string_value(json_object_get(p, "protocol")),
				good[i].protocol);
		else
			assert_null(json_object_get(p, "protocol"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *p _cleanup_json_ = parse_port(bad[i]);

		if (p)
			fail_msg("port \"%s\" was taken", bad[i]);
	}
}

static void test_volumes(void **state)
{
	static const struct {
		const char *text, *source, *target;
		bool read_only;
	} good[] = {{"/etc:/data", "/etc", "/data", false},
		{"/etc:/data:ro", "/etc", "/data", true},
		{"/etc/../etc/passwd:/dev/vda:ro", "/etc/passwd", "/dev/vda", true}};
	static const char *const bad[] = {"", ":", "/etc", "/etc:", "/etc:data", ":/data",
		"/etc:/data:", "/etc:/data:rw", "/etc:/data:ro:", "/nonexistent:/data"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		json_t *v _cleanup_json_ = parse_volume(good[i].text);

		assert_non_null(v);
		assert_string_equal(
			json_string_value(json_object_get(v, "source")), good[i].source);
		assert_string_equal(
			json_string_value(json_object_get(v, "target")), good[i].target);
		assert_int_equal(json_is_true(json_object_get(v, "read_only")), good[i].read_only);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *v _cleanup_json_ = parse_volume(bad[i]);

		if (v)
			fail_msg("volume \"%s\" was taken", bad[i]);
	}
}

static void test_refused(void **state)
{
	json_t *body _cleanup_json_ = NULL;
	struct err err = {0};

	assert_int_equal(REQUEST(&body, &err, W("run"), W("-e"), W("=x"), W("img")), -EINVAL);
	assert_contains(err.msg, "--env \"=x\"");
	assert_int_equal(REQUEST(&body, &err, W("run"), W("-p"), W("http"), W("img")), -EINVAL);
	assert_contains(err.msg, "--publish \"http\"");
	assert_int_equal(REQUEST(&body, &err, W("run"), W("img"), W("--"), W("\xff")), -EINVAL);
	assert_contains(err.msg, "UTF-8");
	assert_int_equal(REQUEST(&body, &err, W("run"), W("\xff")), -EINVAL);
	assert_null(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_body),
		cmocka_unit_test(test_from_a_snapshot),
		cmocka_unit_test(test_foreground_removes_itself),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
