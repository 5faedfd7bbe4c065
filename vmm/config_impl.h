/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers of the configuration's parts share. */
#ifndef VMM_CONFIG_IMPL_H
#define VMM_CONFIG_IMPL_H

#include "vmm/config.h"

#define CONFIG_PATH_MAX_BYTES 4096u

/* An object with no other fields than names (ends with NULL). 0 or -EINVAL. */
int config_check_fields(const json_t *body, const char *const *names, struct err *err);
int config_required(const json_t *body, const char *name, struct err *err);
/* Is id a name for a resource, and the one from the path (NULL: there is none)? 0 or -EINVAL. */
int config_check_id(const char *path_id, const char *id, struct err *err);

#endif
