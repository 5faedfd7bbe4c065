/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter rm: remove instances; with --force those too that run, and absent ones are no failure. */
#include "cli/verb.h"

#include <errno.h>

static int rm(struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	bool force = args_has(inv->args, "force");
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, force ? "?force=true" : "", err);

	if (!rc)
		rc = api_call(api, &(struct api_request){.method = "DELETE", .path = path.data},
			NULL, err);
	return force && rc == -ENOENT ? 0 : rc;
}

int cmd_rm(const struct invocation *inv)
{
	return verb_each(inv, "remove", rm);
}
