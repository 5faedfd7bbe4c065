/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, JSON, templates and ids: stdout is caught in a file. */
#include "tests/unit/cli/test.h"

#include "cli/command.h"
#include "cli/format.h"
#include "cli/parse.h"

#include "lib/jsonx.h"

#include <errno.h>

static const struct column columns[] = {
	{"ID", "id", COLUMN_ID},
	{"NAME", "name", COLUMN_TEXT},
	{"IP", "ip_address", COLUMN_TEXT},
	{"PORTS", "ports", COLUMN_PORTS},
	{"SIZE", "config.bytes", COLUMN_BYTES},
	{"START_MS", "start_ms", COLUMN_MS},
};

static json_t *items(void)
{
	json_t *v = json_loads("[{\"id\":\"0123456789abcdef\",\"name\":\"a\",\"ip_address\":\"10.0."
			       "0.2\",\"start_ms\":1.5,"
			       "\"ports\":[{\"host\":8080,\"guest\":80,\"address\":\"127.0.0.1\"}],"
			       "\"config\":{\"bytes\":2048}},"
			       "{\"id\":\"short\",\"name\":\"esc\\u001b[31m\",\"ip_address\":null,"
			       "\"start_ms\":null,\"ports\":[],"
			       "\"config\":{}}]",
		0, NULL);

	assert_non_null(v);
	return v;
}

/* Runs format_items with stdout in a temporary file; what was printed goes to text. */
static int print(struct format *f, char *text, size_t size, struct err *err)
{
	json_t *v _cleanup_json_ = items();
	FILE *file = tmpfile();
	int saved, rc;
	size_t n;

	assert_non_null(file);
	f->columns = columns;
	f->ncolumns = ARRAY_SIZE(columns);
	f->id_key = "id";
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	rc = format_items(f, v, err);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
	return rc;
}

static void test_table(void **state)
{
	struct format f = {.mode = FORMAT_TABLE};
	struct err err = {0};
	char text[2048];

	assert_int_equal(print(&f, text, sizeof(text), &err), 0);
	assert_string_equal(text,
		"ID            NAME      IP        PORTS               SIZE     START_MS\n"
		"0123456789ab  a         10.0.0.2  127.0.0.1:8080->80  2.0 KiB  1.50\n"
		"short         esc?[31m  -         -                   -        -\n");
}

static void test_json(void **state)
{
	struct format f = {.mode = FORMAT_JSON};
	json_t *back _cleanup_json_ = NULL, *wanted _cleanup_json_ = items();
	struct err err = {0};
	char text[4096];

	assert_int_equal(print(&f, text, sizeof(text), &err), 0);
	back = json_loads(text, 0, NULL);
	assert_true(json_equal(back, wanted));
	f.mode = FORMAT_JSON_LINES;
	assert_int_equal(print(&f, text, sizeof(text), &err), 0);
	assert_int_equal(strchr(text, '\n')[1], '{');
}

static void test_template(void **state)
{
	struct format f = {.mode = FORMAT_TEMPLATE, .template = "{name}\\t{ip}|{config.bytes}{{}}"};
	struct err err = {0};
	char text[2048];

	f.template = "{name}\\t{ip} {{{id}}}\\n";
	assert_int_equal(print(&f, text, sizeof(text), &err), 0);
	assert_string_equal(text, "a\t10.0.0.2 {0123456789abcdef}\n\nesc?[31m\t- {short}\n\n");
	f.template = "{config.bytes}";
	assert_int_equal(print(&f, text, sizeof(text), &err), -EINVAL);
	assert_contains(err.msg, "no field \"config.bytes\"");
	f.template = "{nam";
	assert_int_equal(print(&f, text, sizeof(text), &err), -EINVAL);
	assert_contains(err.msg, "not closed");
	f.template = "{}";
	assert_int_equal(print(&f, text, sizeof(text), &err), 0);
}

static void test_ids(void **state)
{
	struct format f = {.mode = FORMAT_IDS};
	struct err err = {0};
	char text[256];

	assert_int_equal(print(&f, text, sizeof(text), &err), 0);
	assert_string_equal(text, "0123456789abcdef\nshort\n");
}

static int init(struct format *f, char **argv, struct err *err)
{
	struct args *a _cleanup_(args_freep) = NULL;
	int argc = 0, words;

	while (argv[argc])
		argc++;
	assert_int_equal(args_parse(command_find(argc, argv, &words), argc, argv, &a, err), 0);
	return format_init(f, a, true, err);
}

static void test_choice_of_format(void **state)
{
	struct format f = {0};
	struct err err = {0};

	assert_int_equal(init(&f, (char *[]){(char[]){"ps"}, NULL}, &err), 0);
	assert_int_equal(f.mode, FORMAT_TABLE);
	assert_int_equal(
		init(&f, (char *[]){(char[]){"ps"}, (char[]){"--format=json-lines"}, NULL}, &err),
		0);
	assert_int_equal(f.mode, FORMAT_JSON_LINES);
	assert_int_equal(init(&f, (char *[]){(char[]){"ps"}, (char[]){"-q"}, NULL}, &err), 0);
	assert_int_equal(f.mode, FORMAT_IDS);
	assert_int_equal(
		init(&f, (char *[]){(char[]){"ps"}, (char[]){"--format=yaml"}, NULL}, &err),
		-EINVAL);
	assert_contains(err.msg, "\"yaml\"");
	assert_int_equal(
		init(&f,
			(char *[]){(char[]){"ps"}, (char[]){"-q"}, (char[]){"--format=json"}, NULL},
			&err),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_choice_of_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
