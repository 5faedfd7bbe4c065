/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command of uigniter is one row of the table in commands.c: its words, options, operands, help and example.
 * The table drives parsing (parse.c) and help (help.c), so that what is shown is what is taken.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct api;
struct args;

enum value_kind {
	VALUE_NONE,    /* a switch */
	VALUE_TEXT,    /* any text, the last one counts */
	VALUE_LIST,    /* any text, may be repeated, all count */
	VALUE_COUNT,   /* a whole number, 0 to 2^31 - 1 */
	VALUE_SECONDS, /* a number, 0 to 3600, a fraction allowed */
	VALUE_MEMORY,  /* a size with its unit: 64M, 1G */
	VALUE_CHOICE,  /* one of .choices */
};

struct option_spec {
	const char *name; /* long name; NULL ends a list */
	char letter;      /* 0: none */
	enum value_kind kind;
	const char *metavar; /* how help names the value */
	const char *choices; /* VALUE_CHOICE: "a|b|c" */
	const char *
		implied; /* the value that --name without =VALUE stands for; NULL: a value is needed */
	const char *help;
};

/* What a command gets: its parsed arguments and where the manager is. */
struct invocation {
	const struct command *command;
	const struct args *args;
	const char *host; /* -H, UIGNITER_HOST or the default */
};

/* Returns the exit status (cli/exit.h). */
typedef int command_fn(const struct invocation *inv);

struct command {
	const char *name;  /* one or two words: "ps", "image build" */
	const char *alias; /* second name, or NULL */
	command_fn *run;
	const char *operands; /* as help shows them */
	size_t min_operands, max_operands;
	const char *instead; /* option that stands in the place of all operands, or NULL */
	bool takes_program;  /* words after -- are the program's */
	const char *summary;
	const char *detail; /* a paragraph for --help, or NULL */
	const char *example;
	const struct option_spec *options; /* NULL-terminated list, or NULL */
};

/* All commands, ended by a NULL name. */
extern const struct command commands[];

/* Options that every command takes (--host, --help). */
extern const struct option_spec common_options[];

/* The command that the first one or two words name; *words: how many were used. NULL: none. */
const struct command *command_find(int argc, char *const argv[], int *words);

/* True when some command's first word is this one and a second has to follow ("image"). */
bool command_is_group(const char *word);

/* One function per verb, each in cmd/<verb>.c. */
command_fn cmd_run, cmd_ps, cmd_stop, cmd_kill, cmd_start, cmd_restart, cmd_pause, cmd_resume,
	cmd_rm, cmd_logs, cmd_inspect, cmd_wait;
command_fn cmd_image_build, cmd_image_ls, cmd_image_rm, cmd_image_inspect, cmd_image_trace,
	cmd_image_tag, cmd_image_prune, cmd_image_import, cmd_image_pull;
command_fn cmd_app_build, cmd_app_up, cmd_app_down, cmd_app_ls, cmd_app_ps, cmd_app_logs,
	cmd_app_scale, cmd_app_inspect;
command_fn cmd_snapshot_create, cmd_snapshot_ls, cmd_snapshot_inspect, cmd_snapshot_rm;
command_fn cmd_image_warm, cmd_template_ls, cmd_template_rm;
command_fn cmd_fn_deploy, cmd_fn_ls, cmd_fn_inspect, cmd_fn_rm, cmd_fn_invoke;
command_fn cmd_task_ls, cmd_task_inspect, cmd_task_wait, cmd_task_rm;
command_fn cmd_events, cmd_stats, cmd_pool_set;
command_fn cmd_kernel_ls, cmd_kernel_put, cmd_kernel_rm;
command_fn cmd_network_ls, cmd_network_leases, cmd_port;
command_fn cmd_pool_show, cmd_system_check, cmd_system_info, cmd_system_version, cmd_completion;

#endif
