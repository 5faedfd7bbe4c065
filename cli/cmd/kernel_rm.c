/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter kernel rm: remove kernels. */
#include "cli/verb.h"

static int rm(struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_kernel_path(&path, name, err);

	if (!rc)
		rc = api_call(api, &(struct api_request){.method = "DELETE", .path = path.data},
			NULL, err);
	return rc;
}

int cmd_kernel_rm(const struct invocation *inv)
{
	return verb_each(inv, "remove kernel", rm);
}
