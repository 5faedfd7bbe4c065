/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing by the command table: the table's rows become getopt_long's, values are checked for their kind as they come. Words behind
 * the first "--" never reach getopt: they are a program's.
 */
#include "cli/parse.h"

#include "cli/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <string.h>

struct given {
	const struct option_spec *spec;
	size_t count;
	const char *value[ARGS_VALUES_MAX];
};

struct args {
	size_t noptions;
	struct given option[ARGS_OPTIONS_MAX];
	size_t noperands;
	char **operand;
	size_t nprogram;
	char **program;
};

int parse_count(const char *s, int64_t *value)
{
	char *end;
	long long n;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (*end || errno || n > INT_MAX)
		return -EINVAL;
	*value = n;
	return 0;
}

int parse_seconds(const char *s, double *value)
{
	char *end;
	double n;

	if (s[strspn(s, "0123456789.")] || (*s != '.' && (*s < '0' || *s > '9')))
		return -EINVAL;
	n = strtod(s, &end);
	if (end == s || *end || !isfinite(n) || n > 3600)
		return -EINVAL;
	*value = n;
	return 0;
}

int parse_memory_mib(const char *s, int64_t *mib)
{
	static const struct {
		const char *suffix;
		uint64_t bytes;
	} units[] = {{"K", KIB}, {"KiB", KIB}, {"M", MIB}, {"MiB", MIB}, {"G", 1024 * MIB},
		{"GiB", 1024 * MIB}};
	size_t digits = strspn(s, "0123456789");
	unsigned long long n;

	if (!digits || digits > 9)
		return -EINVAL;
	n = strtoull(s, NULL, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(s + digits, units[i].suffix) != 0)
			continue;
		*mib = (int64_t)((n * units[i].bytes + MIB - 1) / MIB);
		return n ? 0 : -EINVAL;
	}
	return -EINVAL;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *c = choices; *c; c += strspn(c, "|")) {
		size_t n = strcspn(c, "|");

		if (n == len && !memcmp(c, value, n))
			return true;
		c += n;
	}
	return false;
}

static int check_value(const struct option_spec *o, const char *v, struct err *err)
{
	int64_t n;
	double s;

	switch (o->kind) {
	case VALUE_NONE:
	case VALUE_TEXT:
	case VALUE_LIST:
		return *v || o->kind == VALUE_NONE ? 0
						   : err_set(err, EINVAL, "--%s is empty", o->name);
	case VALUE_COUNT:
		return parse_count(v, &n)
			? err_set(err, EINVAL, "--%s \"%s\" is not a whole number", o->name, v)
			: 0;
	case VALUE_SECONDS:
		return parse_seconds(v, &s)
			? err_set(err, EINVAL,
				  "--%s \"%s\" is not a number of seconds from 0 to 3600", o->name,
				  v)
			: 0;
	case VALUE_MEMORY:
		return parse_memory_mib(v, &n)
			? err_set(err, EINVAL,
				  "--%s \"%s\" is not a size with its unit, such as 64M or 1G",
				  o->name, v)
			: 0;
	case VALUE_CHOICE:
		return is_choice(o->choices, v)
			? 0
			: err_set(err, EINVAL, "--%s \"%s\" is none of %s", o->name, v, o->choices);
	}
	return -EINVAL;
}

static int take_value(struct given *g, const char *v, struct err *err)
{
	int rc;

	if (!v)
		v = g->spec->implied ? g->spec->implied : "";
	rc = check_value(g->spec, v, err);
	if (rc)
		return rc;
	if (g->spec->kind != VALUE_LIST)
		g->count = 0;
	if (g->count == ARGS_VALUES_MAX)
		return err_set(err, EINVAL, "--%s is given more than %d times", g->spec->name,
			ARGS_VALUES_MAX);
	g->value[g->count++] = v;
	return 0;
}

static void add_options(struct args *a, const struct option_spec *o)
{
	for (; o && o->name; o++) {
		assert(a->noptions < ARGS_OPTIONS_MAX);
		a->option[a->noptions++].spec = o;
	}
}

/* Long options return 256 + index, letters themselves. */
static void getopt_tables(const struct args *a, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < a->noptions; i++) {
		const struct option_spec *o = a->option[i].spec;
		int has = o->kind == VALUE_NONE ? no_argument
			: o->implied            ? optional_argument
						: required_argument;

		longs[i] = (struct option){.name = o->name, .has_arg = has, .val = 256 + (int)i};
		if (!o->letter)
			continue;
		*shorts++ = o->letter;
		if (has == required_argument)
			*shorts++ = ':';
	}
	*shorts = '\0';
	longs[a->noptions] = (struct option){0};
}

