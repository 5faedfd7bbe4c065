/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter app scale: how many replicas services are to have. */
#include "cli/app/app.h"

#include <errno.h>
#include <string.h>

#define SCALE_DEFAULT_S 120

/* SERVICE=N... behind the application. */
static int read_counts(const struct args *args, json_t *counts)
{
	for (size_t i = 1; i < args_operands(args); i++) {
		const char *word = args_operand(args, i), *equals = strchr(word, '=');
		char *name _cleanup_free_ = equals ? strndup(word, (size_t)(equals - word)) : NULL;
		int64_t n;

		if (!name || !*name || parse_count(equals + 1, &n) ||
			json_object_set_new(counts, name, json_integer(n)))
			return complain(
				EXIT_USAGE, "\"%s\" is not SERVICE=NUMBER, such as worker=5", word);
	}
	return EXIT_OK;
}

static int scale(struct api *api, const char *name, json_t *counts)
{
	struct buf path _cleanup_buf_ = {0};
	struct err err = {0};
	int rc = app_path(&path, name, "/scale");

	rc = rc ? rc
		: api_call(api,
			  &(struct api_request){
				  .method = "POST", .path = path.data, .body = counts},
			  NULL, &err);
	return rc
		? complain(exit_status_of(rc), "cannot scale application \"%s\": %s", name, err.msg)
		: EXIT_OK;
}

int cmd_app_scale(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *counts _cleanup_json_ = json_object();
	char *name _cleanup_free_ = NULL;
	struct err err = {0};
	int status = read_counts(inv->args, counts), rc;

	if (status != EXIT_OK)
		return status;
	rc = app_operand(args_operand(inv->args, 0), &name, &err);
	if (rc)
		return complain(exit_status_of(rc), "%s", err.msg);
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	status = scale(api, name, counts);
	if (status != EXIT_OK || args_has(inv->args, "detach"))
		return status;
	return app_wait_ready(api, name, args_seconds(inv->args, "timeout", SCALE_DEFAULT_S), NULL);
}
