/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter app ps: the instances of an application, by service. */
#include "cli/app/app.h"

int cmd_app_ps(const struct invocation *inv)
{
	struct format f = {
		.columns = app_row_columns, .ncolumns = napp_row_columns, .id_key = "name"};
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *app _cleanup_json_ = NULL, *rows _cleanup_json_ = NULL;
	char *name _cleanup_free_ = NULL;
	struct err err = {0};
	int rc;

	if (verb_begin(inv, true, &f, &api))
		return EXIT_USAGE;
	rc = app_operand(args_operand(inv->args, 0), &name, &err);
	rc = rc ? rc : app_get(api, name, &app, &err);
	if (rc)
		return complain(exit_status_of(rc), "cannot show application \"%s\": %s",
			args_operand(inv->args, 0), err.msg);
	rows = app_rows(app);
	return verb_print_items(&f, rows);
}
