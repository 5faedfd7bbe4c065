/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of an instance beside its memory, as asked for; daemon/cgroup.h sets them. */
#ifndef DAEMON_INSTANCE_LIMITS_H
#define DAEMON_INSTANCE_LIMITS_H

#include "daemon/check.h"

#include <jansson.h>

#define LIMIT_PERCENT_MAX 100000u /* of one processor */
#define LIMIT_WEIGHT_MAX  10000u
#define LIMIT_PIDS_MIN    16u /* threads of a monitor that has to live */
#define LIMIT_PIDS_MAX    4194304u

/* 0: no limit. */
struct limits {
	unsigned cpu_percent; /* of the time of one processor */
	unsigned cpu_weight;  /* against others; the kernel's default is 100 */
	unsigned pids;        /* processes and threads */
};

/* The field "limits" of a request: 0, or -EINVAL with check. */
int limits_take(struct check *check, const char *field, const json_t *value, struct limits *limits);
/* The same as JSON, null for what is not limited; NULL: nothing is. A new reference. */
json_t *limits_json(const struct limits *limits);

#endif
