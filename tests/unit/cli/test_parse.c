/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing by the command table: every kind of value, what is refused, and the table itself. */
#include "tests/unit/cli/test.h"

#include "cli/command.h"
#include "cli/parse.h"

#include <errno.h>

#define WORDS_MAX 300

/* Parses "run ..." given as a NULL-terminated list. */
static int parse(const char *const *words, struct args **args, struct err *err)
{
	static char *argv[WORDS_MAX];
	char first[64];
	int n = 0, used;
	const struct command *c;

	for (; words[n]; n++)
		argv[n] = (char *)(uintptr_t)words[n];
	argv[n] = NULL;
	snprintf(first, sizeof(first), "%s", words[0]);
	c = command_find(n, argv, &used);
	assert_non_null(c);
	return args_parse(c, n - used + 1, argv + used - 1, args, err);
}

#define PARSE(args, err, ...) parse((const char *const[]){__VA_ARGS__, NULL}, args, err)

static void test_options_of_every_kind(void **state)
{
	struct args *a = NULL;
	struct err err = {0};
	const char *const *env;
	size_t n;

	assert_int_equal(
		PARSE(&a, &err, "run", "-d", "--name=web", "-m", "1G", "-c4", "-e", "A=1", "--env",
			"B=", "img", "--wait", "--timeout", "2.5", "--", "/bin/x", "-d", "--"),
		0);
	assert_true(args_has(a, "detach"));
	assert_false(args_has(a, "rm"));
	assert_string_equal(args_text(a, "name"), "web");
	assert_int_equal(args_memory_mib(a, "memory", 0), 1024);
	assert_int_equal(args_count(a, "cpus", 1), 4);
	env = args_list(a, "env", &n);
	assert_int_equal(n, 2);
	assert_string_equal(env[1], "B=");
	assert_string_equal(args_text(a, "wait"), "ready");
	assert_true(args_seconds(a, "timeout", 0) == 2.5);
	assert_int_equal(args_operands(a), 1);
	assert_string_equal(args_operand(a, 0), "img");
	assert_int_equal(args_program_words(a), 3);
	assert_string_equal(args_program_word(a, 1), "-d");
	args_free(a);
}

