/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of memcached's text protocol, and the limits of a session. What real servers answer: tests/app/test_memcached.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/kvstore/mc_session.h"
#include "services/kvstore/store.h"

static struct mc_shared sh;
static struct mc_session s;

static int setup(void **state)
{
	(void)state;
	sh = (struct mc_shared){
		.item_max = 1000, .buffer_max = MIB, .now_ns = 5 * NS_PER_S, .unix_s = 1800000000};
	if (cache_new(MIB, &sh.cache) < 0 || store_new(&sh.store) < 0)
		return -1;
	mc_session_init(&s, &sh);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mc_session_fini(&s);
	assert_int_equal(sh.buffered, 0);
	cache_free(sh.cache);
	store_free(sh.store);
	return 0;
}

static void says(const char *in, const char *want)
{
	assert_int_equal(mc_session_feed(&s, in, strlen(in)), strlen(in));
	assert_string_equal(s.out.data ? s.out.data + s.sent : "", want);
	mc_session_sent(&s, mc_session_waiting(&s));
	if (s.out.data)
		s.out.data[0] = 0;
}

static void refuses(const char *line, const char *want)
{
	struct mc_cmd cmd;
	const char *why = mc_parse(line, strlen(line), &cmd);

	assert_non_null(why);
	assert_string_equal(why, want);
}

static void test_lines(void **state)
{
	const char *line = "  cas key 4294967295 -5 10   18446744073709551615 noreply ";
	struct mc_cmd cmd;

	(void)state;
	assert_null(mc_parse(line, strlen(line), &cmd));
	assert_int_equal(cmd.verb, MC_CAS);
	assert_true(cmd.noreply && cmd.key_len == 3 && memcmp(cmd.key, "key", 3) == 0);
	assert_true(cmd.flags == UINT32_MAX && cmd.exptime == -5 && cmd.size == 10);
	assert_true(cmd.number == UINT64_MAX);
	assert_null(mc_parse("flush_all noreply", 17, &cmd));
	assert_true(cmd.noreply && cmd.exptime == 0);
	assert_null(mc_parse("delete k 0 noreply", 18, &cmd));
	assert_true(cmd.noreply);
}

static void test_bad_lines(void **state)
{
	(void)state;
	refuses("", MC_ERROR);
	refuses("   ", MC_ERROR);
	refuses("sets k 0 0 1", MC_ERROR);
	refuses("set k 0 0", MC_ERROR);
	refuses("set k 0 0 1 noreply x", MC_ERROR);
	refuses("set k 0 0 1 reply", MC_BAD_FORMAT);
	refuses("set k 4294967296 0 1", MC_BAD_FORMAT);
	refuses("set k -1 0 1", MC_BAD_FORMAT);
	refuses("set k 0 9223372036854775808 1", MC_BAD_FORMAT);
	refuses("set k 0 - 1", MC_BAD_FORMAT);
	refuses("set k 0 0 -1", MC_BAD_FORMAT);
	refuses("set k 0 0 2147483648", MC_BAD_FORMAT);
	refuses("set k\x01 0 0 1", MC_BAD_FORMAT);
	refuses("set k\x7f 0 0 1", MC_BAD_FORMAT);
	refuses("cas k 0 0 1 18446744073709551616", MC_BAD_FORMAT);
	refuses("incr k 18446744073709551616", MC_BAD_DELTA);
	refuses("touch k 1x", MC_BAD_EXPTIME);
	refuses("get k", MC_ERROR); /* a list: not for this function */
	refuses("1 2 3 4 5 6 7 8 9 10 11", MC_ERROR);
}

static void test_expiry(void **state)
{
	(void)state;
	says("set rel 0 10 1\r\na\r\nset abs 0 1800000020 1\r\nb\r\nset neg 0 -1 1\r\nc\r\n"
	     "set old 0 1799999999 1\r\nd\r\nset far 0 9223372036854775807 1\r\ne\r\n",
		"STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nSTORED\r\n");
	sh.now_ns += 10 * NS_PER_S - 1;
	says("get rel neg old\r\n", "VALUE rel 0 1\r\na\r\nEND\r\n");
	sh.now_ns += 1;
	says("get rel abs\r\n", "VALUE abs 0 1\r\nb\r\nEND\r\n");
	sh.now_ns += 10 * NS_PER_S;
	says("get abs far\r\n", "VALUE far 0 1\r\ne\r\nEND\r\n");
	says("gat 5 far\r\n", "VALUE far 0 1\r\ne\r\nEND\r\n");
	sh.now_ns += 5 * NS_PER_S;
	says("get far\r\n", "END\r\n");
}

