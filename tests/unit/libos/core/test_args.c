/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/libos/core/core.h"
#include "tests/unit/libos/core/klib.h"

#define strlcpy k_strlcpy
#include "libos/exec/args.c"
#undef strlcpy

static struct args a;
static char text[4][8192];

static int parse(int slot, const char *line)
{
	strcpy(text[slot], line);
	return args_parse(&a, text[slot]);
}

static int reset(void **state)
{
	memset(&a, 0, sizeof(a));
	return 0;
}

static void options(void **state)
{
	assert_int_equal(
		parse(0,
			"ip=10.1.2.3/24 gw=10.1.2.1 dns=9.9.9.9 search=shop.x,x hostname=a-b.c "
			"trace=1 cwd=/srv/x tsc_khz=5 "
			"wall_ns=77 patch=3 aslr=off env=A=1 env=B= quiet foo=bar -- /bin/x y"),
		0);
	assert_int_equal(a.net.ip, 0x0302010a);
	assert_int_equal(a.net.mask, 0x00ffffff);
	assert_int_equal(a.net.gateway, 0x0102010a);
	assert_int_equal(a.net.dns, 0x09090909);
	assert_string_equal(a.hostname, "a-b.c");
	assert_string_equal(a.search, "shop.x,x");
	assert_true(
		a.trace && a.tsc_khz == 5 && a.wall_ns == 77 && a.patch_after == 3 && a.no_aslr);
	assert_string_equal(a.cwd, "/srv/x");
	assert_int_equal(a.envc, 2);
	assert_string_equal(a.envp[1], "B=");
	assert_null(a.envp[2]);
	assert_int_equal(a.argc, 2);
	assert_string_equal(a.argv[1], "y");
	assert_null(a.argv[2]);
}

static void ip6(void **state)
{
	static const struct {
		const char *text;
		uint8_t bytes[16];
	} good[] = {
		{"::", {0}},
		{"::1", {[15] = 1}},
		{"1::", {0, 1}},
		{"fd12:3456:789a::75:aff:fe5d:2",
			{0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a, 0, 0, 0, 0x75, 0x0a, 0xff, 0xfe, 0x5d,
				0, 2}},
		{"1:2:3:4:5:6:7:8", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
		{"1:2:3:4:5:6:7::", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7}},
		{"FE80::aBcD", {0xfe, 0x80, [14] = 0xab, [15] = 0xcd}},
	};
	static const char *bad[] = {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1::2::3", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
		"12345::", "1:", "::1:", "g::", "::1.2.3.4", "::1 ", "::1%eth0"};
	char line[160];

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(line, sizeof(line), "gw6=%s ip6=%s/64 nd6=static", good[i].text,
			good[i].text);
		if (parse(0, line))
			fail_msg("%s", good[i].text);
		assert_memory_equal(a.net.gateway6, good[i].bytes, 16);
		assert_memory_equal(a.net.ip6, good[i].bytes, 16);
		assert_true(a.net.prefix6 == 64 && a.net.static6);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "\"gw6=%s\"", bad[i]);
		assert_int_equal(parse(0, line), -EINVAL);
		snprintf(line, sizeof(line), "\"ip6=%s/64\"", bad[i]);
		assert_int_equal(parse(0, line), -EINVAL);
	}
	assert_int_equal(parse(0, "ip6=::1/129"), -EINVAL);
	assert_int_equal(parse(0, "ip6=::1/"), -EINVAL);
	assert_int_equal(parse(0, "ip6=::1"), -EINVAL);
	assert_int_equal(parse(0, "nd6=maybe"), -EINVAL);
	assert_int_equal(parse(0, "nd6=ask"), 0);
	assert_false(a.net.static6);
}

