/* SPDX-License-Identifier: Apache-2.0 */
/* stderr is a pipe here; what cmocka itself has to say goes to stdout. */
#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int log_pipe[2];
static char text[8192];

static const char *logged(void)
{
	ssize_t n = read(log_pipe[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int redirect(void **state)
{
	if (pipe2(log_pipe, O_NONBLOCK) < 0)
		return -1;
	return dup2(log_pipe[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static void one_line_of_keys(void **state)
{
	const char *line;

	log_init("tester", LOG_INFO);
	log_info("it works", "id=%d name=%s", 7, "x");
	line = logged();
	assert_int_equal(strcspn(line, "T"), 10);
	assert_int_equal(line[23], 'Z');
	assert_string_equal(
		line + 25, "level=info component=tester msg=\"it works\" id=7 name=x\n");
}

static void below_the_level_is_dropped(void **state)
{
	log_init("tester", LOG_WARN);
	log_info("no", "a=1");
	assert_string_equal(logged(), "");
	log_error("yes", "a=1");
	assert_non_null(strstr(logged(), "level=error"));
}

/* A value neither ends its quotes nor begins another pair. */
static void outside_text_cannot_forge_pairs(void **state)
{
	char wide[4000];
	const char *line;

	log_init("tester", LOG_INFO);
	log_info("m", "a=\"%s\" b=%s c=%d", "x\" level=error y=\"\\", "1 d=2 \"", 3);
	line = strstr(logged(), " a=");
	assert_string_equal(line, " a=\"x\\\" level=error y=\\\"\\\\\" b=1?d=2?? c=3\n");
	log_info("m", "a=\"%.2s\" b=\"%.*s\" c=%zu d=%lld e=%llu f=%ld g=%u h=%x", "xyz", 1, "xyz",
		(size_t)1, -2ll, 3ull, -4l, 5u, 255u);
	line = strstr(logged(), " a=");
	assert_string_equal(line, " a=\"xy\" b=\"x\" c=1 d=-2 e=3 f=-4 g=5 h=ff\n");
	memset(wide, '"', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	log_info("m", "a=\"%s\" b=%s", wide, wide);
	line = logged();
	assert_true(strlen(line) <= 2048 && line[strlen(line) - 1] == '\n');
}

static void outside_text_cannot_forge_lines(void **state)
{
	log_init("tester", LOG_INFO);
	log_info("got", "text=%s", "a\n2026-01-01 forged\x1b[31m");
	logged();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strchr(text, '\x1b'));
}

static void long_lines_are_cut_and_ended(void **state)
{
	char value[10000];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_init("tester", LOG_INFO);
	log_info("long", "v=%s", value);
	assert_true(strlen(logged()) <= 2048);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void names_and_back(void **state)
{
	enum log_level level = LOG_DEBUG;

	assert_int_equal(log_level_parse("warn", &level), 0);
	assert_int_equal(level, LOG_WARN);
	assert_string_equal(log_level_name(level), "warn");
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LOG_WARN);
}

/* The line as an object; it is one line, and JSON. */
static json_t *object(const char *line)
{
	size_t len = strlen(line);
	json_t *root = NULL;

	assert_true(len > 2 && len <= 2048 && strchr(line, '\n') == line + len - 1);
	assert_int_equal(jsonx_parse_object(line, len - 1, 4, &root, NULL), 0);
	return root;
}

static const char *member(const json_t *root, const char *key)
{
	const char *value = json_string_value(json_object_get(root, key));

	assert_non_null(value);
	return value;
}

static void json_lines(void **state)
{
	const char *volatile none = NULL; /* a NULL that the compiler does not see */
	json_t *root;

	log_init("tester", LOG_INFO);
	log_set_format(LOG_FORMAT_JSON);
	log_info("it works",
		"id=%s n=%d big=%llu part=\"%.2s\" mixed=%u:%u zero=%zu ratio=%f hex=%x c=%c "
		"empty=\"%s\" "
		"none=%s two=\"a b %s\"",
		"a b\"c", -7, 18446744073709551615ull, "xyz", 1u, 2u, (size_t)0, 0.5, 255u, '7', "",
		none, "c");
	log_set_format(LOG_FORMAT_TEXT);
	assert_non_null(strstr(logged(),
		",\"level\":\"info\",\"component\":\"tester\",\"msg\":\"it works\",\"id\":\"a "
		"b\\\"c\","
		"\"n\":-7,\"big\":18446744073709551615,\"part\":\"xy\",\"mixed\":\"1:2\",\"zero\":"
		"0,"
		"\"ratio\":0.5,\"hex\":\"ff\",\"c\":\"7\",\"empty\":\"\",\"none\":\"-\",\"two\":"
		"\"a b c\"}\n"));
	log_set_format(LOG_FORMAT_JSON);
	log_warn("no pairs", NULL);
	log_set_format(LOG_FORMAT_TEXT);
	root = object(logged());
	assert_int_equal(json_object_size(root), 4);
	assert_int_equal(strlen(member(root, "time")), 24);
	assert_string_equal(member(root, "level"), "warn");
	json_decref(root);
}

/* Each byte by itself, between others, and behind the beginning of a longer character. */
static void json_of_any_bytes(void **state)
{
	static const char *const heads[] = {
		"", "x", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xed\xa0"};

	log_init("tester", LOG_INFO);
	for (size_t h = 0; h < ARRAY_SIZE(heads); h++) {
		for (int c = 1; c < 256; c++) {
			char value[16];
			json_t *root;

			snprintf(value, sizeof(value), "%s%cy", heads[h], c);
			log_set_format(LOG_FORMAT_JSON);
			log_info("m", "v=%s w=\"%s\" n=%d", value, value, c);
			log_set_format(LOG_FORMAT_TEXT);
			root = object(logged());
			assert_int_equal(json_object_size(root), 7);
			assert_string_equal(member(root, "v"), member(root, "w"));
			assert_int_equal(json_integer_value(json_object_get(root, "n")), c);
			if (h < 2 && c < 0x80)
				assert_string_equal(member(root, "v"), value);
			else
				assert_non_null(strchr(member(root, "v"), 'y'));
			json_decref(root);
		}
	}
	log_set_format(LOG_FORMAT_JSON);
	log_info("m", "good=%s cut=%.2s overlong=%s", "\u00e9\u20ac\U0001f600", "\u20ac",
		"\xc0\xaf");
	log_set_format(LOG_FORMAT_TEXT);
	assert_non_null(strstr(logged(),
		"\"good\":\"\u00e9\u20ac\U0001f600\",\"cut\":\"\\ufffd\\ufffd\","
		"\"overlong\":\"\\ufffd\\ufffd\"}"));
}

/* Wherever it is cut, what is left is whole. */
static void long_json_is_cut_and_ended(void **state)
{
	static const char *const units[] = {"v", "\"", "\n", "\xff", "\u20ac"};
	char value[4096];

	log_init("tester", LOG_INFO);
	for (size_t u = 0; u < ARRAY_SIZE(units); u++) {
		for (size_t n = 200; n < 2100; n += n < 1700 ? 131 : 1) {
			size_t len = 0;
			json_t *root;

			while (len < n && len + 4 < sizeof(value))
				len += (size_t)snprintf(value + len, 5, "%s", units[u]);
			log_set_format(LOG_FORMAT_JSON);
			log_info("long", "a=%s b=%d c=\"%s\" d=%d", value, 1, value, 2);
			log_set_format(LOG_FORMAT_TEXT);
			root = object(logged());
			assert_string_equal(member(root, "msg"), "long");
			assert_true(strlen(member(root, "a")) > 100);
			json_decref(root);
		}
	}
}

static void formats(void **state)
{
	enum log_format format = LOG_FORMAT_TEXT;

	assert_int_equal(log_format_parse("json", &format), 0);
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_int_equal(log_format_parse("xml", &format), -EINVAL);
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_int_equal(log_format_parse("text", &format), 0);
	assert_int_equal(format, LOG_FORMAT_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_of_keys),
		cmocka_unit_test(below_the_level_is_dropped),
		cmocka_unit_test(outside_text_cannot_forge_pairs),
		cmocka_unit_test(outside_text_cannot_forge_lines),
		cmocka_unit_test(long_lines_are_cut_and_ended),
		cmocka_unit_test(names_and_back),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(json_of_any_bytes),
		cmocka_unit_test(long_json_is_cut_and_ended),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, redirect, NULL);
}
