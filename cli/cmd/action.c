/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter stop, kill, start, restart, pause, resume: one call for each instance. */
#include "cli/verb.h"

static int act(struct api *api, const struct invocation *inv, const char *name, const char *action,
	bool takes_timeout, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, action, err);

	if (!rc && takes_timeout && args_has(inv->args, "timeout"))
		rc = buf_printf(&path, "?timeout=%g", args_seconds(inv->args, "timeout", 0));
	if (!rc)
		rc = api_call(
			api, &(struct api_request){.method = "POST", .path = path.data}, NULL, err);
	return rc;
}

#define ACTION(verb, takes_timeout)                                                                \
	static int verb##_one(                                                                     \
		struct api *api, const struct invocation *inv, const char *name, struct err *err)  \
	{                                                                                          \
		return act(api, inv, name, "/" #verb, takes_timeout, err);                         \
	}                                                                                          \
	int cmd_##verb(const struct invocation *inv)                                               \
	{                                                                                          \
		return verb_each(inv, #verb, verb##_one);                                          \
	}

ACTION(stop, true)
ACTION(kill, false)
ACTION(start, false)
ACTION(restart, true)
ACTION(pause, false)
ACTION(resume, false)
