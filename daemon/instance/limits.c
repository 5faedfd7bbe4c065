/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/limits.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int limits_take(struct check *c, const char *field, const json_t *value, struct limits *limits)
{
	const struct {
		const char *name, *where;
		unsigned min, max, *to;
	} fields[] = {
		{"cpu_percent", "limits/cpu_percent", 1, LIMIT_PERCENT_MAX, &limits->cpu_percent},
		{"cpu_weight", "limits/cpu_weight", 1, LIMIT_WEIGHT_MAX, &limits->cpu_weight},
		{"pids", "limits/pids", LIMIT_PIDS_MIN, LIMIT_PIDS_MAX, &limits->pids},
	};
	const char *key;
	json_t *item;

	if (json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return check_fail(c, field, NULL, "limits: an object is wanted");
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		size_t n = 0;

		while (n < ARRAY_SIZE(fields) && strcmp(fields[n].name, key) != 0)
			n++;
		if (n == ARRAY_SIZE(fields))
			return check_fail(c, field, key, "limits: there is no field %.40s", key);
		if (check_uint(c, fields[n].where, item, fields[n].min, fields[n].max,
			    fields[n].to) < 0)
			return -EINVAL;
	}
	return 0;
}

static bool any(const struct limits *limits)
{
	return limits->cpu_percent || limits->cpu_weight || limits->pids;
}

static json_t *number_or_null(unsigned n)
{
	return n ? json_integer(n) : json_null();
}

json_t *limits_json(const struct limits *limits)
{
	return any(limits)
		? json_pack("{s:o, s:o, s:o}", "cpu_percent", number_or_null(limits->cpu_percent),
			  "cpu_weight", number_or_null(limits->cpu_weight), "pids",
			  number_or_null(limits->pids))
		: NULL;
}
