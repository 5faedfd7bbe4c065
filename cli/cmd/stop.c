/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter stop: ask instances to end; the manager kills them after the time-out. */
#include "cli/verb.h"

static int stop(struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, "/stop", err);

	if (!rc && args_has(inv->args, "timeout"))
		rc = buf_printf(&path, "?timeout=%g", args_seconds(inv->args, "timeout", 0));
	if (!rc)
		rc = api_call(
			api, &(struct api_request){.method = "POST", .path = path.data}, NULL, err);
	return rc;
}

int cmd_stop(const struct invocation *inv)
{
	return verb_each(inv, "stop", stop);
}
