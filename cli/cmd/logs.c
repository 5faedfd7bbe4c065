/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter logs: what an instance wrote on its console, byte for byte. */
#include "cli/verb.h"

#include <errno.h>

static int on_data(void *arg, const void *data, size_t len)
{
	return fwrite(data, 1, len, stdout) == len && !fflush(stdout) ? 0 : -EIO;
}

static int logs(struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, "/logs?follow=", err);

	if (!rc)
		rc = buf_addstr(&path, args_has(inv->args, "follow") ? "true" : "false");
	if (!rc && args_has(inv->args, "tail"))
		rc = buf_printf(&path, "&tail=%lld", (long long)args_count(inv->args, "tail", 0));
	if (!rc)
		rc = api_call(api, &(struct api_request){.path = path.data, .on_data = on_data},
			NULL, err);
	return rc;
}

int cmd_logs(const struct invocation *inv)
{
	return verb_each(inv, "show the log of", logs);
}
