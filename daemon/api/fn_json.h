/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_API_FN_JSON_H
#define DAEMON_API_FN_JSON_H

#include <jansson.h>

struct fn;

/* Schema Fn. NULL without memory. */
json_t *fn_json(const struct fn *fn);

#endif
