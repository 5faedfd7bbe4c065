/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pool.h"

#include "daemon/api/api.h"
#include "daemon/core.h"
#include "daemon/image/name.h"
#include "lib/jsonx.h"

#include <limits.h>
#include <string.h>

static json_t *pool_json(const struct pool *p)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:i, s:i, s:I, s:I, s:I, s:s?, s:i, s:s}",
		"profile", p->name, "monitor", p->ops->name, "memory_mib", (int)p->set.memory_mib,
		"vcpus", (int)p->set.vcpus, "target", (int)p->set.target, "on_exhausted",
		pool_exhausted_names[p->set.on_exhausted], "ready", (int)p->ready, "preparing",
		(int)p->preparing, "hits", (json_int_t)p->hits, "misses", (json_int_t)p->misses,
		"deaths", (json_int_t)p->deaths, "last_error",
		p->last_error[0] ? p->last_error : NULL, "waiting", (int)p->waiting, "kernel",
		p->set.kernel[0] ? p->set.kernel : KERNEL_DEFAULT);
}

void pool_list(struct httpd_req *req)
{
	json_t *items = json_array();

	for (const struct pool *p = pools_first(api_core(req)->pools); p; p = p->next)
		json_array_append_new(items, pool_json(p));
	answer_items(req, items);
}

static int take_kernel(const struct kernels *kernels, const json_t *value,
	struct pool_settings *set, struct check *c)
{
	const char *name = NULL;
	char path[PATH_MAX];

	if (check_string(c, "kernel", value, KERNEL_NAME_BYTES - 1, &name) < 0)
		return -1;
	if (!name)
		return 0;
	if (kernel_path(kernels, name, path) < 0)
		return check_fail(c, "kernel", NULL,
			"kernel: there is no kernel \"%.63s\" (GET /kernel lists them)", name);
	snprintf(set->kernel, sizeof(set->kernel), "%s",
		strcmp(name, KERNEL_DEFAULT) == 0 ? "" : name);
	return 0;
}

static int take_settings(
	const struct kernels *kernels, json_t *root, struct pool_settings *set, struct check *c)
{
	static const char *const known[] = {
		"target", "memory_mib", "vcpus", "on_exhausted", "kernel"};
	unsigned exhausted = set->on_exhausted;
	const char *name;
	json_t *value;

	json_object_foreach(root, name, value)
	{
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && strcmp(known[i], name) != 0)
			i++;
		if (i == ARRAY_SIZE(known))
			return check_fail(c, name, NULL, "a profile has no field \"%.40s\"", name);
	}
	if (check_uint(c, "target", json_object_get(root, "target"), 0, CONFIG_POOL_MAX,
		    &set->target) < 0 ||
		check_uint(c, "memory_mib", json_object_get(root, "memory_mib"),
			CONFIG_MEMORY_MIB_MIN, CONFIG_MEMORY_MIB_MAX, &set->memory_mib) < 0 ||
		check_uint(c, "vcpus", json_object_get(root, "vcpus"), 1, CONFIG_VCPUS_MAX,
			&set->vcpus) < 0 ||
		check_word(c, "on_exhausted", json_object_get(root, "on_exhausted"),
			pool_exhausted_names, &exhausted) < 0)
		return -1;
	set->on_exhausted = (enum pool_exhausted)exhausted;
	return take_kernel(kernels, json_object_get(root, "kernel"), set, c);
}

void pool_put(struct httpd_req *req)
{
	struct pools *pools = api_core(req)->pools;
	const char *name = httpd_param(req, "profile");
	struct pool *pool = pools_find(pools, name);
	struct pool_settings set = pool ? pool->set : pools_find(pools, POOL_DEFAULT)->set;
	_cleanup_json_ json_t *root = NULL;
	struct check c = {.pointer = ""};
	struct err err = {0};
	const char *body;
	size_t len;

	if (!api_is_json(req))
		return;
	if (!name_is_valid(name)) {
		answer_problem(req, 400, "bad_request", "\"%.80s\" is no name of a profile", name);
		return;
	}
	body = httpd_body(req, &len);
	if (jsonx_parse_object(body, len, 2, &root, &c.err) < 0 ||
		take_settings(api_core(req)->kernels, root, &set, &c) < 0)
		answer_check(req, &c);
	else if (pools_set(pools, name, &set, &pool, &err) < 0)
		answer_problem(req, 400, "bad_request", "%s", err.msg);
	else
		answer_json(req, 200, pool_json(pool));
}

void pool_delete(struct httpd_req *req)
{
	struct pools *pools = api_core(req)->pools;
	const char *name = httpd_param(req, "profile");
	struct pool *pool = pools_find(pools, name);

	if (!pool) {
		answer_problem(req, 404, "not_found",
			"there is no profile \"%.63s\" (GET /pool lists them)", name);
		return;
	}
	if (strcmp(name, POOL_DEFAULT) == 0) {
		answer_problem(
			req, 409, "conflict", "the profile %s stays: set its target to 0", name);
		return;
	}
	pools_delete(pools, pool);
	httpd_reply(req, 204, NULL, NULL, 0);
}
