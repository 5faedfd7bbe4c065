/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words after a command's name, parsed by its row of the table. Values are checked for their kind here, so that
 * a command only ever sees values that are right; it borrows them from argv.
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct command;
struct args;

#define ARGS_OPTIONS_MAX 32  /* options of one command, the common ones included */
#define ARGS_VALUES_MAX  256 /* values of one option */

/*
 * argv[0] is not looked at; argv is reordered as getopt_long(3) does, up to the first "--". On success *args is
 * owned by the caller (args_free) and borrows from argv. -EINVAL with a sentence for wrong usage, -ENOMEM.
 */
int args_parse(
	const struct command *command, int argc, char **argv, struct args **args, struct err *err);
void args_free(struct args *args);
static inline void args_freep(struct args **args)
{
	args_free(*args);
}

/* Whether the option was given. The name must be one of the command's. */
bool args_has(const struct args *args, const char *option);
/* Its last value, or NULL. */
const char *args_text(const struct args *args, const char *option);
/* All its values in order; *count of them. */
const char *const *args_list(const struct args *args, const char *option, size_t *count);
/* Its value as a number, or fallback when it was not given. */
int64_t args_count(const struct args *args, const char *option, int64_t fallback);
double args_seconds(const struct args *args, const char *option, double fallback);
int64_t args_memory_mib(const struct args *args, const char *option, int64_t fallback);

/* Operands, and the words after "--" (a program and its arguments). */
size_t args_operands(const struct args *args);
const char *args_operand(const struct args *args, size_t i);
size_t args_program_words(const struct args *args);
const char *args_program_word(const struct args *args, size_t i);

/* The value kinds: 0 or -EINVAL. memory: MiB, rounded up; units K M G with or without iB or B, no bare numbers. */
int parse_count(const char *s, int64_t *value);
int parse_seconds(const char *s, double *value);
int parse_memory_mib(const char *s, int64_t *mib);

#endif
