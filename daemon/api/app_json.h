/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_API_APP_JSON_H
#define DAEMON_API_APP_JSON_H

#include <jansson.h>

struct app;

/* Schema App. A new reference; NULL without memory. */
json_t *app_json(const struct app *app);

#endif
