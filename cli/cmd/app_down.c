/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter app down: end an application and all of its instances. */
#include "cli/app/app.h"

#include <errno.h>

#define DOWN_DEFAULT_S 120

static int down(struct api *api, const struct invocation *inv, const char *operand, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	char *name _cleanup_free_ = NULL;
	json_t *left _cleanup_json_ = NULL;
	int rc = app_operand(operand, &name, err);

	if (rc)
		return rc;
	rc = app_path(&path, name, "");
	rc = rc ? rc
		: buf_printf(&path, "?timeout=%.3f",
			  args_has(inv->args, "detach")
				  ? 0
				  : args_seconds(inv->args, "timeout", DOWN_DEFAULT_S));
	if (rc)
		return err_sys(err, -rc, "application");
	rc = api_call(
		api, &(struct api_request){.method = "DELETE", .path = path.data}, &left, err);
	if (rc || !left || args_has(inv->args, "detach"))
		return rc;
	return err_set(err, ETIMEDOUT, "it has not ended in time, and goes on ending");
}

int cmd_app_down(const struct invocation *inv)
{
	return verb_each(inv, "end application", down);
}
