/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter system version: of this program, and of the manager when it can be reached. */
#include "cli/verb.h"

int cmd_system_version(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *manager = NULL, *all _cleanup_json_ = NULL;
	struct format f = {0};
	struct err err = {0};

	if (verb_begin(inv, false, &f, &api))
		return EXIT_USAGE;
	if (api_call(api, &(struct api_request){.path = "/version"}, &manager, &err))
		complain(0, "%s", err.msg);
	all = json_pack("{s:s, s:o*, s:o*}", "client", UIGNITER_VERSION, "manager",
		json_incref(json_object_get(manager, "version")), "api",
		json_incref(json_object_get(manager, "api_version")));
	json_decref(manager);
	if (!all)
		return complain(EXIT_FAILED, "out of memory");
	return verb_print_object(&f, all);
}
