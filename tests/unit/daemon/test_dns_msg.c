/* SPDX-License-Identifier: Apache-2.0 */
/* Questions by hand, byte by byte; answers as they stand in the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/network/dns_msg.h"
#include "lib/util.h"

#include <errno.h>
#include <string.h>

#define HEAD     "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define HEAD_OPT "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01"
#define DB                                                                                         \
	"\x02"                                                                                     \
	"Db"                                                                                       \
	"\x08"                                                                                     \
	"uigniter"                                                                                 \
	"\x00"
#define A_IN   "\x00\x01\x00\x01"
#define OPT(v) "\x00\x00\x29\x10\x00\x00" v "\x00\x00\x00\x00"

static struct dns_query q;
static struct dns_set set;
static uint8_t out[DNS_TCP_MAX_BYTES];

static int parse(const char *msg, size_t len)
{
	return dns_query_parse((const uint8_t *)msg, len, &q);
}
#define PARSE(text) parse(text, sizeof(text) - 1)

static void test_question(void **state)
{
	(void)state;
	assert_int_equal(PARSE(HEAD DB A_IN), DNS_NOERROR);
	assert_string_equal(q.name, "db.uigniter");
	assert_int_equal(q.type, DNS_A);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.answer_max, 512);
	assert_false(q.edns);
	assert_int_equal(PARSE(HEAD "\x00" A_IN), DNS_NOERROR);
	assert_string_equal(q.name, "");
	assert_int_equal(PARSE(HEAD "\x03"
				    "a.b"
				    "\x01"
				    "\xff"
				    "\x00" A_IN),
		DNS_NOERROR);
	assert_string_equal(q.name, "a?b.?");
}

static void test_edns(void **state)
{
	(void)state;
	assert_int_equal(PARSE(HEAD_OPT DB A_IN OPT("\x00")), DNS_NOERROR);
	assert_true(q.edns);
	assert_int_equal(q.answer_max, DNS_UDP_MAX_BYTES); /* and not the 4096 offered */
	assert_int_equal(PARSE(HEAD_OPT DB A_IN OPT("\x01")), DNS_BADVERS);
	assert_int_equal(PARSE(HEAD_OPT DB A_IN "\x00\x00\x29\x00\x10\x00\x00\x00\x00\x00\x00"),
		DNS_NOERROR);
	assert_int_equal(q.answer_max, 512);
	/* with an option in it; and a record of another kind */
	assert_int_equal(PARSE(HEAD_OPT DB A_IN
				 "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x05\x00\x0a\x00\x01x"),
		DNS_NOERROR);
	assert_int_equal(PARSE(HEAD_OPT DB A_IN "\x01"
						"k"
						"\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x00"),
		DNS_NOERROR);
	assert_false(q.edns);
}

static void test_nothing_to_answer(void **state)
{
	(void)state;
	for (size_t len = 0; len < DNS_HEADER_BYTES; len++)
		assert_int_equal(parse(HEAD, len), -EBADMSG);
	assert_int_equal(
		PARSE("\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00" DB A_IN), -EBADMSG);
}

static void test_cut_anywhere(void **state)
{
	static const char whole[] = HEAD_OPT DB A_IN OPT("\x00");

	(void)state;
	for (size_t len = DNS_HEADER_BYTES; len < sizeof(whole) - 1; len++) {
		char *copy = malloc(len); /* ASan sees what is read behind it */

		memcpy(copy, whole, len);
		assert_int_equal(parse(copy, len), DNS_FORMERR);
		free(copy);
	}
}

