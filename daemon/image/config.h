/* SPDX-License-Identifier: Apache-2.0 */
/* An image's configuration: schema ImageConfig of api/openapi.yaml. It is kept as checked JSON. */
#ifndef DAEMON_IMAGE_CONFIG_H
#define DAEMON_IMAGE_CONFIG_H

#include "daemon/check.h"

/* Holds config against the schema; unknown fields are errors. 0 or -EINVAL. */
int image_config_check(const json_t *config, struct check *check);
/* The configuration with the fields of patch in the place of its own; null removes one. A new reference, checked; NULL with
 * the check filled. */
json_t *image_config_patch(const json_t *config, const json_t *patch, struct check *check);

unsigned image_config_memory_mib(const json_t *config); /* 0: not said */
/* The TCP port that tells readiness: readiness.port, else the first of ports, else 0. */
unsigned image_config_ready_port(const json_t *config);
/* What is asked of it, and how often, before it becomes a template: a path on that port (borrowed); NULL: nothing is. */
const char *image_config_warm(const json_t *config, unsigned *requests);
/* A string of the object `process`, borrowed, or NULL. */
const char *image_config_process(const json_t *config, const char *field);

#endif
