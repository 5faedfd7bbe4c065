/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/libos/core/core.h"
#include "tests/unit/libos/core/klib.h"

/* What our printf gives is what the host's gives, in bytes and in length, also when the buffer is too small. */
#define SAME(...)                                                                                  \
	do {                                                                                       \
		char want[256], got[256];                                                          \
		int wn = snprintf(want, sizeof(want), __VA_ARGS__);                                \
		assert_int_equal(wn, k_snprintf(got, sizeof(got), __VA_ARGS__));                   \
		assert_string_equal(want, got);                                                    \
		memset(got, 'x', sizeof(got));                                                     \
		assert_int_equal(wn, k_snprintf(got, 5, __VA_ARGS__));                             \
		assert_int_equal(got[wn < 4 ? wn : 4], 0);                                         \
		assert_int_equal(got[5], 'x');                                                     \
	} while (0)

static void printf_like_the_host(void **state)
{
	static const char *flags[] = {"", "-", "0", "+", "#", "-#", "0#", "+0"};
	static const char *widths[] = {"", "1", "8", ".0", ".3", "12.5"};
	static const char *convs[] = {"d", "u", "x", "X", "o"};
	static const unsigned values[] = {
		0, 1, 7, 255, 123456789, 0x7fffffff, 0x80000000u, UINT32_MAX};
	char fmt[32];

	for (unsigned f = 0; f < 8; f++)
		for (unsigned w = 0; w < 6; w++)
			for (unsigned c = 0; c < 5; c++)
				for (unsigned v = 0; v < 8; v++) {
					char want[256], got[256];

					if (flags[f][0] == '+' && convs[c][0] != 'd')
						continue;
					snprintf(fmt, sizeof(fmt), "[%%%s%s%s]", flags[f],
						widths[w], convs[c]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
					assert_int_equal(
						snprintf(want, sizeof(want), fmt, values[v]),
						k_snprintf(got, sizeof(got), fmt, values[v]));
#pragma GCC diagnostic pop
					assert_string_equal(want, got);
				}
	SAME("%s|%8s|%-8s|%.2s|%c|%%", "abc", "de", "fg", "hij", 'k');
	SAME("%lu %lld %zu", UINT64_MAX, (long long)INT64_MIN, (size_t)99);
	SAME("%hhd %hu %hx", (signed char)-1, (unsigned short)65535, (unsigned short)0xabcd);
	SAME("%*d|%-*d|%.*s", 6, 42, 6, 42, 2, "xyz");
	SAME("%p", (void *)0x1234);
	assert_int_equal(k_snprintf(NULL, 0, "%d", 12345), 5);
}

static void strings(void **state)
{
	char buf[16];

	assert_int_equal(k_strlcpy(buf, "hello", 3), 5);
	assert_string_equal(buf, "he");
	assert_int_equal(k_strlcpy(buf, "hello", sizeof(buf)), 5);
	assert_string_equal(buf, "hello");
	k_memmove(buf + 1, buf, 6);
	assert_string_equal(buf, "hhello");
	k_memmove(buf, buf + 1, 6);
	assert_string_equal(buf, "hello");
	assert_true(k_strcmp("a", "b") < 0 && k_strcmp("b", "a") > 0 && !k_strcmp("a", "a"));
	assert_true(k_strcmp("\xff", "a") > 0);
	assert_int_equal(k_strncmp("abc", "abd", 2), 0);
	assert_true(k_memcmp("\x01\xff", "\x01\x02", 2) > 0);
	assert_null(k_strchr("abc", 'd'));
	assert_string_equal(k_strrchr("a/b/c", '/'), "/c");
	assert_string_equal(k_strchr("abc", 0), "");
	assert_null(k_memchr("abc", 'd', 3));
	assert_int_equal(k_strnlen("abc", 2), 2);
}

static void numbers(void **state)
{
	uint64_t v = 7;
	const char *p = "18446744073709551615x";

	assert_int_equal(parse_u64(&p, &v), 0);
	assert_true(v == UINT64_MAX && *p == 'x');
	p = "18446744073709551616";
	assert_int_equal(parse_u64(&p, &v), -EINVAL);
	p = "";
	assert_int_equal(parse_u64(&p, &v), -EINVAL);
	p = "-1";
	assert_int_equal(parse_u64(&p, &v), -EINVAL);
	assert_true(v == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printf_like_the_host),
		cmocka_unit_test(strings),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
