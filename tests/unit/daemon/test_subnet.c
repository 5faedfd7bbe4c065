/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "daemon/network/subnet.h"

#include <errno.h>
#include <string.h>

static void test_bad(void **state)
{
	static const char *const bad[] = {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/x",
		"10.0.0.0/16 ", "10.0.0.0/016", "10.0.0.0/-1", "10.0.0.0/31", "10.0.0.0/32",
		"10.0.0.0/15", "10.0.0.0/0", "10.0.1.0/16", "10.0.0/16", "10.0.0.0.0/16",
		"256.0.0.0/16", "010.0.0.0/16", "::/64", "1000.1000.1000.1000/16", " 10.0.0.0/16"};
	struct subnet s;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = (struct err){0};
		if (subnet_parse(bad[i], &s, &err) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(strlen(err.msg) > 0);
	}
}

static void test_hosts(void **state)
{
	struct subnet s;
	char text[IPV4_TEXT_BYTES];

	(void)state;
	assert_int_equal(subnet_parse("10.7.8.4/30", &s, NULL), 0);
	assert_int_equal(subnet_hosts(&s), 1);
	ipv4_format(subnet_gateway(&s), text);
	assert_string_equal(text, "10.7.8.5");
	ipv4_format(subnet_host(&s, 0), text);
	assert_string_equal(text, "10.7.8.6");
	assert_int_equal(subnet_parse("10.93.0.0/16", &s, NULL), 0);
	assert_int_equal(subnet_hosts(&s), 65533);
	ipv4_format(subnet_host(&s, 65532), text);
	assert_string_equal(text, "10.93.255.254");
}

static void test_index(void **state)
{
	struct subnet s;
	uint32_t ip;

	(void)state;
	assert_int_equal(subnet_parse("10.7.8.0/24", &s, NULL), 0);
	for (uint32_t i = 0; i < subnet_hosts(&s); i++)
		assert_int_equal(subnet_index(&s, subnet_host(&s, i)), i);
	static const char *const none[] = {"10.7.8.0", "10.7.8.1", "10.7.8.255", "10.7.9.2",
		"10.7.7.255", "0.0.0.0", "255.255.255.255"};
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(ipv4_parse(none[i], &ip), 0);
		assert_int_equal(subnet_index(&s, ip), -ENOENT);
	}
}

static void test_overlap(void **state)
{
	struct subnet s;

	(void)state;
	assert_int_equal(subnet_parse("10.93.0.0/16", &s, NULL), 0);
	assert_true(subnet_overlaps(&s, 0x0a5d0000, 16));
	assert_true(subnet_overlaps(&s, 0x0a5d0300, 24));
	assert_true(subnet_overlaps(&s, 0x0a000000, 8));
	assert_true(subnet_overlaps(&s, 0, 0));
	assert_true(subnet_overlaps(&s, 0x0a5d0001, 32));
	assert_false(subnet_overlaps(&s, 0x0a5c0000, 16));
	assert_false(subnet_overlaps(&s, 0x0b000000, 8));
}

static void test_mac(void **state)
{
	static const char *const bad[] = {"", "02:00:5e:10:00", "02:00:5e:10:00:1",
		"02-00-5e-10-00-01", "02:00:5e:10:00:0g",
		"02:00:5e:10:00:01:", "02:00:5e:10:00:01 ", ":2:00:5e:10:00:01"};
	uint8_t mac[MAC_BYTES] = {9};
	char text[MAC_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mac_parse(bad[i], mac), -EINVAL);
	assert_int_equal(mac[0], 9);
	assert_int_equal(mac_parse("02:00:5E:1a:00:ff", mac), 0);
	mac_format(mac, text);
	assert_string_equal(text, "02:00:5e:1a:00:ff");
	assert_false(mac_is_none(mac));
	assert_int_equal(mac_parse("00:00:00:00:00:00", mac), 0);
	assert_true(mac_is_none(mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
