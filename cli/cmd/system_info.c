/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter system info: how the manager is set up. */
#include "cli/verb.h"

int cmd_system_info(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *info _cleanup_json_ = NULL;
	struct format f = {0};
	struct err err = {0};
	int rc;

	if (verb_begin(inv, false, &f, &api))
		return EXIT_USAGE;
	rc = api_call(api, &(struct api_request){.path = "/info"}, &info, &err);
	if (rc)
		return complain(exit_status_of(rc), "%s", err.msg);
	return verb_print_object(&f, info);
}
