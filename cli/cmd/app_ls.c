/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter app ls: the applications, one a line. */
#include "cli/app/app.h"

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT},
	{"STATE", "state", COLUMN_TEXT},
	{"SERVICES", "ready_services", COLUMN_TEXT},
	{"INSTANCES", "ready_instances", COLUMN_TEXT},
	{"AGE", "created_at", COLUMN_AGE},
};

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "3/4": how many are ready of those that are wanted. */
static void add_figures(json_t *app)
{
	const json_t *services = json_object_get(app, "services");
	size_t n = json_array_size(services), good = 0;
	json_int_t ready = 0, wanted = 0;
	char text[64];

	for (size_t i = 0; i < n; i++) {
		const json_t *s = json_array_get(services, i);
		const char *state = json_string_value(json_object_get(s, "state"));

		good += state && state[0] == 'r';
		ready += number_of(s, "ready") + number_of(s, "done");
		wanted += number_of(s, "replicas");
	}
	snprintf(text, sizeof(text), "%zu/%zu", good, n);
	json_object_set_new(app, "ready_services", json_string(text));
	snprintf(text, sizeof(text), "%lld/%lld", (long long)ready, (long long)wanted);
	json_object_set_new(app, "ready_instances", json_string(text));
}

int cmd_app_ls(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *items _cleanup_json_ = NULL;
	struct format f = {.columns = columns, .ncolumns = ARRAY_SIZE(columns), .id_key = "name"};
	struct err err = {0};
	int rc;

	if (verb_begin(inv, true, &f, &api))
		return EXIT_USAGE;
	rc = api_list(api, "/app", &items, &err);
	if (rc)
		return complain(exit_status_of(rc), "cannot list applications: %s", err.msg);
	for (size_t i = 0; i < json_array_size(items); i++)
		add_figures(json_array_get(items, i));
	return verb_print_items(&f, items);
}
