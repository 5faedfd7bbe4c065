/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest becomes: the argument line in the grammar of abi/identity.h, and the manager's configuration. */
#include "tests/unit/cli/test.h"

#include "abi/identity.h"

#include "cli/image/manifest.h"

#include "lib/buf.h"
#include "lib/jsonx.h"

#include <errno.h>

static json_t *manifest(const char *json)
{
	json_t *m = json_loads(json, 0, NULL);

	assert_non_null(m);
	return m;
}

static void test_line(void **state)
{
	json_t *m _cleanup_json_ = manifest(
		"{\"program\":\"x/prog\",\"args\":[\"a b\",\"\",\"q\\\"\\\\\",\"--\",\"plain\"],"
		"\"env\":{\"A\":\"1\",\"B\":\"x y\"}}");
	char *line _cleanup_free_ = NULL;
	struct err err = {0};

	assert_int_equal(manifest_cmdline(m, &line, &err), 0);
	assert_string_equal(
		line, "env=A=1 \"env=B=x y\" -- /bin/prog \"a b\" \"\" \"q\\\"\\\\\" -- plain");
}

static void test_line_is_bounded(void **state)
{
	json_t *m _cleanup_json_ = manifest("{\"program\":\"p\",\"args\":[]}");
	char text[4001], *line = NULL;
	struct err err = {0};

	assert_int_equal(manifest_cmdline_max, UIG_IDENTITY_ARGS_MAX - 1);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 5; i++)
		json_array_append_new(json_object_get(m, "args"), json_string(text));
	assert_int_equal(manifest_cmdline(m, &line, &err), -EMSGSIZE);
	assert_null(line);
}

static void test_config(void **state)
{
	json_t *m _cleanup_json_ = manifest(
		"{\"name\":\"n\",\"program\":\"/usr/bin/p\",\"args\":[\"a\"],\"memory_mib\":64,"
		"\"ports\":[80],\"readiness\":{\"tcp\":80},\"warm\":{\"http\":\"/"
		"x\"},\"files\":[]}");
	json_t *wanted _cleanup_json_ =
		manifest("{\"cmd\":[\"/usr/bin/p\",\"a\"],\"memory_mib\":64,\"ports\":[80],"
			 "\"readiness\":{\"port\":80},\"warm\":{\"path\":\"/"
			 "x\"},\"process\":{\"program\":\"/real/p\"}}");
	json_t *config _cleanup_json_ = manifest_config(m, "/real/p");

	assert_true(json_equal(config, wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_is_bounded),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
