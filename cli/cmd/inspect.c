/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter inspect: all that the manager knows of instances, as JSON or through a template. */
#include "cli/verb.h"

static int path(struct buf *out, const char *name, struct err *err)
{
	return api_vm_path(out, name, "", err);
}

int cmd_inspect(const struct invocation *inv)
{
	return verb_inspect(inv, "instance", path,
		(struct format){.columns = vm_columns, .ncolumns = nvm_columns, .id_key = "id"});
}
