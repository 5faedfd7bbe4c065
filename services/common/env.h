/* SPDX-License-Identifier: Apache-2.0 */
/* Settings from the environment. A variable that is set to nothing counts as not set. */
#ifndef SERVICES_COMMON_ENV_H
#define SERVICES_COMMON_ENV_H

#include "lib/err.h"

#include <stdint.h>

/* One line of --help. */
struct env_help {
	const char *name, *text;
};

const char *env_str(const char *name); /* or NULL */
/* A decimal number between min and max. 0 (*out is fallback when it is not set), or -EINVAL with a sentence. */
int env_int(const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out,
	struct err *err);

#endif
