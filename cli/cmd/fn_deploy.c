/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter fn deploy: say what is wanted of a function. */
#include "cli/fn.h"
#include "cli/run_request.h"

#include <errno.h>

static const struct {
	const char *option, *field;
} counts[] = {{"port", "port"}, {"min", "min"}, {"max", "max"}, {"concurrency", "concurrency"},
	{"queue", "queue"}, {"idle", "idle_s"}};

static const struct {
	const char *option, *field;
} times[] = {{"start-timeout", "start_timeout_ms"}, {"answer-timeout", "timeout_ms"}};

/* Of the same options as a run, but for its name and image. */
static int make_spec(const struct args *args, json_t **out, struct err *err)
{
	json_t *spec _cleanup_json_ = json_object();
	int rc = run_request_program(args, spec, err);

	if (rc)
		return rc;
	rc = json_object_set_new(spec, "image", json_string(args_operand(args, 1)));
	for (size_t i = 0; i < ARRAY_SIZE(counts) && !rc; i++) {
		if (args_has(args, counts[i].option))
			rc = json_object_set_new(spec, counts[i].field,
				json_integer(args_count(args, counts[i].option, 0)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(times) && !rc; i++) {
		if (args_has(args, times[i].option))
			rc = json_object_set_new(spec, times[i].field,
				json_integer(
					(json_int_t)(args_seconds(args, times[i].option, 0) * 1000 +
						0.5)));
	}
	if (rc)
		return err_set(err, EINVAL, "the image's name is not UTF-8");
	*out = steal_ptr(&spec);
	return 0;
}

int cmd_fn_deploy(const struct invocation *inv)
{
	struct format f = {.columns = fn_columns, .ncolumns = nfn_columns, .id_key = "url"};
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *spec _cleanup_json_ = NULL, *fn _cleanup_json_ = NULL;
	struct buf path _cleanup_buf_ = {0};
	const char *name = args_operand(inv->args, 0);
	struct err err = {0};
	int rc;

	if (make_spec(inv->args, &spec, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	if (verb_begin(inv, false, &f, &api))
		return EXIT_USAGE;
	rc = fn_path(&path, name, "", &err);
	rc = rc ? rc
		: api_call(api,
			  &(struct api_request){.method = "PUT", .path = path.data, .body = spec},
			  &fn, &err);
	if (rc)
		return complain(
			exit_status_of(rc), "cannot deploy function \"%s\": %s", name, err.msg);
	if (args_has(inv->args, "format"))
		return verb_print_object(&f, fn);
	puts(json_string_value(json_object_get(fn, "url")));
	return EXIT_OK;
}
