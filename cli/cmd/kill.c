/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter kill: end instances at once. */
#include "cli/verb.h"

static int kill_one(
	struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, "/kill", err);

	if (!rc)
		rc = api_call(
			api, &(struct api_request){.method = "POST", .path = path.data}, NULL, err);
	return rc;
}

int cmd_kill(const struct invocation *inv)
{
	return verb_each(inv, "kill", kill_one);
}
