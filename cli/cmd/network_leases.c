/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter network leases: who has which address. */
#include "cli/verb.h"

#include <string.h>

static const struct column columns[] = {
	{"ADDRESS", "ip_address", COLUMN_TEXT},
	{"IPV6", "ipv6_address", COLUMN_TEXT},
	{"MAC", "mac", COLUMN_TEXT},
	{"INTERFACE", "interface", COLUMN_TEXT},
	{"INSTANCE", "vm_name", COLUMN_TEXT},
};

int cmd_network_leases(const struct invocation *inv)
{
	const char *name = args_operands(inv->args) ? args_operand(inv->args, 0) : "default";
	struct buf path _cleanup_buf_ = {0};

	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")])
		return complain(EXIT_NO_OBJECT,
			"there is no network \"%s\" (see: uigniter network ls)", name);
	if (buf_printf(&path, "/network/%s/lease", name))
		return complain(EXIT_FAILED, "out of memory");
	return verb_list(inv, path.data, columns, ARRAY_SIZE(columns), "ip_address");
}
