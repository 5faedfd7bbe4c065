/* SPDX-License-Identifier: Apache-2.0 */
/* Help printed from the command table, on stdout. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

struct command;

/* All commands, or those of a group ("image") when it is not NULL. */
void help_overview(const char *group);
/* One command: usage, options, example. */
void help_command(const struct command *command);

#endif
