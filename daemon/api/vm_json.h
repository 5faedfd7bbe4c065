/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a VM: schema Vm of api/openapi.yaml. */
#ifndef DAEMON_API_VM_JSON_H
#define DAEMON_API_VM_JSON_H

#include <jansson.h>
#include <time.h>

struct instance;

/* A new reference; NULL without memory. */
json_t *vm_json(const struct instance *inst);
/* RFC 3339 in UTC with milliseconds; null for a time of zero. */
json_t *time_json(const struct timespec *time);

#endif
