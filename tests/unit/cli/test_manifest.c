/* SPDX-License-Identifier: Apache-2.0 */
/* The validator: one bad manifest a line, with what the sentence has to say. */
#include "tests/unit/cli/test.h"

#include "cli/image/manifest.h"

#include "lib/buf.h"

#include <errno.h>

static int check(const char *text, bool host_files, struct err *err)
{
	struct yaml doc = {0};
	int rc = yaml_load("m", text, strlen(text), &doc, err);

	if (!rc)
		rc = manifest_check(&doc, host_files, err);
	yaml_fini(&doc);
	return rc;
}

#define OK "name: a\nprogram: p\n"

static void test_good(void **state)
{
	static const char *const cases[] = {
		OK,
		"name: imaging/kv-store_2.x:v1.0\nprogram: bin/p\n",
		OK "args: []\nenv: {}\nfiles: []\nports: []\nlabels: {}\n",
		OK "args: [\"\", \"a b\", \"--x=\\\"y\\\"\"]\nenv: {A: 1, _b2: \"x y\"}\n",
		OK
		"files:\n  - {from: web/static, to: /srv/www}\n  - {from: a..b, to: /etc/passwd}\n",
		"name: a\nprogram: /usr/bin/x\nfiles: [{from: /etc/x, to: /y}]\n",
		OK "memory_mib: 8\nports: [1, 65535]\nreadiness: {tcp: 80}\nwarm: {http: /a?b, "
		   "requests: 3}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = {0};

		if (check(cases[i], false, &err))
			fail_msg("%s refused: %s", cases[i], err.msg);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"[]", "m:1: a manifest is a map"},
		{"name: a\n", "m:1: has no program"},
		{"program: p\n", "m:1: has no name"},
		{OK "frob: 1\n", "m:3: frob is no field"},
		{"name: A\nprogram: p\n", "m:1: name \"A\" is no image name"},
		{"name: a/../b\nprogram: p\n", "no image name"},
		{"name: a//b\nprogram: p\n", "no image name"},
		{"name: a:b:c\nprogram: p\n", "no image name"},
		{"name: a:b/c\nprogram: p\n", "no image name"},
		{"name: -a\nprogram: p\n", "no image name"},
		{"name: a/\nprogram: p\n", "no image name"},
		{"name: 7\nprogram: p\n", "m:1: name is not a text"},
		{"name: a\nprogram: [p]\n", "m:2: program is not a text"},
		{"name: a\nprogram: ''\n", "not a plain path"},
		{"name: a\nprogram: ../p\n", "m:2: program \"../p\" is not a plain path"},
		{"name: a\nprogram: x/../../p\n", "not a plain path"},
		{"name: a\nprogram: ./p\n", "not a plain path"},
		{"name: a\nprogram: p/\n", "not a plain path"},
		{"name: a\nprogram: /root/x\n", "--host-files"},
		{"name: a\nprogram: /usrx/x\n", "--host-files"},
		{"name: a\nprogram: /usr/../root/x\n", "not a plain path"},
		{"name: a\nprogram: \"p\\n\"\n", "control character"},
		{OK "args: x\n", "m:3: args is not a list"},
		{OK "args: [1]\n", "m:3: args/0 is not a text"},
		{OK "args:\n  - ok\n  - [no]\n", "m:5: args/1 is not a text"},
		{OK "args: [\"a\\e[31m\"]\n", "control character"},
		{OK "env: [A=1]\n", "m:3: env is not a map"},
		{OK "env: {1A: x}\n", "no name of an environment variable"},
		{OK "env: {'A B': x}\n", "no name of an environment variable"},
		{OK "env: {'A=B': x}\n", "no name of an environment variable"},
		{OK "env: {'': x}\n", "no name of an environment variable"},
		{OK "env: {A: true}\n", "is not a text"},
		{OK "env: {A: {}}\n", "is not a text"},
		{OK "files: {}\n", "is not a list"},
		{OK "files: [a]\n", "m:3: files/0 is not a map"},
		{OK "files: [{from: a}]\n", "has no to"},
		{OK "files: [{to: /a}]\n", "has no from"},
		{OK "files: [{from: a, to: /a, mode: 7}]\n", "mode is no field"},
		{OK "files: [{from: ../a, to: /a}]\n", "not a plain path"},
		{OK "files: [{from: /home/a, to: /a}]\n", "--host-files"},
		{OK "files: [{from: a, to: a}]\n", "not a plain absolute path"},
		{OK "links: [{to: /, target: a}]\n", "no place for"},
		{OK "links: [{to: /a, target: ''}]\n", "is empty"},
		{OK "to: x\n", "not a plain absolute path"},
		{OK "cwd: x/\n", "not a plain absolute path"},
		{OK "files: [{from: a, to: //a}]\n", "not a plain absolute path"},
		{OK "files: [{from: a, to: /a/}]\n", "not a plain absolute path"},
		{OK "files: [{from: a, to: /a/../../b}]\n", "not a plain absolute path"},
		{OK "files: [{from: a, to: /proc/x}]\n", "is in /proc"},
		{OK "files: [{from: a, to: /dev}]\n", "is in /dev"},
		{OK "files: [{from: a, to: /etc/uigniter/cmdline}]\n", "is in /etc/uigniter"},
		{OK "memory_mib: 7\n", "m:3: memory_mib is not a whole number from 8 to 65536"},
		{OK "memory_mib: 64M\n", "not a whole number"},
		{OK "memory_mib: -64\n", "not a whole number"},
		{OK "ports: 80\n", "not a list"},
		{OK "ports: [0]\n", "from 1 to 65535"},
		{OK "ports: [80, 65536]\n", "ports/1"},
		{OK "readiness: 80\n", "not a map"},
		{OK "readiness: {}\n", "has no tcp"},
		{OK "readiness: {http: /}\n", "http is no field"},
		{OK "readiness: {tcp: x}\n", "readiness/tcp is not a whole number"},
		{OK "warm: {}\n", "has no http"},
		{OK "warm: {http: x}\n", "warm/http is not the path"},
		{OK "warm: {http: \"/ x\"}\n", "warm/http is not the path"},
		{OK "warm: {http: /, requests: 0}\n", "warm/requests"},
		{OK "warm: {http: /, requests: 1001}\n", "warm/requests"},
		{OK "labels: {a: 1}\n", "is not a text"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = {0};

		if (check(cases[i].text, false, &err) != -EINVAL)
			fail_msg("taken: %s", cases[i].text);
		assert_contains(err.msg, cases[i].says);
	}
}

