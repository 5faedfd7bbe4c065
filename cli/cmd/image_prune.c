/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image prune: remove what no name and no instance has; with --all, names that no instance uses too. */
#include "cli/verb.h"

/* As a table: the names that are gone. */
static int show(const struct format *f, const json_t *answer)
{
	const json_t *names = json_object_get(answer, "removed");

	if (f->mode != FORMAT_TABLE)
		return verb_print_object(f, answer);
	for (size_t i = 0; i < json_array_size(names); i++)
		puts(json_string_value(json_array_get(names, i)));
	return fflush(stdout) ? complain(EXIT_FAILED, "cannot write the names") : EXIT_OK;
}

int cmd_image_prune(const struct invocation *inv)
{
	bool all = args_has(inv->args, "all");
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *answer _cleanup_json_ = NULL;
	struct format f = {0};
	struct err err = {0};
	int rc;

	if (verb_begin(inv, false, &f, &api))
		return EXIT_USAGE;
	rc = api_call(api,
		&(struct api_request){
			.method = "POST", .path = all ? "/image/prune?all=true" : "/image/prune"},
		&answer, &err);
	return rc ? complain(exit_status_of(rc), "cannot prune images: %s", err.msg)
		  : show(&f, answer);
}
