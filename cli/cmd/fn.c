/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter fn ls, inspect, rm. */
#include "cli/fn.h"

static int path_of(struct buf *out, const char *operand, struct err *err)
{
	return fn_path(out, operand, "", err);
}

int cmd_fn_inspect(const struct invocation *inv)
{
	return verb_inspect(inv, "function", path_of, (struct format){.id_key = "name"});
}

static int rm(struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = fn_path(&path, name, "", err);

	(void)inv;
	return rc ? rc
		  : api_call(api, &(struct api_request){.method = "DELETE", .path = path.data},
			    NULL, err);
}

int cmd_fn_rm(const struct invocation *inv)
{
	return verb_each(inv, "remove function", rm);
}

int cmd_fn_ls(const struct invocation *inv)
{
	struct format f = {.columns = fn_columns, .ncolumns = nfn_columns, .id_key = "name"};
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *items _cleanup_json_ = NULL;
	struct err err = {0};
	int rc;

	if (verb_begin(inv, true, &f, &api))
		return EXIT_USAGE;
	rc = api_list(api, "/fn", &items, &err);
	if (rc)
		return complain(exit_status_of(rc), "cannot list functions: %s", err.msg);
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *fn = json_array_get(items, i);
		size_t n = json_array_size(json_object_get(fn, "instances"));

		json_object_set_new(fn, "instance_count", json_integer((json_int_t)n));
	}
	return verb_print_items(&f, items);
}
