/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter app inspect: all that the manager says of applications. */
#include "cli/app/app.h"

static int path_of(struct buf *out, const char *operand, struct err *err)
{
	char *name _cleanup_free_ = NULL;
	int rc = app_operand(operand, &name, err);

	return rc ? rc : app_path(out, name, "");
}

int cmd_app_inspect(const struct invocation *inv)
{
	return verb_inspect(inv, "application", path_of, (struct format){.id_key = "name"});
}
