/* SPDX-License-Identifier: Apache-2.0 */
/* api/openapi.yaml as JSON: made at build time by embed_openapi.c. */
#ifndef DAEMON_API_OPENAPI_H
#define DAEMON_API_OPENAPI_H

#include <stddef.h>

extern const char openapi_json[]; /* with a NUL behind it */
extern const size_t openapi_json_bytes;

#endif