static void test_too_large_is_swallowed(void **state)
{
	char data[1100];

	(void)state;
	says("set k 0 0 3\r\nold\r\nadd k 0 0 1001\r\n",
		"STORED\r\nSERVER_ERROR object too large for cache\r\n");
	memset(data, '\n', 1003);
	data[1003] = 0;
	says(data, "");
	says("get k\r\nset k 0 0 1001\r\n",
		"VALUE k 0 3\r\nold\r\nEND\r\nSERVER_ERROR object too large for cache\r\n");
	says(data, "");
	says("get k\r\n", "END\r\n"); /* stale: memcached drops it too */
}

static void test_append_has_the_limit_too(void **state)
{
	(void)state;
	sh.item_max = 5;
	says("set k 0 0 3\r\nabc\r\nappend k 0 0 3\r\ndef\r\nprepend k 0 0 2\r\nxy\r\nget k\r\n",
		"STORED\r\nSERVER_ERROR object too large for cache\r\nSTORED\r\n"
		"VALUE k 0 5\r\nxyabc\r\nEND\r\n");
}

static void test_long_lines_and_words(void **state)
{
	static char text[MC_LINE_MAX_BYTES * 3];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	says(text, "CLIENT_ERROR line too long\r\n");
	says("more\r\nversion\r\n", "VERSION " UIGNITER_VERSION "\r\n");
	says("get a ", "");
	says(text, MC_BAD_FORMAT);
	says("b c\r\nget a\r\n", "END\r\n");
	text[250] = 0;
	says("get ", "");
	says(text, "");
	says("\r\n", "END\r\n");
}

static void test_output_stops_the_input(void **state)
{
	static char line[8003];
	size_t used;

	(void)state;
	says("set k 0 0 1000 noreply\r\n", "");
	memset(line, 'v', 1000);
	memcpy(line + 1000, "\r\n", 3);
	says(line, "");
	memcpy(line, "get", 3);
	for (size_t i = 0; i < 3999; i++)
		memcpy(line + 3 + i * 2, " k", 2);
	memcpy(line + 8001, "\n", 2);
	used = mc_session_feed(&s, line, 8002);
	assert_true(used < 200);
	assert_true(mc_session_waiting(&s) >= MC_OUT_HIGH_BYTES);
	assert_true(mc_session_waiting(&s) < MC_OUT_HIGH_BYTES + 1100);
	assert_int_equal(mc_session_feed(&s, line + used, 8002 - used), 0);
	mc_session_sent(&s, mc_session_waiting(&s));
	assert_true(mc_session_feed(&s, line + used, 8002 - used) > 0);
}

static void test_room_of_all_together(void **state)
{
	struct mc_session other;

	(void)state;
	mc_session_init(&other, &sh);
	sh.buffer_max = 1500;
	assert_int_equal(mc_session_feed(&other, "set a 0 0 1000\r\nv", 17), 17);
	assert_int_equal(sh.buffered, 1000);
	says("set b 0 0 1000\r\n", "SERVER_ERROR out of memory storing object\r\n");
	mc_session_fini(&other);
	assert_true(sh.buffered < 200);
}

static void test_registry_is_read_only(void **state)
{
	(void)state;
	assert_int_equal(store_put(sh.store, "dbendpoint", "10.0.0.2:1", NS_PER_S, sh.now_ns), 0);
	says("gets dbendpoint\r\n", "VALUE dbendpoint 0 10 0\r\n10.0.0.2:1\r\nEND\r\n");
	says("set dbendpoint 0 0 1\r\nx\r\n", "SERVER_ERROR the key is registered by HTTP\r\n");
	says("add dbendpoint 0 0 1\r\nx\r\n", "NOT_STORED\r\n");
	says("delete dbendpoint\r\n", "SERVER_ERROR the key is registered by HTTP\r\n");
	says("flush_all\r\nget dbendpoint\r\n",
		"OK\r\nVALUE dbendpoint 0 10\r\n10.0.0.2:1\r\nEND\r\n");
	sh.now_ns += NS_PER_S; /* nobody renewed it */
	says("add dbendpoint 0 0 1\r\nx\r\n", "STORED\r\n");
}

static void test_quit(void **state)
{
	(void)state;
	assert_int_equal(mc_session_feed(&s, "quit\r\nversion\r\n", 15), 6);
	assert_true(s.quit);
	assert_int_equal(mc_session_waiting(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large_is_swallowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_append_has_the_limit_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines_and_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_stops_the_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room_of_all_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registry_is_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
