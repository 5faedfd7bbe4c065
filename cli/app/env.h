/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${env.NAME} and ${env.NAME:-DEFAULT} in a text: the command line's own environment; ${var.NAME}: a variable of the file. All else that
 * begins with $ is the manager's.
 */
#ifndef CLI_APP_ENV_H
#define CLI_APP_ENV_H

#include "lib/buf.h"

#include <jansson.h>

/* The text with these replaced, behind out. vars: an object of texts, may be NULL. 0; -EINVAL: not a name, or no end; -ENOENT: there is no such
 * variable, and no default; -ENOMEM. *name (may be NULL afterwards) and *len: which one failed. */
int env_expand(
	const char *text, const json_t *vars, struct buf *out, const char **name, size_t *len);

#endif
