/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and paths of the API, and what is said when nobody answers. */
#include "tests/unit/cli/test.h"

#include "cli/api.h"
#include "cli/exit.h"

#include <errno.h>

static void test_addresses(void **state)
{
	static const char *const good[] = {
		"unix:///run/x.sock", "tcp://127.0.0.1:6666", "http://localhost:6666"};
	static const char *const bad[] = {"", "x", "unix://", "unix://relative", "tcp://",
		"ftp://a:1", "tcp://a:1/path", "tcp://user@a:1", "tcp://a b:1"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct api *api = NULL;
		struct err err = {0};

		assert_int_equal(api_open(good[i], &api, &err), 0);
		api_close(api);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct api *api = NULL;
		struct err err = {0};

		assert_int_equal(api_open(bad[i], &api, &err), -EINVAL);
		assert_null(api);
		assert_contains(err.msg, "no address of a manager");
	}
}

static void test_paths(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "../x", "a/b", "a?b", "a%2fb", "a b", "a#", "-a", "a\n", "\xc3\xa4"};
	struct buf path _cleanup_buf_ = {0};
	struct err err = {0};

	assert_int_equal(api_vm_path(&path, "web.1-x_2", "/stop", &err), 0);
	assert_string_equal(path.data, "/vm/web.1-x_2/stop");
	assert_int_equal(api_image_path(&path, "a/b:1", &err), 0);
	assert_string_equal(path.data, "/image/a/b:1");
	assert_int_equal(api_image_path(&path, "a/../b", &err), -ENOENT);
	assert_int_equal(api_image_path(&path, "a//b", &err), -ENOENT);
	assert_int_equal(api_image_path(&path, "/a", &err), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(api_vm_path(&path, bad[i], "", &err), -ENOENT);
}

static void test_nobody_there(void **state)
{
	static const char *const hosts[] = {
		"unix:///nonexistent/uigniterd.sock", "tcp://127.0.0.1:1"};

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct api *api _cleanup_(api_closep) = NULL;
		json_t *answer = NULL;
		struct err err = {0};

		assert_int_equal(api_open(hosts[i], &api, &err), 0);
		assert_int_equal(
			api_call(api, &(struct api_request){.path = "/version"}, &answer, &err),
			-ECONNREFUSED);
		assert_contains(err.msg, hosts[i]);
		assert_contains(err.msg, "start uigniterd");
		assert_null(answer);
	}
}

static void test_exit_statuses(void **state)
{
	assert_int_equal(exit_status_of(0), 0);
	assert_int_equal(exit_status_of(-EIO), 1);
	assert_int_equal(exit_status_of(-EINVAL), 1);
	assert_int_equal(exit_status_of(-ENOENT), 3);
	assert_int_equal(exit_status_of(-EEXIST), 4);
	assert_int_equal(exit_status_of(-ECONNREFUSED), 5);
	assert_int_equal(exit_status_of(-ETIMEDOUT), 124);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
