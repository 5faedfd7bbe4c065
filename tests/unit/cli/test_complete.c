/* SPDX-License-Identifier: Apache-2.0 */
/* What could stand at the cursor, by the command table. */
#include "cli/command.h"
#include "cli/completion/complete.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

static struct completion found;
static char line[256];

/* Completes a line: words between blanks; a blank at the end begins an empty one. Returns the candidates, without descriptions. */
static const char *complete(const char *text)
{
	static char out[8192];
	char *words[WORDS_MAX], *rest = line;
	size_t n = 0, len = 0;

	complete_fini(&found);
	snprintf(line, sizeof(line), "%s", text);
	while (n < WORDS_MAX && (words[n] = strsep(&rest, " ")))
		n++;
	assert_int_equal(complete_words(n, words, &found), 0);
	out[0] = '\0';
	for (const char *p = found.lines.data; p && *p; p = strchr(p, '\n') + 1)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%.*s", len ? " " : "",
			(int)strcspn(p, "\t\n"), p);
	return out;
}

static void test_commands(void **state)
{
	(void)state;
	assert_string_equal(complete("re"), "restart resume");
	assert_non_null(strstr(complete(""), "run ps stop"));
	assert_null(strstr(complete(""), "vm"));
	assert_string_equal(complete("imag"), "image");
	assert_string_equal(complete("image p"), "pull prune");
	assert_string_equal(complete("vm res"), "restart resume");
	assert_string_equal(complete("rmi"), "rmi"); /* second names where no first one fits */
	assert_string_equal(complete("nonsense x"), "");
	assert_string_equal(complete("nonsense x "), "");
	assert_string_equal(complete("-H unix:///x app sc"), "scale");
	assert_string_equal(found.host, "unix:///x");
	assert_string_equal(complete("-"), "--host --help");
	complete("image l");
	assert_non_null(strstr(found.lines.data, "ls\tlist images\n"));
}

static void test_options(void **state)
{
	(void)state;
	assert_string_equal(complete("run --mo"), "--monitor");
	assert_string_equal(complete("run web --w"), "--wait");
	assert_string_equal(complete("stop -"), "--timeout --host --help");
	assert_string_equal(complete("run --wait="), "--wait=none --wait=started --wait=ready");
	assert_string_equal(complete("run --monitor q"), "qemu");
	assert_string_equal(complete("run --monitor=p"), "--monitor=process");
	assert_string_equal(complete("run --name "), "");
	assert_int_equal(found.names, 0);
	assert_string_equal(complete("run --rm=x"), "");
	assert_string_equal(complete("run -- --mo"), "");
	assert_string_equal(complete("ps -- --al"), "");
}

static void test_names(void **state)
{
	(void)state;
	complete("stop ");
	assert_int_equal(found.names, COMPLETE_INSTANCES);
	complete("stop -t 3 a b");
	assert_int_equal(found.names, COMPLETE_INSTANCES);
	assert_string_equal(found.value, "b");
	complete("stop -t");
	assert_int_equal(found.names, 0);
	complete("stop -t ");
	assert_int_equal(found.names, 0);
	complete("ps --image=sh");
	assert_int_equal(found.names, COMPLETE_IMAGES);
	assert_string_equal(found.value, "sh");
	complete("run -dm 64M ");
	assert_int_equal(found.names, COMPLETE_IMAGES);
	complete("run -dm64M web ");
	assert_int_equal(found.names, 0); /* a second operand, that is none */
	complete("run web -- ");
	assert_int_equal(found.names, 0);
	complete("app down ");
	assert_int_equal(found.names, COMPLETE_APPS | COMPLETE_FILES);
	complete("image build ");
	assert_int_equal(found.names, COMPLETE_FILES);
	complete("image build -C ");
	assert_int_equal(found.names, COMPLETE_FILES);
	complete("pool set ");
	assert_int_equal(found.names, COMPLETE_PROFILES);
	complete("image trace ");
	assert_int_equal(found.names, 0);
	assert_string_equal(complete("completion z"), "zsh");
}

/* Each command of the table completes to itself, and each of its options. */
static void test_whole_table(void **state)
{
	char text[128];

	(void)state;
	for (const struct command *c = commands; c->name; c++) {
		const char *second = strchr(c->name, ' ');

		assert_non_null(strstr(complete(c->name), second ? second + 1 : c->name));
		for (const struct option_spec *o = c->options; o && o->name; o++) {
			snprintf(text, sizeof(text), "%s --%s", c->name, o->name);
			assert_non_null(strstr(complete(text), o->name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_whole_table),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	complete_fini(&found);
	return r;
}
