/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter snapshot create, ls, inspect, rm. */
#include "cli/operation.h"
#include "cli/progress.h"
#include "cli/verb.h"

#include <errno.h>
#include <string.h>

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT},
	{"STATE", "state", COLUMN_TEXT},
	{"INSTANCE", "vm.name", COLUMN_TEXT},
	{"IMAGE", "image", COLUMN_TEXT},
	{"DIGEST", "digest", COLUMN_DIGEST},
	{"MEMORY", "memory_mib", COLUMN_MIB},
	{"SIZE", "bytes", COLUMN_BYTES},
	{"PAUSED", "paused_ms", COLUMN_MS},
	{"AGE", "created_at", COLUMN_AGE},
};

static int path_of(struct buf *out, const char *name, struct err *err)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] || !*name)
		return err_set(
			err, ENOENT, "there is no such snapshot (see: uigniter snapshot ls)");
	out->len = 0;
	return buf_printf(out, "/snapshot/%s", name) < 0 ? err_set(err, ENOMEM, "out of memory")
							 : 0;
}

int cmd_snapshot_ls(const struct invocation *inv)
{
	return verb_list(inv, "/snapshot", columns, ARRAY_SIZE(columns), "name");
}

int cmd_snapshot_inspect(const struct invocation *inv)
{
	return verb_inspect(inv, "snapshot", path_of, (struct format){.id_key = "name"});
}

static int rm(struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = path_of(&path, name, err);

	(void)inv;
	return rc ? rc
		  : api_call(api, &(struct api_request){.method = "DELETE", .path = path.data},
			    NULL, err);
}

int cmd_snapshot_rm(const struct invocation *inv)
{
	return verb_each(inv, "remove snapshot", rm);
}

int cmd_snapshot_create(const struct invocation *inv)
{
	const char *vm = args_operand(inv->args, 0), *name = args_operand(inv->args, 1);
	struct format f = {.columns = columns, .ncolumns = ARRAY_SIZE(columns), .id_key = "name"};
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *body _cleanup_json_ = json_pack("{s:s}", "name", name);
	json_t *operation _cleanup_json_ = NULL, *snapshot _cleanup_json_ = NULL;
	struct buf path _cleanup_buf_ = {0};
	struct err err = {0};
	int rc;

	if (!body)
		return complain(EXIT_USAGE, "the name is not UTF-8");
	if (verb_begin(inv, false, &f, &api))
		return EXIT_USAGE;
	progress_init(inv->args);
	rc = api_vm_path(&path, vm, "/snapshot", &err);
	rc = rc ? rc
		: api_call(api,
			  &(struct api_request){.method = "POST", .path = path.data, .body = body},
			  &operation, &err);
	rc = rc ? rc : operation_await(api, operation, &snapshot, &err);
	progress_end();
	if (rc)
		return complain(
			exit_status_of(rc), "cannot make a snapshot of \"%s\": %s", vm, err.msg);
	if (args_has(inv->args, "format"))
		return verb_print_object(&f, snapshot);
	puts(name);
	return EXIT_OK;
}
