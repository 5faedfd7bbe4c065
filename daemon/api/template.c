/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what there is, making one ahead of its first use, removing one. */
#include "daemon/template/template.h"

#include "daemon/api/api.h"
#include "daemon/api/run_request.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/instance/run_spec.h"
#include "daemon/operation.h"

#include <errno.h>

static json_t *template_json(const struct template *t)
{
	struct template_figures f;

	template_figures(t, &f);
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:i, s:o, s:I, s:i, s:i, s:I, s:I, s:I}",
		"id", f.id, "image", f.image, "digest", f.digest, "state",
		template_state_names[f.state], "reason", f.reason[0] ? f.reason : NULL, "command",
		f.command, "memory_mib", (int)f.memory_mib, "created_at",
		f.created.tv_sec ? time_json(&f.created) : json_null(), "bytes",
		(json_int_t)f.bytes, "target", (int)f.target, "loaded", (int)f.loaded, "hits",
		(json_int_t)f.hits, "misses", (json_int_t)f.misses, "failures",
		(json_int_t)f.failures);
}

void template_list(struct httpd_req *req)
{
	const struct template *t = templates_first(api_core(req)->templates);
	json_t *items = json_array();

	for (; t; t = template_next(t))
		json_array_append_new(items, template_json(t));
	answer_items(req, items);
}

/* NULL: the answer has been given. */
static struct template *find(struct httpd_req *req)
{
	const char *id = httpd_param(req, "template");
	struct template *t = templates_find(api_core(req)->templates, id);

	if (!t)
		answer_unknown(req, "template", id, "template");
	/* To cppcheck `template` is a word of C++. */
	/* cppcheck-suppress CastIntegerToAddressAtReturn */
	return t;
}

void template_get(struct httpd_req *req)
{
	const struct template *t = find(req);

	if (t)
		answer_json(req, 200, template_json(t));
}

void template_delete(struct httpd_req *req)
{
	struct template *t = find(req);

	if (!t)
		return;
	template_remove(t);
	httpd_reply(req, 204, NULL, NULL, 0);
}

/* --- making one -------------------------------------------------------------------------------------------------- */
static void made(void *arg, const struct template *t)
{
	struct operation *op = arg;
	char location[64];
	struct template_figures f;

	if (!t) {
		operation_fail(op, 409, "conflict", "the template has been removed");
		return;
	}
	template_figures(t, &f);
	snprintf(location, sizeof(location), "/template/%s", f.id);
	if (f.state == TEMPLATE_READY)
		operation_done(op, location, template_json(t));
	else
		operation_fail(op, 503, "template_failed",
			"the template of image %s could not be made: %s", f.image, f.reason);
}

/* The operation outlives the request: nobody has to wait for it. */
static void begin_waiting(struct httpd_req *req, struct template *t, struct err *err)
{
	struct template_figures f;
	struct operation *op;

	template_figures(t, &f);
	if (operation_begin(api_core(req)->operations,
		    &(struct operation_spec){.kind = "image.warm", .subject = f.image}, &op,
		    err) < 0) {
		answer_retry(req, 503, "unavailable", 10, "%s", err->msg);
		return;
	}
	operation_step(op, "an instance of %s boots, gets ready and is frozen", f.image);
	if (!template_wait(t, made, op))
		operation_fail(op, 500, "internal", "there is no memory to wait with");
	answer_operation(req, op);
}

static void want(struct httpd_req *req, const struct run_request *q)
{
	struct core *core = api_core(req);
	struct template *t = NULL;
	struct err err = {0};
	struct run_spec spec;
	int r = run_spec_make(core, q, &spec, &err);

	if (r == -ENOENT) {
		answer_problem(req, 404, "not_found", "%s", err.msg);
		return;
	}
	if (r == 0)
		r = templates_want(core->templates, &spec, &t, &err);
	if (r == 0)
		begin_waiting(req, t, &err);
	else if (r == -EINVAL || r == -EEXIST)
		answer_problem(req, 400, "bad_request", "%s", err.msg);
	else
		answer_retry(req, 503, "template_failed", 1,
			"the template of image %s could not be made: %s", q->image_name, err.msg);
}

void template_post(struct httpd_req *req)
{
	struct run_request q;
	struct check c;
	const char *body;
	size_t len;

	if (!api_is_json(req))
		return;
	if (api_core(req)->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return;
	}
	body = httpd_body(req, &len);
	if (run_request_parse(body, len, &q, &c) < 0) {
		answer_check(req, &c);
		return;
	}
	want(req, &q);
	run_request_fini(&q);
}
