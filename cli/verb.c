/* SPDX-License-Identifier: Apache-2.0 */
/* What several verbs do alike. */
#include "cli/verb.h"

#include <errno.h>

int verb_open(const struct invocation *inv, struct api **api)
{
	struct err err = {0};

	if (!api_open(inv->host, api, &err))
		return 0;
	complain(EXIT_USAGE, "%s", err.msg);
	return -1;
}

int verb_begin(const struct invocation *inv, bool list, struct format *f, struct api **api)
{
	struct err err = {0};

	if (format_init(f, inv->args, list, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	return verb_open(inv, api) ? EXIT_USAGE : 0;
}

int verb_each(const struct invocation *inv, const char *what, verb_act_fn *act)
{
	struct api *api _cleanup_(api_closep) = NULL;
	int status = EXIT_OK;

	if (verb_open(inv, &api))
		return EXIT_USAGE;
	for (size_t i = 0; i < args_operands(inv->args); i++) {
		const char *operand = args_operand(inv->args, i);
		struct err err = {0};
		int rc = act(api, inv, operand, &err);

		if (!rc)
			continue;
		complain(0, "cannot %s \"%s\": %s", what, operand, err.msg);
		if (status == EXIT_OK)
			status = exit_status_of(rc);
		if (rc == -ECONNREFUSED)
			break;
	}
	return status;
}

static int printed(int rc, const struct err *err)
{
	return rc ? complain(rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED, "%s", err->msg) : EXIT_OK;
}

int verb_print_items(const struct format *f, const json_t *items)
{
	struct err err = {0};
	int rc = format_items(f, items, &err);

	return printed(rc, &err);
}

int verb_print_object(const struct format *f, const json_t *object)
{
	struct err err = {0};
	int rc = format_object(f, object, &err);

	return printed(rc, &err);
}

int verb_inspect(
	const struct invocation *inv, const char *what, verb_path_fn *path, struct format f)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *all _cleanup_json_ = json_array();
	struct err err = {0};
	int status = EXIT_OK, print_status;

	if (verb_begin(inv, false, &f, &api))
		return EXIT_USAGE;
	if (f.mode == FORMAT_TABLE)
		f.mode = FORMAT_JSON;
	for (size_t i = 0; i < args_operands(inv->args); i++) {
		const char *name = args_operand(inv->args, i);
		struct buf p _cleanup_buf_ = {0};
		json_t *answer _cleanup_json_ = NULL;
		int rc = path(&p, name, &err);

		if (!rc)
			rc = api_call(api, &(struct api_request){.path = p.data}, &answer, &err);
		if (!rc)
			rc = json_array_append(all, answer) ? -ENOMEM : 0;
		if (!rc)
			continue;
		complain(0, "cannot inspect %s \"%s\": %s", what, name, err.msg);
		if (status == EXIT_OK)
			status = exit_status_of(rc);
	}
	if (status != EXIT_OK && !json_array_size(all))
		return status;
	print_status = verb_print_items(&f, all);
	return status != EXIT_OK ? status : print_status;
}

int verb_list(const struct invocation *inv, const char *path, const struct column *columns,
	size_t ncolumns, const char *id_key)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *items _cleanup_json_ = NULL;
	struct format f = {.columns = columns, .ncolumns = ncolumns, .id_key = id_key};
	struct err err = {0};
	int rc;

	if (verb_begin(inv, true, &f, &api))
		return EXIT_USAGE;
	rc = api_list(api, path, &items, &err);
	if (rc)
		return complain(exit_status_of(rc), "%s", err.msg);
	return verb_print_items(&f, items);
}
