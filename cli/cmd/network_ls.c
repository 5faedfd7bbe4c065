/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter network ls: the networks that instances are in. */
#include "cli/verb.h"

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT},
	{"SUBNET", "subnet", COLUMN_TEXT},
	{"SUBNET6", "subnet6", COLUMN_TEXT},
	{"GATEWAY", "gateway", COLUMN_TEXT},
	{"ISOLATED", "isolated", COLUMN_TEXT},
	{"NAT", "nat", COLUMN_TEXT},
	{"VMS", "vms", COLUMN_TEXT},
	{"FREE", "addresses_free", COLUMN_TEXT},
};

int cmd_network_ls(const struct invocation *inv)
{
	return verb_list(inv, "/network", columns, ARRAY_SIZE(columns), "name");
}
