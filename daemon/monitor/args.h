/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: words separated by blanks, double quotes around what has blanks, quotes or backslashes, in which \" and
 * \\ stand for " and \. The boot line of a VM is (the grammar of the libOS, abi/identity.h)
 *
 *   ip=ADDR/PREFIX gw=ADDR hostname=NAME [dns=ADDR search=DOMAIN[,DOMAIN]] env=K=V ... -- PROGRAM ARG...
 */
#ifndef DAEMON_MONITOR_ARGS_H
#define DAEMON_MONITOR_ARGS_H

#include "lib/buf.h"
#include "lib/err.h"

#define ARGS_WORDS_MAX 256
#define ARGS_BOOT_MAX  16000 /* bytes of a boot line: below the 16,127 of the identity page */

struct network;
struct lease;
struct start_spec;

/* Takes a line apart; quotes may also begin inside a word. *words is one allocation with NULL behind the last word, for
 * args_free(). The number of words, or -EINVAL (a quote is open), -E2BIG, -ENOMEM with err. */
int args_split(const char *line, char ***words, struct err *err);
void args_free(char **words);

/* Appends a blank when the line has words already, and the word, quoted if need be. As buf_add(). */
int args_add(struct buf *line, const char *word);
/* The words as a line; caller frees; NULL without memory. words may be NULL. */
char *args_join(char *const *words);

/* The boot line. 0, or -E2BIG with err. */
int args_boot(const struct network *net, const struct lease *lease, const struct start_spec *spec,
	struct buf *line, struct err *err);

#endif