static struct given *given_of(struct args *a, int code)
{
	for (size_t i = 0; i < a->noptions; i++)
		if (code == 256 + (int)i || code == a->option[i].spec->letter)
			return &a->option[i];
	return NULL;
}

static int unknown_option(char **argv, struct err *err)
{
	if (optopt && optopt < 256)
		return err_set(err, EINVAL, "unknown option -%c", optopt);
	if (optopt)
		return err_set(err, EINVAL, "%s takes no value", argv[optind - 1]);
	return err_set(err, EINVAL, "unknown option %s", argv[optind - 1]);
}

static int parse_options(struct args *a, int argc, char **argv, struct err *err)
{
	struct option longs[ARGS_OPTIONS_MAX + 1];
	char shorts[2 * ARGS_OPTIONS_MAX + 2];
	struct given *g;
	int code, rc;

	getopt_tables(a, longs, shorts);
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == '?')
			return unknown_option(argv, err);
		if (code == ':')
			return err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
		g = given_of(a, code);
		assert(g); /* getopt_long() gives only what the tables hold */
		rc = take_value(g, optarg, err);
		if (rc)
			return rc;
	}
	a->operand = argv + optind;
	a->noperands = (size_t)(argc - optind);
	return 0;
}

static int check_operands(const struct command *c, const struct args *a, struct err *err)
{
	if (c->instead && args_has(a, c->instead) && a->noperands)
		return err_set(
			err, EINVAL, "%s and --%s exclude each other", c->operands, c->instead);
	if (a->noperands < c->min_operands && !(c->instead && args_has(a, c->instead)))
		return err_set(err, EINVAL, "%s is missing", c->operands);
	if (a->noperands > c->max_operands)
		return err_set(err, EINVAL, "unexpected \"%s\"%s", a->operand[c->max_operands],
			c->takes_program ? " (a program and its arguments go behind --)" : "");
	return 0;
}

/* The head of argv that is ours: up to the first "--". */
static int split_program(const struct command *c, struct args *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		if (!c->takes_program)
			return argc;
		a->program = argv + i + 1;
		a->nprogram = (size_t)(argc - i - 1);
		return i;
	}
	return argc;
}

int args_parse(
	const struct command *command, int argc, char **argv, struct args **args, struct err *err)
{
	struct args *a _cleanup_(args_freep) = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	add_options(a, command->options);
	add_options(a, common_options);
	rc = parse_options(a, split_program(command, a, argc, argv), argv, err);
	if (rc)
		return rc;
	if (!args_has(a, "help"))
		rc = check_operands(command, a, err);
	if (rc)
		return rc;
	*args = steal_ptr(&a);
	return 0;
}

void args_free(struct args *args)
{
	free(args);
}

static const struct given *find(const struct args *a, const char *option)
{
	for (size_t i = 0; i < a->noptions; i++)
		if (!strcmp(a->option[i].spec->name, option))
			return &a->option[i];
	assert(false); /* not an option of the row: our bug */
	return NULL;
}

bool args_has(const struct args *args, const char *option)
{
	return find(args, option)->count > 0;
}

const char *args_text(const struct args *args, const char *option)
{
	const struct given *g = find(args, option);

	return g->count ? g->value[g->count - 1] : NULL;
}

const char *const *args_list(const struct args *args, const char *option, size_t *count)
{
	const struct given *g = find(args, option);

	*count = g->count;
	return g->value;
}

int64_t args_count(const struct args *args, const char *option, int64_t fallback)
{
	const char *v = args_text(args, option);

	if (v)
		parse_count(v, &fallback);
	return fallback;
}

double args_seconds(const struct args *args, const char *option, double fallback)
{
	const char *v = args_text(args, option);

	if (v)
		parse_seconds(v, &fallback);
	return fallback;
}

int64_t args_memory_mib(const struct args *args, const char *option, int64_t fallback)
{
	const char *v = args_text(args, option);

	if (v)
		parse_memory_mib(v, &fallback);
	return fallback;
}

size_t args_operands(const struct args *args)
{
	return args->noperands;
}

const char *args_operand(const struct args *args, size_t i)
{
	assert(i < args->noperands);
	return args->operand[i];
}

size_t args_program_words(const struct args *args)
{
	return args->nprogram;
}

const char *args_program_word(const struct args *args, size_t i)
{
	assert(i < args->nprogram);
	return args->program[i];
}
