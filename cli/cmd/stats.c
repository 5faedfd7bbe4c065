/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter stats: memory and CPU time of instances, all that run when none is named. */
#include "cli/verb.h"

#include <errno.h>
#include <string.h>

static const struct column columns[] = {
	{"ID", "id", COLUMN_ID},
	{"NAME", "name", COLUMN_TEXT},
	{"PRIVATE", "private_bytes", COLUMN_BYTES},
	{"PSS", "pss_bytes", COLUMN_BYTES},
	{"RSS", "rss_bytes", COLUMN_BYTES},
	{"USER_MS", "cpu_user_ms", COLUMN_TEXT},
	{"SYSTEM_MS", "cpu_system_ms", COLUMN_TEXT},
	{"UPTIME_MS", "uptime_ms", COLUMN_TEXT},
};

/* Appends what one instance uses; one without a process is left out where nobody named it. */
static int add(struct api *api, const char *key, const char *name, json_t *items, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	json_t *figures = NULL;
	int rc = api_vm_path(&path, key, "/stats", err);

	if (!rc)
		rc = api_call(api, &(struct api_request){.path = path.data}, &figures, err);
	if (rc) {
		json_decref(figures);
		return rc;
	}
	json_object_set_new(figures, "name", json_string(name));
	return json_array_append_new(items, figures) ? -ENOMEM : 0;
}

static int add_all(struct api *api, json_t *items, struct err *err)
{
	json_t *vms _cleanup_json_ = NULL, *vm;
	size_t n;
	int rc = api_list(api, "/vm", &vms, err);

	json_array_foreach(vms, n, vm)
	{
		const char *id = json_string_value(json_object_get(vm, "id"));
		const char *name = json_string_value(json_object_get(vm, "name"));

		if (rc || !id || !name || !json_is_integer(json_object_get(vm, "pid")))
			continue;
		rc = add(api, id, name, items, err);
		if (rc == -ENOENT || rc == -EEXIST) /* it has ended meanwhile */
			rc = 0;
	}
	return rc;
}

int cmd_stats(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *items _cleanup_json_ = json_array();
	struct format f = {.columns = columns, .ncolumns = ARRAY_SIZE(columns), .id_key = "id"};
	size_t named = args_operands(inv->args);
	struct err err = {0};
	int rc = 0;

	if (verb_begin(inv, true, &f, &api))
		return EXIT_USAGE;
	if (!named)
		rc = add_all(api, items, &err);
	for (size_t i = 0; i < named && !rc; i++)
		rc = add(api, args_operand(inv->args, i), args_operand(inv->args, i), items, &err);
	if (rc)
		return complain(exit_status_of(rc), "%s", err.msg);
	return verb_print_items(&f, items);
}
