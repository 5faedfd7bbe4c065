/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of the manager (GET /operation): what a call has begun that goes on behind its answer. */
#ifndef CLI_OPERATION_H
#define CLI_OPERATION_H

#include "cli/api.h"

/*
 * Follows an operation, an answer of the API, to its end, and shows how far it is (cli/progress.h). 0 with *result (its result; a new
 * reference, NULL when it has none), or what the call would have failed with.
 */
int operation_await(struct api *api, json_t *operation, json_t **result, struct err *err);
/* "/operation/ID". -ENOENT for what can be no id. */
int operation_path(struct buf *out, const char *id, struct err *err);

#endif
