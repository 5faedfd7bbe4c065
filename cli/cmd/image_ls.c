/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image ls: list images. */
#include "cli/verb.h"

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT},
	{"DIGEST", "digest", COLUMN_DIGEST},
	{"SIZE", "bytes", COLUMN_BYTES},
	{"MEMORY", "config.memory_mib", COLUMN_MIB},
	{"PORTS", "config.ports", COLUMN_NUMBERS},
	{"VMS", "vms", COLUMN_TEXT},
	{"AGE", "created_at", COLUMN_AGE},
};

int cmd_image_ls(const struct invocation *inv)
{
	return verb_list(inv, "/image", columns, ARRAY_SIZE(columns), "name");
}
