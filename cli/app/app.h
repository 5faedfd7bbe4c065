/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of applications share. */
#ifndef CLI_APP_APP_H
#define CLI_APP_APP_H

#include "cli/verb.h"

#include <stdbool.h>

/* The application that an operand names: by its name, or by its file (which has a / or a . in its name). *name is owned by the caller. -ENOENT for
 * what can not be a name, or as app_file_load(). */
int app_operand(const char *operand, char **name, struct err *err);

/* "/app/NAME" and what follows. 0 or -ENOMEM. */
int app_path(struct buf *out, const char *name, const char *suffix);

/* GET of the application. */
int app_get(struct api *api, const char *name, json_t **app, struct err *err);

/* Waits until all is ready: EXIT_OK, or an exit status after lines on stderr that name what is not and why. *app (may be NULL) is what it was last. */
int app_wait_ready(struct api *api, const char *name, double timeout_s, json_t **app);

/* Its instances, and services without any, for a table. A new array. */
json_t *app_rows(const json_t *app);
extern const struct column app_row_columns[];
extern const size_t napp_row_columns;

#endif
