/* SPDX-License-Identifier: Apache-2.0 */
/* Functions: what is wanted of them, how they are, and requests to them (daemon/fn/fn.h). */
#include "daemon/fn/fn.h"

#include "daemon/api/api.h"
#include "daemon/api/fn_json.h"
#include "daemon/app/spec.h"
#include "daemon/core.h"
#include "daemon/fn/head.h"
#include "lib/jsonx.h"

#include <errno.h>

#define TARGET_MAX_BYTES 8192

/* NULL: the answer has been given. */
static struct fn *find(struct httpd_req *req)
{
	const char *name = httpd_param(req, "fn");
	struct fn *fn = fns_find(api_core(req)->fns, name);

	if (!fn)
		answer_unknown(req, "function", name, "fn");
	return fn;
}

void fn_list(struct httpd_req *req)
{
	json_t *items = json_array();

	for (const struct fn *fn = fns_first(api_core(req)->fns); fn; fn = fn_next(fn))
		json_array_append_new(items, fn_json(fn));
	answer_items(req, items);
}

void fn_get(struct httpd_req *req)
{
	const struct fn *fn = find(req);

	if (fn)
		answer_json(req, 200, fn_json(fn));
}

void fn_put(struct httpd_req *req)
{
	const char *name = httpd_param(req, "fn"), *body;
	_cleanup_json_ json_t *root = NULL;
	struct check c = {.pointer = ""};
	struct fn *fn;
	size_t len;
	bool made;

	if (!app_name_is_valid(name, FN_NAME_MAX_BYTES)) {
		answer_problem(req, 400, "bad_request",
			"\"%.80s\" is no name of a function ([a-z0-9][a-z0-9-]*, at most %d "
			"characters)",
			name, FN_NAME_MAX_BYTES);
		return;
	}
	if (!api_is_json(req))
		return;
	if (api_core(req)->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return;
	}
	body = httpd_body(req, &len);
	if (jsonx_parse_object(body, len, FN_SPEC_DEPTH, &root, &c.err) < 0)
		answer_check(req, &c);
	else if (fns_put(api_core(req)->fns, name, root, &fn, &made, &c) < 0)
		answer_refused(req, &c);
	else
		answer_json(req, made ? 201 : 200, fn_json(fn));
}

void fn_delete(struct httpd_req *req)
{
	struct fn *fn = find(req);

	if (!fn)
		return;
	fn_remove(fn);
	answer_json(req, 202, fn_json(fn));
}

/* --- requests to functions --------------------------------------------------------------------------------------- */
void fn_invoke_begin(struct httpd_req *req)
{
	char target[TARGET_MAX_BYTES];
	struct fn *fn;

	api_guard(req);
	if (httpd_status(req))
		return;
	fn = find(req);
	if (!fn)
		return;
	if (!fn_target_behind(httpd_target(req), 3, target, sizeof(target)) ||
		!fn_target_is_valid(target))
		answer_problem(req, 400, "bad_request",
			"the path is too long, or has bytes that are none of a URL");
	else
		fn_call_begin(fn, req, target);
}

int fn_invoke_body(struct httpd_req *req, const void *data, size_t len)
{
	return fn_call_body(req, data, len);
}

void fn_invoke(struct httpd_req *req)
{
	fn_call_complete(req);
}
