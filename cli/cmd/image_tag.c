/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image tag: give an image another name. */
#include "cli/verb.h"

#include <errno.h>

int cmd_image_tag(const struct invocation *inv)
{
	const char *source = args_operand(inv->args, 0), *name = args_operand(inv->args, 1);
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *body _cleanup_json_ = json_pack("{s:s, s:s}", "source", source, "name", name);
	struct err err = {0};
	int rc;

	if (!body)
		return complain(
			EXIT_USAGE, "\"%s\" or \"%s\" is no name of an image", source, name);
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	rc = api_call(api, &(struct api_request){.method = "POST", .path = "/image", .body = body},
		NULL, &err);
	return rc ? complain(exit_status_of(rc), "cannot name image \"%s\" \"%s\": %s", source,
			    name, err.msg)
		  : EXIT_OK;
}
