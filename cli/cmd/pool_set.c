/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter pool set: make a profile of the pool, or change one. */
#include "cli/verb.h"

#include <errno.h>

static int put(struct api *api, const struct invocation *inv, const char *profile, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	json_t *body _cleanup_json_ = json_object();
	int rc = 0;

	if (args_has(inv->args, "target"))
		rc |= json_object_set_new(
			body, "target", json_integer(args_count(inv->args, "target", 0)));
	if (args_has(inv->args, "memory"))
		rc |= json_object_set_new(
			body, "memory_mib", json_integer(args_memory_mib(inv->args, "memory", 0)));
	if (args_has(inv->args, "on-exhausted"))
		rc |= json_object_set_new(
			body, "on_exhausted", json_string(args_text(inv->args, "on-exhausted")));
	if (args_has(inv->args, "kernel"))
		rc |= json_object_set_new(
			body, "kernel", json_string(args_text(inv->args, "kernel")));
	if (rc)
		return err_sys(err, ENOMEM, "cannot make the request");
	rc = buf_addstr(&path, "/pool/");
	if (!rc)
		rc = buf_addstr(&path, profile);
	if (!rc)
		rc = api_call(api,
			&(struct api_request){.method = "PUT", .path = path.data, .body = body},
			NULL, err);
	return rc;
}

int cmd_pool_set(const struct invocation *inv)
{
	return verb_each(inv, "set the profile", put);
}
