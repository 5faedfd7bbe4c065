/* SPDX-License-Identifier: Apache-2.0 */
/* GET /kernel, PUT and DELETE /kernel/{kernel}. */
#include "daemon/kernel.h"

#include "daemon/api/api.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/image/name.h"
#include "daemon/pool.h"

#include <errno.h>
#include <string.h>

static json_t *kernel_json(const struct kernel *kernel)
{
	struct timespec changed = {.tv_sec = kernel->changed};

	return json_pack("{s:s, s:b, s:I, s:o}", "name", kernel->name, "default",
		strcmp(kernel->name, KERNEL_DEFAULT) == 0, "bytes", (json_int_t)kernel->bytes,
		"changed_at", time_json(&changed));
}

static void add(void *arg, const struct kernel *kernel)
{
	json_array_append_new(arg, kernel_json(kernel));
}

void kernel_list(struct httpd_req *req)
{
	json_t *items = json_array();

	kernels_each(api_core(req)->kernels, add, items);
	answer_items(req, items);
}

/* false: the answer has been given. */
static bool check_name(struct httpd_req *req)
{
	const char *name = httpd_param(req, "kernel");

	if (!name_is_valid(name)) {
		answer_problem(req, 400, "bad_request",
			"\"%.80s\" is no name of a kernel ([a-z0-9][a-z0-9._-]{0,62})", name);
		return false;
	}
	if (strcmp(name, KERNEL_DEFAULT) == 0) {
		answer_problem(req, 409, "conflict",
			"the kernel %s is the manager's own (uigniterd --libos)", name);
		return false;
	}
	return true;
}

struct upload {
	struct kernel_upload *file;
};

static void upload_free(void *data)
{
	struct upload *u = data;

	kernel_upload_abort(u->file);
	free(u);
}

static void answer_failed(struct httpd_req *req, const struct err *err)
{
	if (err->code == EINVAL)
		answer_problem(req, 400, "bad_request", "%s", err->msg);
	else if (err->code == EMFILE)
		answer_problem(req, 409, "conflict", "%s", err->msg);
	else
		answer_problem(req, err->code == ENOSPC ? 507 : 500,
			err->code == ENOSPC ? "disk_full" : "internal", "%s", err->msg);
}

void kernel_put_begin(struct httpd_req *req)
{
	struct upload *u =
		api_upload_begin(req, "a kernel", KERNEL_MAX_BYTES, sizeof(*u), upload_free);
	struct err err = {0};

	if (u && check_name(req) && kernel_upload_new(api_core(req)->kernels, &u->file, &err) < 0)
		answer_failed(req, &err);
}

int kernel_put_body(struct httpd_req *req, const void *data, size_t len)
{
	struct upload *u = httpd_data(req);

	return kernel_upload_write(u->file, data, len);
}

struct finding {
	const char *name;
	json_t *found;
};

static void find(void *arg, const struct kernel *kernel)
{
	struct finding *f = arg;

	if (strcmp(kernel->name, f->name) == 0)
		f->found = kernel_json(kernel);
}

void kernel_put_done(struct httpd_req *req)
{
	struct core *core = api_core(req);
	struct upload *u = httpd_data(req);
	struct kernel_upload *file = u->file;
	struct finding f = {.name = httpd_param(req, "kernel")};
	struct err err = {0};
	bool replaced;

	u->file = NULL;
	if (kernel_upload_end(file, f.name, &replaced, &err) < 0) {
		answer_failed(req, &err);
		return;
	}
	pools_kernel_changed(core->pools, f.name);
	kernels_each(core->kernels, find, &f);
	answer_json(req, replaced ? 200 : 201, f.found);
}

void kernel_delete_one(struct httpd_req *req)
{
	struct core *core = api_core(req);
	const char *name = httpd_param(req, "kernel");

	if (!check_name(req))
		return;
	for (const struct pool *p = pools_first(core->pools); p; p = p->next) {
		if (strcmp(p->set.kernel, name) != 0)
			continue;
		answer_problem(req, 409, "conflict",
			"the pool's profile %s has the kernel %s: give it another, or delete it",
			p->name, name);
		return;
	}
	if (kernel_delete(core->kernels, name) < 0)
		answer_unknown(req, "kernel", name, "kernel");
	else
		httpd_reply(req, 204, NULL, NULL, 0);
}