static void test_host_files(void **state)
{
	struct err err = {0};

	assert_int_equal(
		check("name: a\nprogram: /root/x\nfiles: [{from: /var/x, to: /y}]\n", true, &err),
		0);
	assert_int_equal(check("name: a\nprogram: /usr/../x\n", true, &err), -EINVAL);
	assert_int_equal(check("name: a\nprogram: /\n", true, &err), -EINVAL);
}

static void test_counts(void **state)
{
	struct buf text _cleanup_buf_ = {0};
	struct err err = {0};

	assert_int_equal(buf_addstr(&text, OK "ports: [1"), 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(buf_addstr(&text, ",1"), 0);
	assert_int_equal(buf_addstr(&text, "]\n"), 0);
	assert_int_equal(check(text.data, false, &err), -EINVAL);
	assert_contains(err.msg, "more than 64 entries");
	text.len = 0;
	assert_int_equal(buf_addstr(&text, OK "args: [\""), 0);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(buf_addstr(&text, "x"), 0);
	assert_int_equal(buf_addstr(&text, "\"]\n"), 0);
	assert_int_equal(check(text.data, false, &err), -EINVAL);
	assert_contains(err.msg, "longer than 4095 bytes");
}

static void test_names(void **state)
{
	char longest[65];

	memset(longest, 'a', 64);
	longest[64] = '\0';
	assert_false(manifest_is_image_name(longest));
	longest[63] = '\0';
	assert_true(manifest_is_image_name(longest));
	assert_false(manifest_is_image_name(""));
	assert_true(manifest_is_image_name("a/b/c:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_host_files),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
