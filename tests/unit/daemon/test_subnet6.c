/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "daemon/network/subnet6.h"

#include <errno.h>
#include <string.h>

static void test_bad(void **state)
{
	static const char *const bad[] = {"", "/", "/64", "fd00::", "fd00::/", "fd00::/63",
		"fd00::/65", "fd00::/064", "fd00::/64 ", " fd00::/64", "fd00::1/64",
		"fd00:0:0:0:1::/64", "fe80::/64", "ff02::/64", "::/64", "10.0.0.0/64", "Auto",
		"nothing", "fd00::%eth0/64",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa::/64"};
	struct subnet6 s;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = (struct err){0};
		if (subnet6_parse(bad[i], "seed", &s, &err) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(strlen(err.msg) > 0);
	}
}

static void test_addresses(void **state)
{
	static const uint8_t mac[MAC_BYTES] = {0x02, 'u', 10, 93, 0, 2};
	char text[IPV6_TEXT_BYTES], whole[IPV6_TEXT_BYTES + 4];
	uint8_t ip[IPV6_BYTES];
	struct subnet6 s;

	(void)state;
	assert_int_equal(subnet6_parse("2001:db8:1:2::/64", "", &s, NULL), 0);
	subnet6_gateway(&s, ip);
	ipv6_format(ip, text);
	assert_string_equal(text, "2001:db8:1:2::1");
	subnet6_of_mac(&s, mac, ip);
	ipv6_format(ip, text);
	assert_string_equal(text, "2001:db8:1:2:75:aff:fe5d:2");
	subnet6_format(&s, whole);
	assert_string_equal(whole, "2001:db8:1:2::/64");
}

/* The same folder has the same prefix, that of another is another; both are local (RFC 4193). */
static void test_auto(void **state)
{
	struct subnet6 a, b, c;
	char whole[IPV6_TEXT_BYTES + 4];

	(void)state;
	assert_int_equal(subnet6_parse("auto", "/run/uigniter", &a, NULL), 0);
	assert_int_equal(subnet6_parse("auto", "/run/uigniter", &b, NULL), 0);
	assert_int_equal(subnet6_parse("auto", "/run/uigniter2", &c, NULL), 0);
	assert_true(a.on && a.base[0] == 0xfd);
	assert_memory_equal(a.base, b.base, sizeof(a.base));
	assert_memory_not_equal(a.base, c.base, sizeof(a.base));
	assert_int_equal(a.base[15], 0);
	subnet6_format(&a, whole);
	assert_int_equal(subnet6_parse(whole, "", &b, NULL), 0);
	assert_memory_equal(a.base, b.base, sizeof(a.base));
}

static void test_none(void **state)
{
	struct subnet6 s = {.on = true};
	char whole[IPV6_TEXT_BYTES + 4];

	(void)state;
	assert_int_equal(subnet6_parse("none", "", &s, NULL), 0);
	assert_false(s.on);
	subnet6_format(&s, whole);
	assert_string_equal(whole, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
