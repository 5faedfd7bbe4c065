/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/monitor/args.h"
#include "daemon/monitor/monitor.h"

#include <errno.h>
#include <string.h>

static void test_split(void **state)
{
	static const struct {
		const char *line;
		int count;
		const char *words[4];
	} cases[] = {
		{"", 0, {NULL}},
		{" \t\n ", 0, {NULL}},
		{"a", 1, {"a"}},
		{"  a  b\tc ", 3, {"a", "b", "c"}},
		{"\"a b\" c", 2, {"a b", "c"}},
		{"\"\"", 1, {""}},
		{"x=\"a b\"y", 1, {"x=a by"}},
		{"\"a\\\"b\\\\c\"", 1, {"a\"b\\c"}},
		{"\"a\\nb\"", 1, {"a\\nb"}},
		{"a\\b", 1, {"a\\b"}},
		{"'a b'", 2, {"'a", "b'"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char **words;

		assert_int_equal(args_split(cases[i].line, &words, NULL), cases[i].count);
		for (int w = 0; w < cases[i].count; w++)
			assert_string_equal(words[w], cases[i].words[w]);
		assert_null(words[cases[i].count]);
		args_free(words);
	}
}

static void test_split_bad(void **state)
{
	char line[2 * ARGS_WORDS_MAX + 3];
	char **words;

	(void)state;
	assert_int_equal(args_split("\"", &words, NULL), -EINVAL);
	assert_int_equal(args_split("a \"b", &words, NULL), -EINVAL);
	assert_int_equal(args_split("\"a\\\"", &words, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = i % 2 ? ' ' : 'a';
	line[2 * ARGS_WORDS_MAX - 1] = '\0';
	assert_int_equal(args_split(line, &words, NULL), ARGS_WORDS_MAX);
	args_free(words);
	line[2 * ARGS_WORDS_MAX - 1] = ' ';
	line[2 * ARGS_WORDS_MAX + 1] = '\0';
	assert_int_equal(args_split(line, &words, NULL), -E2BIG);
}

/* Whatever the words are, a line made of them is taken apart into the same. */
static void test_there_and_back(void **state)
{
	char *const words[] = {(char[]){"plain"}, (char[]){""}, (char[]){"two words"},
		(char[]){"q\"uo\\te\\"}, (char[]){"\t\n\r"}, (char[]){"\\"}, (char[]){"\""},
		(char[]){"\xc3\xa4"}, (char[]){"--"}, NULL};
	_cleanup_free_ char *line = args_join(words);
	char **back;

	(void)state;
	assert_int_equal(args_split(line, &back, NULL), (int)ARRAY_SIZE(words) - 1);
	for (size_t i = 0; words[i]; i++)
		assert_string_equal(back[i], words[i]);
	args_free(back);
	free(line);
	line = args_join(NULL);
	assert_string_equal(line, "");
}

/* The subnet of the boot lines below. */
const struct subnet *__wrap_network_subnet(const struct network *net);
const struct subnet *__wrap_network_subnet(const struct network *net)
{
	static const struct subnet subnet = {.base = 0x0a4d0000, .prefix = 24};

	(void)net;
	return &subnet;
}

static struct subnet6 subnet6;
const uint8_t *__wrap_network_gateway_mac(const struct network *net);
const uint8_t *__wrap_network_gateway_mac(const struct network *net)
{
	static const uint8_t mac[MAC_BYTES] = {2, 0x75, 0, 0, 0xab, 1};

	(void)net;
	return mac;
}

const struct subnet6 *__wrap_network_subnet6(const struct network *net);
const struct subnet6 *__wrap_network_subnet6(const struct network *net)
{
	(void)net;
	return &subnet6;
}

/* The monitor looks for its guest's addresses in the first words. */
static void test_boot_ip6(void **state)
{
	struct start_spec spec = {.hostname = "it"};
	const struct lease lease = {
		.ip = 0x0a4d0007, .ip6 = {0xfd, [8] = 0, 0x75, 0x0a, 0xff, 0xfe, 0x4d, 0, 7}};
	_cleanup_buf_ struct buf line;

	(void)state;
	subnet6 = (struct subnet6){.on = true, .base = {0xfd}};
	buf_init(&line, 0);
	assert_int_equal(args_boot(NULL, &lease, &spec, &line, NULL), 0);
	assert_string_equal(line.data,
		"ip=10.77.0.7/24 ip6=fd00::75:aff:fe4d:7/64 gw=10.77.0.1 gwmac=02:75:00:00:ab:01 "
		"gw6=fd00::1 nd6=static "
		"hostname=it");
	subnet6.on = false;
}

static void test_boot(void **state)
{
	char *const env[] = {(char[]){"A=1"}, (char[]){"B=x y"}, NULL};
	char *const argv[] = {(char[]){"/bin/x"}, (char[]){"a b"}, NULL};
	struct start_spec spec = {.hostname = "it", .env = env, .argv = argv};
	const struct lease lease = {.ip = 0x0a4d0007};
	_cleanup_buf_ struct buf line;

	(void)state;
	buf_init(&line, 0);
	assert_int_equal(args_boot(NULL, &lease, &spec, &line, NULL), 0);
	assert_string_equal(line.data,
		"ip=10.77.0.7/24 gw=10.77.0.1 gwmac=02:75:00:00:ab:01 hostname=it env=A=1 "
		"\"env=B=x y\" -- /bin/x \"a b\"");
	buf_fini(&line);
	spec.argv = NULL;
	assert_int_equal(args_boot(NULL, &lease, &spec, &line, NULL), 0);
	assert_null(strstr(line.data, "--"));
}

static void test_boot_too_long(void **state)
{
	static char big[ARGS_BOOT_MAX + 1];
	char *const argv[] = {big, NULL};
	const struct start_spec spec = {.hostname = "it", .argv = argv};
	const struct lease lease = {.ip = 0x0a4d0007};
	_cleanup_buf_ struct buf line;
	struct err err;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	buf_init(&line, 0);
	assert_int_equal(args_boot(NULL, &lease, &spec, &line, &err), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_bad),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_boot_ip6),
		cmocka_unit_test(test_boot_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
