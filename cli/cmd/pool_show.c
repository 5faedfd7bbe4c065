/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter pool show: the profiles of the pool of prepared VMs. */
#include "cli/verb.h"

static const struct column columns[] = {
	{"PROFILE", "profile", COLUMN_TEXT},
	{"MONITOR", "monitor", COLUMN_TEXT},
	{"MEMORY", "memory_mib", COLUMN_MIB},
	{"VCPUS", "vcpus", COLUMN_TEXT},
	{"TARGET", "target", COLUMN_TEXT},
	{"READY", "ready", COLUMN_TEXT},
	{"PREPARING", "preparing", COLUMN_TEXT},
	{"HITS", "hits", COLUMN_TEXT},
	{"MISSES", "misses", COLUMN_TEXT},
	{"DEATHS", "deaths", COLUMN_TEXT},
};

int cmd_pool_show(const struct invocation *inv)
{
	return verb_list(inv, "/pool", columns, ARRAY_SIZE(columns), "profile");
}