static void gateway_mac(void **state)
{
	static const uint8_t mac[6] = {0x02, 0x75, 0x69, 0x67, 0xab, 0x01};
	static const char *bad[] = {"", "02", "02:75:69:67:ab",
		"02:75:69:67:ab:", "02:75:69:67:ab:1", "02:75:69:67:ab:01:", "02:75:69:67:ab:001",
		"02-75-69-67-ab-01", "02:75:69:67:ag:01", "01:75:69:67:ab:01", "ff:ff:ff:ff:ff:ff"};
	char line[64];

	assert_int_equal(parse(0, "gwmac=02:75:69:67:ab:01"), 0);
	assert_memory_equal(a.net.gateway_mac, mac, sizeof(mac));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "gwmac=%s", bad[i]);
		if (parse(0, line) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
}

static void quotes(void **state)
{
	assert_int_equal(parse(0, "env=\"K=a b\\\"c\\\\d\" -- \"/my prog\" \"\" a\\b \"x\"y"), 0);
	assert_string_equal(a.envp[0], "K=a b\"c\\d");
	assert_int_equal(a.argc, 4);
	assert_string_equal(a.argv[0], "/my prog");
	assert_string_equal(a.argv[1], "");
	assert_string_equal(a.argv[2], "a\\b");
	assert_string_equal(a.argv[3], "xy");
}

/* The image's line, then the instance's: each option of the later wins, and its program if it has one. */
static void later_lines_win(void **state)
{
	assert_int_equal(parse(0, "trace=1 env=A=1 env=B=2 hostname=one -- /default x y"), 0);
	assert_int_equal(parse(1, "env=A=9 hostname=two"), 0);
	assert_string_equal(a.envp[0], "A=9");
	assert_string_equal(a.envp[1], "B=2");
	assert_int_equal(a.envc, 2);
	assert_string_equal(a.hostname, "two");
	assert_string_equal(a.argv[0], "/default");
	assert_int_equal(parse(2, "trace=0 -- /other"), 0);
	assert_int_equal(a.argc, 1);
	assert_string_equal(a.argv[0], "/other");
	assert_false(a.trace);
	assert_int_equal(parse(3, "-- "), 0);
	assert_string_equal(a.argv[0], "/other");
}

static void bad_lines(void **state)
{
	static const char *bad[] = {"ip=1.2.3/24", "ip=1.2.3.4", "ip=1.2.3.4/33", "ip=1.2.3.256/8",
		"ip=1.2.3.4/24x", "gw=1.2.3.4.5", "gw=", "cwd=", "cwd=x", "dns=a",
		"hostname=", "search=", "\"search=a b\"", "search=a;b", "hostname=a/b", "env=A",
		"env==x", "tsc_khz=x", "wall_ns=99999999999999999999", "env=\"A=1", "-- \"x", "\""};
	char line[200] = "hostname=";

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(0, bad[i]), -EINVAL);
	memset(line + 9, 'h', 64);
	assert_int_equal(parse(0, line), -EINVAL);
	line[9 + 63] = 0;
	assert_int_equal(parse(0, line), 0);
	assert_int_equal(parse(0, ""), 0);
	assert_int_equal(parse(0, " \t\n"), 0);
}

static void too_many(void **state)
{
	char line[8192] = "-- ";

	for (int i = 0; i < ARGS_MAX_WORDS; i++)
		strcat(line, "a ");
	assert_int_equal(parse(0, line), 0);
	assert_int_equal(a.argc, ARGS_MAX_WORDS);
	strcat(line, "b");
	assert_int_equal(parse(0, line), -E2BIG);
	line[0] = 0;
	for (int i = 0; i <= ARGS_MAX_WORDS; i++)
		sprintf(line + strlen(line), "env=%d= ", i);
	assert_int_equal(parse(0, line), -E2BIG);
	assert_null(a.envp[ARGS_MAX_WORDS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(options, reset),
		cmocka_unit_test_setup(ip6, reset),
		cmocka_unit_test_setup(gateway_mac, reset),
		cmocka_unit_test_setup(quotes, reset),
		cmocka_unit_test_setup(later_lines_win, reset),
		cmocka_unit_test_setup(bad_lines, reset),
		cmocka_unit_test_setup(too_many, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
