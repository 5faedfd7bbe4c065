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

int verb_inspect(const struct invocation *inv, const char *what, verb_path_fn *path)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *all _cleanup_json_ = json_array();
	struct format f = {0};
	struct err err = {0};
	int status = EXIT_OK;

	if (format_init(&f, inv->args, false, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	if (f.mode == FORMAT_TABLE)
		f.mode = FORMAT_JSON;
	if (verb_open(inv, &api))
		return EXIT_USAGE;
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
	if (format_items(&f, all, &err))
		return complain(EXIT_FAILED, "%s", err.msg);
	return status;
}

int verb_list(const struct invocation *inv, const char *path, const struct column *columns,
	size_t ncolumns, const char *id_key)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *items _cleanup_json_ = NULL;
	struct format f = {.columns = columns, .ncolumns = ncolumns, .id_key = id_key};
	struct err err = {0};
	int rc;

	if (format_init(&f, inv->args, true, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	rc = api_list(api, path, &items, &err);
	if (rc)
		return complain(exit_status_of(rc), "%s", err.msg);
	rc = format_items(&f, items, &err);
	return rc ? complain(rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED, "%s", err.msg) : EXIT_OK;
}
