/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image warm, template ls, template rm. */
#include "cli/operation.h"
#include "cli/progress.h"
#include "cli/run_request.h"
#include "cli/verb.h"

#include <errno.h>
#include <string.h>

static const struct column columns[] = {
	{"ID", "id", COLUMN_TEXT},
	{"IMAGE", "image", COLUMN_TEXT},
	{"DIGEST", "digest", COLUMN_DIGEST},
	{"STATE", "state", COLUMN_TEXT},
	{"MEMORY", "memory_mib", COLUMN_MIB},
	{"SIZE", "bytes", COLUMN_BYTES},
	{"LOADED", "loaded", COLUMN_TEXT},
	{"HITS", "hits", COLUMN_TEXT},
	{"AGE", "created_at", COLUMN_AGE},
};

int cmd_template_ls(const struct invocation *inv)
{
	return verb_list(inv, "/template", columns, ARRAY_SIZE(columns), "id");
}

static int rm(struct api *api, const struct invocation *inv, const char *id, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};

	(void)inv;
	if (id[strspn(id, "0123456789abcdef")] || !*id)
		return err_set(
			err, ENOENT, "there is no such template (see: uigniter template ls)");
	if (buf_printf(&path, "/template/%s", id) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return api_call(
		api, &(struct api_request){.method = "DELETE", .path = path.data}, NULL, err);
}

int cmd_template_rm(const struct invocation *inv)
{
	return verb_each(inv, "remove template", rm);
}

int cmd_image_warm(const struct invocation *inv)
{
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *body _cleanup_json_ = json_object(), *operation _cleanup_json_ = NULL;
	json_t *template _cleanup_json_ = NULL;
	const char *image = args_operand(inv->args, 0);
	struct err err = {0};
	int rc = run_request_words(inv->args, body, &err);

	if (rc || json_object_set_new(body, "image_name", json_string(image)))
		return complain(EXIT_USAGE, "%s", rc ? err.msg : "the name is not UTF-8");
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	rc = api_call(api,
		&(struct api_request){.method = "POST", .path = "/template", .body = body},
		&operation, &err);
	progress_init(inv->args);
	rc = rc ? rc : operation_await(api, operation, &template, &err);
	progress_end();
	if (rc)
		return complain(exit_status_of(rc), "cannot warm \"%s\": %s", image, err.msg);
	puts(json_string_value(json_object_get(template, "id")));
	return EXIT_OK;
}
