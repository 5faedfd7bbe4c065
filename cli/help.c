/* SPDX-License-Identifier: Apache-2.0 */
/* Help: nothing here knows a command by name, all of it comes from the table. */
#include "cli/help.h"

#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static bool in_group(const struct command *c, const char *group)
{
	size_t len = strlen(group);

	return (!strncmp(c->name, group, len) && c->name[len] == ' ') ||
		(c->alias && !strncmp(c->alias, group, len) && c->alias[len] == ' ');
}

void help_overview(const char *group)
{
	printf("usage: uigniter [-H ADDRESS] COMMAND ...\n\n"
	       "Runs each service of an application as a unikernel in a microVM of its own.\n\n");
	for (const struct command *c = commands; c->name; c++)
		if (!group || in_group(c, group))
			printf("  %-18s%s\n", c->name, c->summary);
	printf("\nuigniter COMMAND --help shows the options of a command.\n"
	       "The manager is found by -H, else by UIGNITER_HOST, else at "
	       "unix:///run/uigniter/uigniterd.sock.\n"
	       "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no such object, 4 conflict, 5 "
	       "manager not reachable,\n"
	       "124 time-out.\n");
}

static void print_option(const struct option_spec *o)
{
	char left[64], letter[8] = "    ";
	const char *fmt = !o->metavar ? "%s--%s" : o->implied ? "%s--%s[=%s]" : "%s--%s %s";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(left, sizeof(left), fmt, letter, o->name, o->metavar ? o->metavar : "");
#pragma GCC diagnostic pop
	printf("  %-34s %s\n", left, o->help);
}

/* Prints text in lines of at most 78 columns. */
static void print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > 78) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column ? " " : "", (int)word, text);
		text += word;
		text += strspn(text, " ");
	}
	putchar('\n');
}

void help_command(const struct command *c)
{
	printf("usage: uigniter %s [OPTION...]%s%s\n", c->name, *c->operands ? " " : "",
		c->operands);
	if (c->alias)
		printf("       (also: uigniter %s)\n", c->alias);
	printf("\n%s\n", c->summary);
	if (c->detail) {
		putchar('\n');
		print_wrapped(c->detail);
	}
	printf("\noptions:\n");
	for (const struct option_spec *o = c->options; o && o->name; o++)
		print_option(o);
	for (const struct option_spec *o = common_options; o->name; o++)
		print_option(o);
	printf("\nexample: %s\n", c->example);
}