static void test_bad(void **state)
{
	char name[300] = HEAD, big[DNS_QUERY_MAX + 1] = HEAD;
	size_t n = DNS_HEADER_BYTES;

	(void)state;
	assert_int_equal(PARSE(HEAD DB A_IN "x"), DNS_FORMERR);     /* bytes behind it */
	assert_int_equal(PARSE(HEAD "\xc0\x0c" A_IN), DNS_FORMERR); /* compressed: itself */
	assert_int_equal(PARSE(HEAD "\x40"
				    "x" A_IN),
		DNS_FORMERR);
	assert_int_equal(PARSE("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" DB A_IN DB A_IN),
		DNS_FORMERR);
	assert_int_equal(PARSE("\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), DNS_FORMERR);
	assert_int_equal(
		PARSE("\x12\x34\x01\x00\x00\x01\x00\x01\x00\x00\x00\x00" DB A_IN), DNS_FORMERR);
	assert_int_equal(
		PARSE("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\xff\xff" DB A_IN), DNS_FORMERR);
	assert_int_equal(PARSE("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x02" DB A_IN OPT(
				 "\x00") OPT("\x00")),
		DNS_FORMERR);
	assert_int_equal(
		PARSE("\x12\x34\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00" DB A_IN), DNS_NOTIMP);
	assert_int_equal(PARSE(HEAD DB "\x00\x01\x00\x03"), DNS_REFUSED); /* CHAOS */
	assert_int_equal(
		PARSE("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x04" DB A_IN OPT("\x00")),
		DNS_FORMERR); /* of four records there is one */
	assert_int_equal(q.answer_max, DNS_UDP_MAX_BYTES);
	/* a name of 255 bytes is good, of 256 not */
	for (int i = 0; i < 127; i++, n += 2)
		memcpy(name + n, "\x01y", 2);
	memcpy(name + n, "\x00" A_IN, 5);
	assert_int_equal(parse(name, n + 5), DNS_NOERROR);
	assert_int_equal(strlen(q.name), 253);
	name[n - 2] = 2;
	memcpy(name + n, "y\x00" A_IN, 6);
	assert_int_equal(parse(name, n + 6), DNS_FORMERR);
	assert_int_equal(parse(big, sizeof(big)), DNS_FORMERR);
}

static size_t answer(const char *msg, size_t len, unsigned first, size_t max)
{
	int rcode = parse(msg, len);

	return dns_answer(
		&q, (const uint8_t *)msg, rcode, &set, first, out, max ? max : q.answer_max);
}
#define ANSWER(text, first, max) answer(text, sizeof(text) - 1, first, max)

static void test_addresses(void **state)
{
	static const char expected[] =
		"\x12\x34\x85\x00\x00\x01\x00\x02\x00\x00\x00\x00" DB A_IN
		"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x0a\x5d\x00\x03"
		"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x0a\x5d\x00\x02";

	(void)state;
	set = (struct dns_set){.count = 2,
		.ip = {0x0a5d0002, 0x0a5d0003},
		.count6 = 1,
		.ip6 = {{0xfd, [15] = 9}},
		.pointer = "never"};
	assert_int_equal(ANSWER(HEAD DB A_IN, 1, 0), sizeof(expected) - 1);
	assert_memory_equal(out, expected, sizeof(expected) - 1);
	assert_int_equal(ANSWER(HEAD DB "\x00\x1c\x00\x01", 7, 0), 12 + 17 + 28);
	assert_memory_equal(
		out + 12 + 17, "\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x00\x00\x10\xfd", 13);
	assert_int_equal(out[12 + 17 + 27], 9);
	assert_int_equal(ANSWER(HEAD DB "\x00\x0f\x00\x01", 0, 0), 12 + 17); /* MX: no data */
	assert_int_equal(out[3], 0);
	assert_int_equal(
		ANSWER(HEAD "\x00", 0, 0), 12); /* the question is cut: none in the answer */
	assert_memory_equal(out, "\x12\x34\x81\x01\x00\x00\x00\x00\x00\x00\x00\x00", 12);
}

static void test_pointer(void **state)
{
	static const char *const bad[] = {"a..b", ".a", "a.",
		"a234567890123456789012345678901234567890123456789012345678901234"};

	(void)state;
	set = (struct dns_set){.pointer = "a.b-1.uigniter"};
	assert_int_equal(ANSWER(HEAD DB "\x00\x0c\x00\x01", 0, 0), 12 + 17 + 12 + 16);
	assert_memory_equal(out + 12 + 17 + 12,
		"\x01"
		"a"
		"\x03"
		"b-1"
		"\x08"
		"uigniter"
		"\x00",
		16);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(set.pointer, sizeof(set.pointer), "%s", bad[i]);
		if (i != 2) /* a dot at the end is only the root's */
			assert_int_equal(ANSWER(HEAD DB "\x00\x0c\x00\x01", 0, 0), 12 + 17);
	}
}

static void test_cut_answers(void **state)
{
	size_t n;

	(void)state;
	memset(&set, 0, sizeof(set));
	set.count = DNS_ADDRESSES_MAX;
	n = ANSWER(HEAD DB A_IN, 0, 0);
	assert_int_equal(n, 12 + 17 + (512 - 29) / 16 * 16);
	assert_int_equal(out[2], 0x87); /* TC */
	assert_int_equal(out[6] << 8 | out[7], (512 - 29) / 16);
	n = ANSWER(HEAD_OPT DB A_IN OPT("\x00"), 0, 0);
	assert_int_equal(n, 12 + 17 + (DNS_UDP_MAX_BYTES - 40) / 16 * 16 + 11);
	n = ANSWER(HEAD_OPT DB A_IN OPT("\x00"), 3, DNS_TCP_MAX_BYTES);
	assert_int_equal(n, 12 + 17 + DNS_ADDRESSES_MAX * 16 + 11);
	assert_int_equal(out[2], 0x85);
}

static void test_bad_version(void **state)
{
	size_t n;

	(void)state;
	n = ANSWER(HEAD_OPT DB A_IN OPT("\x01"), 0, 0);
	assert_int_equal(n, 12 + 17 + 11);
	assert_int_equal(out[3] & 15, 0); /* the rest of 16 is in the OPT record */
	assert_memory_equal(out + 29, "\x00\x00\x29\x04\xd0\x01\x00\x00\x00\x00\x00", 11);
}

static void test_reverse(void **state)
{
	static const char *const bad[] = {"", "in-addr.arpa", ".in-addr.arpa", "1.in-addr.arpa",
		"1.2.3.4.5.in-addr.arpa", "1.2.3.256.in-addr.arpa", "1.2.3.04.in-addr.arpa",
		"1.2.3.4.ip6.arpa", "1.2.3.4", "a.2.3.4.in-addr.arpa",
		"1111.1111.1111.1111.in-addr.arpa", "1.2.3.4in-addr.arpa"};
	uint32_t ip = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (dns_reverse_parse(bad[i], &ip) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
	}
	assert_int_equal(ip, 7);
	assert_int_equal(dns_reverse_parse("5.0.93.10.in-addr.arpa", &ip), 0);
	assert_int_equal(ip, 0x0a5d0005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_edns),
		cmocka_unit_test(test_nothing_to_answer),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_cut_answers),
		cmocka_unit_test(test_bad_version),
		cmocka_unit_test(test_reverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
