/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter ps: list instances; those that have ended only with --all. */
#include "cli/verb.h"

#include <string.h>

const struct column vm_columns[] = {
	{"ID", "id", COLUMN_ID},
	{"NAME", "name", COLUMN_TEXT},
	{"IMAGE", "image", COLUMN_TEXT},
	{"STATE", "state", COLUMN_TEXT},
	{"IP", "ip_address", COLUMN_TEXT},
	{"PORTS", "ports", COLUMN_PORTS},
	{"MONITOR", "monitor", COLUMN_TEXT},
	{"MEMORY", "memory_mib", COLUMN_MIB},
	{"START_MS", "start_ms", COLUMN_MS},
	{"AGE", "created_at", COLUMN_AGE},
};
const size_t nvm_columns = ARRAY_SIZE(vm_columns);

static bool is_ended(const json_t *vm)
{
	const char *state = json_string_value(json_object_get(vm, "state"));

	return state &&
		(!strcmp(state, "stopped") || !strcmp(state, "failed") ||
			!strcmp(state, "crashed"));
}

static bool has_label(const json_t *vm, const char *label)
{
	const char *equals = strchr(label, '='), *value;
	size_t len = equals ? (size_t)(equals - label) : strlen(label);

	value = json_string_value(json_object_getn(json_object_get(vm, "labels"), label, len));
	return value && (!equals || !strcmp(value, equals + 1));
}

static bool is_wanted(const struct args *args, const json_t *vm)
{
	const char *label = args_text(args, "label"), *image = args_text(args, "image");
	const char *of = json_string_value(json_object_get(vm, "image"));

	return (args_has(args, "all") || !is_ended(vm)) && (!label || has_label(vm, label)) &&
		(!image || (of && !strcmp(of, image)));
}

static int print_wanted(const struct args *args, const json_t *items, const struct format *f)
{
	json_t *wanted _cleanup_json_ = json_array();

	for (size_t i = 0; i < json_array_size(items); i++)
		if (is_wanted(args, json_array_get(items, i)))
			json_array_append(wanted, json_array_get(items, i));
	return verb_print_items(f, wanted);
}

int cmd_ps(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *items _cleanup_json_ = NULL;
	struct format f = {
		.columns = vm_columns, .ncolumns = ARRAY_SIZE(vm_columns), .id_key = "id"};
	struct err err = {0};
	int rc;

	if (verb_begin(inv, true, &f, &api))
		return EXIT_USAGE;
	rc = api_list(api, "/vm", &items, &err);
	if (rc)
		return complain(exit_status_of(rc), "cannot list instances: %s", err.msg);
	return print_wanted(inv->args, items, &f);
}
