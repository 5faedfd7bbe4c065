/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter task ls, inspect, wait, rm: what the manager was told to do and goes on with by itself (operations of the API). */
#include "cli/operation.h"
#include "cli/progress.h"
#include "cli/verb.h"

static const struct column columns[] = {
	{"ID", "id", COLUMN_ID},
	{"KIND", "kind", COLUMN_TEXT},
	{"SUBJECT", "subject", COLUMN_TEXT},
	{"STATE", "state", COLUMN_TEXT},
	{"AGE", "created_at", COLUMN_AGE},
	{"STEP", "progress.step", COLUMN_TEXT},
};

int cmd_task_ls(const struct invocation *inv)
{
	return verb_list(inv, "/operation", columns, ARRAY_SIZE(columns), "id");
}

int cmd_task_inspect(const struct invocation *inv)
{
	return verb_inspect(inv, "task", operation_path, (struct format){.id_key = "id"});
}

static int wait_for(struct api *api, const struct invocation *inv, const char *id, struct err *err)
{
	json_t *operation _cleanup_json_ = NULL;
	struct buf path _cleanup_buf_ = {0};
	int rc = operation_path(&path, id, err);

	(void)inv;
	if (!rc)
		rc = api_call(api, &(struct api_request){.path = path.data}, &operation, err);
	if (!rc)
		rc = operation_await(api, operation, NULL, err);
	progress_end();
	return rc;
}

int cmd_task_wait(const struct invocation *inv)
{
	progress_init(inv->args);
	return verb_each(inv, "wait for task", wait_for);
}

static int rm(struct api *api, const struct invocation *inv, const char *id, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = operation_path(&path, id, err);

	(void)inv;
	return rc ? rc
		  : api_call(api, &(struct api_request){.method = "DELETE", .path = path.data},
			    NULL, err);
}

int cmd_task_rm(const struct invocation *inv)
{
	return verb_each(inv, "end task", rm);
}
