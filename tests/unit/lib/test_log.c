/* SPDX-License-Identifier: Apache-2.0 */
/* stderr is a pipe here; what cmocka itself has to say goes to stdout. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_of_keys),
		cmocka_unit_test(below_the_level_is_dropped),
		cmocka_unit_test(outside_text_cannot_forge_pairs),
		cmocka_unit_test(outside_text_cannot_forge_lines),
		cmocka_unit_test(long_lines_are_cut_and_ended),
		cmocka_unit_test(names_and_back),
	};

	return cmocka_run_group_tests(tests, redirect, NULL);
}
