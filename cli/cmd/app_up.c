/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter app build, app up: build what is to be built, tell the manager what is wanted, wait until it is so. */
#include "cli/app/app.h"
#include "cli/app/file.h"
#include "cli/app/images.h"

#include <errno.h>
#include <string.h>

#define UP_DEFAULT_S 120

/* --- what is wanted ---------------------------------------------------------------------------------------------- */
/* A refusal names a place, which is a line of the file. */
static int refused(
	const struct app_file *file, int rc, const json_t *problem, const struct err *err)
{
	const json_t *first = json_array_get(json_object_get(problem, "errors"), 0);
	const char *pointer = json_string_value(json_object_get(first, "pointer"));

	if (pointer)
		return complain(exit_status_of(rc), "%s:%d: %s", file->doc.name,
			yaml_line(&file->doc, pointer), err->msg);
	return complain(
		exit_status_of(rc), "cannot have application \"%s\": %s", file->name, err->msg);
}

static int put(struct api *api, const struct app_file *file)
{
	struct buf path _cleanup_buf_ = {0};
	json_t *answer _cleanup_json_ = NULL;
	struct err err = {0};
	int rc = app_path(&path, file->name, "");

	if (rc)
		return complain(EXIT_FAILED, "out of memory");
	rc = api_call(api,
		&(struct api_request){.method = "PUT", .path = path.data, .body = file->body},
		&answer, &err);
	return rc ? refused(file, rc, answer, &err) : EXIT_OK;
}

static int wait_and_print(const struct invocation *inv, struct api *api, const char *name)
{
	struct format f = {
		.columns = app_row_columns, .ncolumns = napp_row_columns, .id_key = "name"};
	json_t *app _cleanup_json_ = NULL, *rows _cleanup_json_ = NULL;
	struct err err = {0};
	int status;

	if (format_init(&f, inv->args, true, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	if (args_has(inv->args, "detach"))
		return EXIT_OK;
	status = app_wait_ready(api, name, args_seconds(inv->args, "timeout", UP_DEFAULT_S), &app);
	if (status != EXIT_OK)
		return status;
	rows = app_rows(app);
	return verb_print_items(&f, rows);
}

int cmd_app_build(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	struct app_file file _cleanup_(app_file_fini) = {0};
	struct err err = {0};

	if (app_file_load(args_operand(inv->args, 0), &file, &err))
		return complain(EXIT_FAILED, "%s", err.msg);
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	return app_make_images(inv, api, &file, false);
}

int cmd_app_up(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	struct app_file file _cleanup_(app_file_fini) = {0};
	struct err err = {0};
	int status;

	if (app_file_load(args_operand(inv->args, 0), &file, &err))
		return complain(EXIT_FAILED, "%s", err.msg);
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	status = app_make_images(inv, api, &file, args_has(inv->args, "no-build"));
	status = status != EXIT_OK ? status : put(api, &file);
	return status != EXIT_OK ? status : wait_and_print(inv, api, file.name);
}
