/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter kill, start, restart, pause, resume: one call for each instance. */
#include "cli/verb.h"

#include <string.h>

static int act(struct api *api, const struct invocation *inv, const char *name, const char *action,
	struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, action, err);

	if (!rc && strcmp(action, "/restart") == 0 && args_has(inv->args, "timeout"))
		rc = buf_printf(&path, "?timeout=%g", args_seconds(inv->args, "timeout", 0));
	if (!rc)
		rc = api_call(
			api, &(struct api_request){.method = "POST", .path = path.data}, NULL, err);
	return rc;
}

#define ACTION(verb)                                                                               \
	static int verb##_one(                                                                     \
		struct api *api, const struct invocation *inv, const char *name, struct err *err)  \
	{                                                                                          \
		return act(api, inv, name, "/" #verb, err);                                        \
	}                                                                                          \
	int cmd_##verb(const struct invocation *inv)                                               \
	{                                                                                          \
		return verb_each(inv, #verb, verb##_one);                                          \
	}

ACTION(kill)
ACTION(start)
ACTION(restart)
ACTION(pause)
ACTION(resume)
