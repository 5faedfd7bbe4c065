/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML read into JSON values, so that one validator serves files and API. Of YAML: one document, no anchors, aliases,
 * tags or duplicate keys. Plain scalars are null, booleans, numbers as the core schema of YAML 1.2 reads
 * them (yes, no, on, off are strings), all others strings.
 */
#ifndef DAEMON_YAML_JSON_H
#define DAEMON_YAML_JSON_H

#include "lib/err.h"

#include <jansson.h>

/* *root is a new reference. 0, or -errno with err (line and column). */
int yaml_load(const char *text, size_t len, json_t **root, struct err *err);
/* As yaml_load(); refuses files of more than max bytes. */
int yaml_load_file(const char *path, size_t max, json_t **root, struct err *err);

#endif