static void test_wrong_usage(void **state)
{
	static const struct {
		const char *words[6];
		const char *says;
	} cases[] = {
		{{"run"}, "IMAGE"},
		{{"run", "a", "--from", "b"}, "--from exclude each other"},
		{{"run", "a", "b"}, "unexpected \"b\""},
		{{"run", "--frob", "a"}, "unknown option --frob"},
		{{"run", "-Z", "a"}, "unknown option -Z"},
		{{"run", "a", "--name"}, "--name needs a value"},
		{{"run", "a", "-m"}, "-m needs a value"},
		{{"run", "a", "--name="}, "--name is empty"},
		{{"run", "a", "--rm=yes"}, "takes no value"},
		{{"run", "a", "-m", "64"}, "--memory \"64\""},
		{{"run", "a", "-m", "0M"}, "--memory"},
		{{"run", "a", "-m", "-1M"}, "--memory"},
		{{"run", "a", "-m", "99999999999M"}, "--memory"},
		{{"run", "a", "-c", "two"}, "--cpus"},
		{{"run", "a", "-c", "4294967297"}, "--cpus"},
		{{"run", "a", "--timeout", "-1"}, "--timeout"},
		{{"run", "a", "--timeout", "1e9"}, "--timeout"},
		{{"run", "a", "--timeout", "nan"}, "--timeout"},
		{{"run", "a", "--wait=soon"}, "none of none|started|ready"},
		{{"run", "a", "--monitor", "uvm"}, "none of uvmm|firecracker|qemu|process"},
		{{"ps", "x"}, "unexpected \"x\""},
		{{"ps", "--", "x"}, "unexpected \"x\""},
		{{"stop"}, "INSTANCE... is missing"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct args *a = NULL;
		struct err err = {0};

		assert_int_equal(parse(cases[i].words, &a, &err), -EINVAL);
		assert_null(a);
		assert_contains(err.msg, cases[i].says);
	}
}

static void test_too_many_values(void **state)
{
	const char *words[WORDS_MAX] = {"run", "img"};
	struct args *a = NULL;
	struct err err = {0};

	for (size_t i = 0; i < ARGS_VALUES_MAX + 1; i++)
		words[2 + i] = "-eA=1";
	assert_int_equal(parse(words, &a, &err), -EINVAL);
	assert_contains(err.msg, "more than 256 times");
}

static void test_values(void **state)
{
	int64_t n;
	double s;

	assert_int_equal(parse_memory_mib("1K", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(parse_memory_mib("64MiB", &n), 0);
	assert_int_equal(n, 64);
	assert_int_equal(parse_memory_mib("2g", &n), 0);
	assert_int_equal(n, 2048);
	assert_int_equal(parse_memory_mib("64X", &n), -EINVAL);
	assert_int_equal(parse_memory_mib("", &n), -EINVAL);
	assert_int_equal(parse_memory_mib("M", &n), -EINVAL);
	assert_int_equal(parse_count("0", &n), 0);
	assert_int_equal(parse_count("2147483648", &n), -EINVAL);
	assert_int_equal(parse_count(" 1", &n), -EINVAL);
	assert_int_equal(parse_count("+1", &n), -EINVAL);
	assert_int_equal(parse_seconds("3600", &s), 0);
	assert_int_equal(parse_seconds("3600.1", &s), -EINVAL);
	assert_int_equal(parse_seconds("1.2.3", &s), -EINVAL);
	assert_int_equal(parse_seconds(".", &s), -EINVAL);
}

/* What the table promises: names that are found, unique options, help and an example for all. */
static void test_table(void **state)
{
	for (const struct command *c = commands; c->name; c++) {
		char name[64], *argv[3] = {name, NULL, NULL};
		char *space;
		int argc = 1, words = 0;

		snprintf(name, sizeof(name), "%s", c->name);
		space = strchr(name, ' ');
		if (space) {
			*space = '\0';
			argv[argc++] = space + 1;
		}
		assert_ptr_equal(command_find(argc, argv, &words), c);
		assert_int_equal(words, argc);
		assert_non_null(c->run);
		assert_non_null(c->summary);
		assert_non_null(strstr(c->example, "uigniter "));
		assert_true(c->min_operands <= c->max_operands);
		for (const struct option_spec *o = c->options; o && o->name; o++) {
			assert_non_null(o->help);
			assert_true((o->kind == VALUE_NONE) == (o->metavar == NULL));
			assert_true((o->kind == VALUE_CHOICE) == (o->choices != NULL));
			for (const struct option_spec *p = c->options; p < o; p++) {
				assert_string_not_equal(o->name, p->name);
				assert_true(!o->letter || o->letter != p->letter);
			}
			for (const struct option_spec *p = common_options; p->name; p++)
				assert_true(
					strcmp(o->name, p->name) != 0 && o->letter != p->letter);
		}
	}
}

static void test_aliases_and_groups(void **state)
{
	char *vm_ls[] = {(char[]){"vm"}, (char[]){"ls"}, NULL},
	     *images[] = {(char[]){"images"}, NULL};
	char *frob[] = {(char[]){"image"}, (char[]){"frob"}, NULL};
	int words;

	assert_string_equal(command_find(2, vm_ls, &words)->name, "ps");
	assert_int_equal(words, 2);
	assert_string_equal(command_find(1, images, &words)->name, "image ls");
	assert_null(command_find(2, frob, &words));
	assert_null(command_find(1, frob, &words));
	assert_true(command_is_group("image"));
	assert_true(command_is_group("vm"));
	assert_false(command_is_group("ps"));
	assert_false(command_is_group("imag"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_of_every_kind),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_aliases_and_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
