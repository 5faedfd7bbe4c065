/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter kernel ls: what instances can boot. */
#include "cli/verb.h"

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT},
	{"SIZE", "bytes", COLUMN_BYTES},
	{"AGE", "changed_at", COLUMN_AGE},
};

int cmd_kernel_ls(const struct invocation *inv)
{
	return verb_list(inv, "/kernel", columns, ARRAY_SIZE(columns), "name");
}
