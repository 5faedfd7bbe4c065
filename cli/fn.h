/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of functions share. */
#ifndef CLI_FN_H
#define CLI_FN_H

#include "cli/verb.h"

/* Sets out to "/fn/NAME" and what follows. 0, -ENOMEM, or -ENOENT with a sentence for what cannot be a function's name. */
int fn_path(struct buf *out, const char *name, const char *suffix, struct err *err);

extern const struct column fn_columns[];
extern const size_t nfn_columns;

#endif
