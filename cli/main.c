/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniter, the command line of the manager. It finds the command in the table (commands.c), parses its arguments (parse.c)
 * and calls its verb (cmd/). Verbs talk to the manager through cli/api.h only. Data goes to stdout, all
 * else to stderr; a failure is one line and an exit status of cli/exit.h.
 */
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/help.h"
#include "cli/parse.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOST "unix:///run/uigniter/uigniterd.sock"

static const char *default_host(void)
{
	const char *host = getenv("UIGNITER_HOST");

	return host && *host ? host : DEFAULT_HOST;
}

static int run_command(const struct command *c, int argc, char **argv, const char *host)
{
	struct args *args _cleanup_(args_freep) = NULL;
	struct err err = {0};
	struct invocation inv = {.command = c};

	if (args_parse(c, argc, argv, &args, &err))
		return complain(
			EXIT_USAGE, "%s: %s (see: uigniter %s --help)", c->name, err.msg, c->name);
	if (args_has(args, "help")) {
		help_command(c);
		return EXIT_OK;
	}
	inv.args = args;
	inv.host = args_has(args, "host") ? args_text(args, "host") : host;
	return c->run(&inv);
}

static int unknown_command(int argc, char **argv)
{
	if (!command_is_group(argv[0]))
		return complain(
			EXIT_USAGE, "unknown command \"%s\" (see: uigniter --help)", argv[0]);
	if (argc > 1 && argv[1][0] != '-')
		return complain(EXIT_USAGE, "unknown command \"%s %s\" (see: uigniter %s --help)",
			argv[0], argv[1], argv[0]);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help_overview(argv[0]);
		return EXIT_OK;
	}
	return complain(
		EXIT_USAGE, "%s: a command is missing (see: uigniter %s --help)", argv[0], argv[0]);
}

/* "help COMMAND" is "COMMAND --help". */
static int show_help(int argc, char **argv)
{
	const struct command *c;
	int words;

	if (!argc) {
		help_overview(NULL);
		return EXIT_OK;
	}
	c = command_find(argc, argv, &words);
	if (c)
		help_command(c);
	else if (command_is_group(argv[0]) && argc == 1)
		help_overview(argv[0]);
	else
		return unknown_command(argc, argv);
	return EXIT_OK;
}

/* Options before the command: -H ADDRESS, --host=ADDRESS, --help, --version. Returns the words used, or -1. */
static int leading_options(int argc, char **argv, const char **host)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		if (!strncmp(argv[i], "--host=", 7))
			*host = argv[i] + 7;
		else if (!strncmp(argv[i], "-H", 2) && argv[i][2])
			*host = argv[i] + 2;
		else if ((!strcmp(argv[i], "-H") || !strcmp(argv[i], "--host")) && i + 1 < argc)
			*host = argv[++i];
		else
			break;
		i++;
	}
	return i;
}

int main(int argc, char **argv)
{
	const char *host = default_host();
	const struct command *c;
	int first, words = 0;

	first = leading_options(argc, argv, &host);
	argc -= first;
	argv += first;
	if (!argc) {
		complain(EXIT_USAGE, "a command is missing (see: uigniter --help)");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))
		return show_help(0, NULL);
	if (!strcmp(argv[0], "help"))
		return show_help(argc - 1, argv + 1);
	if (!strcmp(argv[0], "--version"))
		argv[0] = (char[]){"version"};
	if (argv[0][0] == '-')
		return complain(EXIT_USAGE, "unknown option %s (see: uigniter --help)", argv[0]);
	c = command_find(argc, argv, &words);
	if (!c)
		return unknown_command(argc, argv);
	return run_command(c, argc - words + 1, argv + words - 1, host);
}
