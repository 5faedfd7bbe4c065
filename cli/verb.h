/* SPDX-License-Identifier: Apache-2.0 */
/* What several verbs do alike: open the API, act on each operand and go on after a failure, print a list. */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "cli/api.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/format.h"
#include "cli/parse.h"

#include "lib/jsonx.h"

/* Opens the API at inv->host: 0, or -1 after a line on stderr. */
int verb_open(const struct invocation *inv, struct api **api);
/* The same after --format (of a list: and -q) was read into f, whose columns are set: 0, or EXIT_USAGE after a line on stderr. */
int verb_begin(const struct invocation *inv, bool list, struct format *f, struct api **api);

/*
 * Calls act for each operand. A failure is a line "cannot WHAT "operand": why"; the rest is done all the same, and the exit
 * status is that of the first failure.
 */
typedef int verb_act_fn(
	struct api *api, const struct invocation *inv, const char *operand, struct err *err);
int verb_each(const struct invocation *inv, const char *what, verb_act_fn *act);

/* Columns of instances: what ps shows, and what templates take as short keys. */
extern const struct column vm_columns[];
extern const size_t nvm_columns;

/* GET of each operand's object; prints all of them by --format (an array in JSON). f: columns and id_key are set. */
typedef int verb_path_fn(struct buf *out, const char *name, struct err *err);
int verb_inspect(
	const struct invocation *inv, const char *what, verb_path_fn *path, struct format f);

/* Prints by --format: 0, or an exit status after a line on stderr (a template that does not fit is wrong usage). */
int verb_print_items(const struct format *f, const json_t *items);
int verb_print_object(const struct format *f, const json_t *object);

/* GET of a list, printed with these columns by --format and -q. */
int verb_list(const struct invocation *inv, const char *path, const struct column *columns,
	size_t ncolumns, const char *id_key);

#endif
