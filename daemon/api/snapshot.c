/* SPDX-License-Identifier: Apache-2.0 */
/* Users' snapshots: making one of a VM, what there is, removing one. */
#include "daemon/snapshot/snapshot.h"

#include "daemon/api/api.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/operation.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

#define BODY_DEPTH_MAX 2

static json_t *snapshot_json(const struct snapshot *s)
{
	struct snapshot_info f;

	snapshot_info(s, &f);
	return json_pack(
		"{s:s, s:s, s:s, s:s?, s:s?, s:{s:s, s:s}, s:s, s:s, s:s, s:i, s:I, s:o, s:o}",
		"name", f.name, "id", f.id, "state", snapshot_state_names[f.state], "reason",
		f.reason[0] ? f.reason : NULL, "digest", f.digest[0] ? f.digest : NULL, "vm", "id",
		f.vm_id, "name", f.vm_name, "image", f.image, "image_digest", f.image_digest,
		"command", f.command, "memory_mib", (int)f.memory_mib, "bytes", (json_int_t)f.bytes,
		"paused_ms", f.paused_us < 0 ? json_null() : json_real((double)f.paused_us / 1000),
		"created_at", f.created.tv_sec ? time_json(&f.created) : json_null());
}

void snapshot_list(struct httpd_req *req)
{
	const struct snapshot *s = snapshots_first(api_core(req)->snapshots);
	json_t *items = json_array();

	for (; s; s = snapshot_next(s))
		json_array_append_new(items, snapshot_json(s));
	answer_items(req, items);
}

/* NULL: the answer has been given. */
static struct snapshot *find(struct httpd_req *req)
{
	const char *name = httpd_param(req, "snapshot");
	struct snapshot *s = snapshots_find(api_core(req)->snapshots, name);

	if (!s)
		answer_unknown(req, "snapshot", name, "snapshot");
	return s;
}

void snapshot_get(struct httpd_req *req)
{
	const struct snapshot *s = find(req);

	if (s)
		answer_json(req, 200, snapshot_json(s));
}

void snapshot_delete(struct httpd_req *req)
{
	struct snapshot *s = find(req);
	struct err err = {0};

	if (!s)
		return;
	if (snapshot_remove(s, &err) < 0)
		answer_problem(req, 409, "conflict", "%s", err.msg);
	else
		httpd_reply(req, 204, NULL, NULL, 0);
}

/* --- making one -------------------------------------------------------------------------------------------------- */
static void made(void *arg, const struct snapshot *s, const struct err *err)
{
	struct operation *op = arg;
	char location[32 + NAME_MAX_BYTES];

	if (!s) {
		if (err->code == ENOSPC)
			operation_fail(op, 507, "disk_full", "%s", err->msg);
		else
			operation_fail(op, 503, "snapshot_failed", "%s", err->msg);
		return;
	}
	snprintf(location, sizeof(location), "/snapshot/%s", snapshot_name(s));
	operation_done(op, location, snapshot_json(s));
}

static void follow(struct httpd_req *req, struct snapshot *s)
{
	struct operation *op;
	struct err err = {0};

	if (operation_begin(api_core(req)->operations,
		    &(struct operation_spec){.kind = "vm.snapshot", .subject = snapshot_name(s)},
		    &op, &err) < 0) {
		answer_retry(
			req, 503, "unavailable", 10, "%s; the snapshot is being made", err.msg);
		return;
	}
	operation_step(
		op, "the VM stands still and is copied, and the copy is written to the disk");
	if (!snapshot_wait(s, made, op))
		operation_fail(op, 500, "internal", "there is no memory to wait with");
	answer_operation(req, op);
}

static void refuse(struct httpd_req *req, int r, const struct err *err)
{
	switch (-r) {
	case EEXIST:
		answer_problem(req, 409, "name_taken", "%s", err->msg);
		break;
	case EBUSY:
	case EOPNOTSUPP:
	case EDQUOT:
		answer_problem(req, 409, "conflict", "%s", err->msg);
		break;
	case ENOSPC:
		answer_problem(req, 507, "disk_full", "%s", err->msg);
		break;
	default:
		answer_retry(req, 503, "snapshot_failed", 1, "%s", err->msg);
	}
}

/* {name}. false: the answer has been given. *root is the caller's. */
static bool read_name(struct httpd_req *req, json_t **root, const char **name)
{
	struct check c = {.pointer = ""};
	const char *field, *body;
	json_t *value;
	size_t len;

	body = httpd_body(req, &len);
	if (jsonx_parse_object(body, len, BODY_DEPTH_MAX, root, &c.err) < 0) {
		answer_check(req, &c);
		return false;
	}
	json_object_foreach(*root, field, value)
	{
		if (strcmp(field, "name") != 0)
			check_fail(&c, field, NULL, "a snapshot has no field \"%.40s\"", field);
	}
	if (!c.err.code &&
		check_string(&c, "name", json_object_get(*root, "name"), NAME_MAX_BYTES, name) ==
			0 &&
		(!*name || !name_is_valid(*name)))
		check_fail(&c, "name", NULL,
			"name: a name such as [a-z0-9][a-z0-9._-]{0,62} is wanted");
	if (c.err.code)
		answer_check(req, &c);
	return !c.err.code;
}

void vm_snapshot(struct httpd_req *req)
{
	struct instance *i = api_is_json(req) ? api_instance(req) : NULL;
	_cleanup_json_ json_t *root = NULL;
	struct core *core = api_core(req);
	const char *name = NULL;
	struct err err = {0};
	struct snapshot *s;
	int r;

	if (!i || !read_name(req, &root, &name))
		return;
	if (core->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return;
	}
	r = snapshot_create(core->snapshots, i, name, &s, &err);
	if (r < 0)
		refuse(req, r, &err);
	else
		follow(req, s);
}
