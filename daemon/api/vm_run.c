/* SPDX-License-Identifier: Apache-2.0 */
/* POST /vm/run and /vm/create. */
#include "daemon/api/api.h"
#include "daemon/api/run_request.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/api/image.h"
#include "daemon/image/store.h"
#include "daemon/pool.h"
#include "daemon/volume.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define EXHAUSTED_RETRY_S 1

static void answer_failed(struct httpd_req *req, const struct instance *i)
{
	answer_vm_problem(req, 503, "start_failed", i->id, "VM %s could not be started: %s",
		i->name, i->reason);
}

static void answer_not_ready(struct httpd_req *req, const struct instance *i)
{
	if (instance_has_ended(i))
		answer_vm_problem(req, 503, "start_failed", i->id,
			"VM %s (id %s) has ended before it was ready: %s; see its logs", i->name,
			i->id, i->reason);
	else
		answer_vm_problem(req, 504, "not_ready", i->id,
			"VM %s (id %s) runs, but was not ready in the time given; see its logs",
			i->name, i->id);
}

static void answer_vm(struct httpd_req *req, const struct instance *i)
{
	httpd_add_headerf(req, "Location", "/vm/%s", i->id);
	answer_json(req, 201, vm_json(i));
}

static void started(struct httpd_req *req, struct instance *i, bool reached)
{
	if (reached || (instance_has_ended(i) && i->state != VM_FAILED)) /* it ran */
		answer_vm(req, i);
	else if (i->state == VM_FAILED)
		answer_failed(req, i);
	else
		answer_not_ready(req, i);
}

static void became_ready(struct httpd_req *req, struct instance *i, bool reached)
{
	if (reached)
		answer_vm(req, i);
	else if (i->state == VM_FAILED)
		answer_failed(req, i);
	else
		answer_not_ready(req, i);
}

static void answer_as_asked(struct httpd_req *req, struct instance *i, const struct run_request *q)
{
	int64_t timeout_ns = (int64_t)q->wait_timeout_ms * NS_PER_MS;

	if (q->wait == RUN_WAIT_NONE)
		answer_vm(req, i);
	else if (q->wait == RUN_WAIT_READY)
		api_answer_when(req, i, GOAL_READY, timeout_ns, became_ready);
	else
		api_answer_when(req, i, GOAL_RUNNING, timeout_ns, started);
}

void answer_run_refused(struct httpd_req *req, int r, unsigned retry_s, const struct err *err)
{
	switch (-r) {
	case EEXIST:
		answer_problem(req, 409, "name_taken", "%s", err->msg);
		break;
	case EADDRINUSE:
	case EBUSY:
		answer_problem(req, 409, "conflict", "%s", err->msg);
		break;
	case ENOENT:
	case EADDRNOTAVAIL:
	case EACCES:
		answer_problem(req, 400, "bad_request", "%s", err->msg);
		break;
	case EAGAIN:
		answer_retry(req, 503,
			retry_s == EXHAUSTED_RETRY_S ? "pool_exhausted" : "addresses_exhausted",
			retry_s, "%s", err->msg);
		break;
	case ENOSPC:
		answer_problem(req, 507, "disk_full", "%s", err->msg);
		break;
	default:
		answer_retry(req, 503, "start_failed", 1, "%s", err->msg);
	}
}

/* Every default filled in. false: the answer has been given. */
static bool make_spec(struct httpd_req *req, const struct run_request *q, struct run_spec *spec)
{
	struct core *core = api_core(req);
	struct image *image = image_referred(req, q->image_name, false, 400);
	struct volume_files files;
	struct err err = {0};
	unsigned memory;

	if (!image)
		return false;
	memory = q->memory_mib ? q->memory_mib : image_config_memory_mib(image->config);
	*spec = (struct run_spec){.image = image,
		.name = q->name,
		.argv = q->argv,
		.env = q->env,
		.labels = q->labels,
		.volumes = q->volumes,
		.port_count = q->port_count,
		.auto_remove = q->auto_remove,
		.trace = q->trace,
		.restart = q->restart,
		.ttl_s = q->ttl_s,
		.request_ns = loop_now_ns() - httpd_elapsed_ns(req),
		.shell = {.ops = core->monitor,
			.vcpus = q->vcpus,
			.more_will_do = !q->memory_mib,
			.ip = q->ip,
			.memory_mib = memory
				? memory
				: pools_find(core->pools, POOL_DEFAULT)->set.memory_mib}};
	memcpy(spec->ports, q->ports, q->port_count * sizeof(q->ports[0]));
	if (q->monitor && monitor_choose(core, q->monitor, &spec->shell.ops, &err) < 0) {
		answer_problem(req, 400, "bad_request", "%s", err.msg);
		return false;
	}
	if (q->vcpus > spec->shell.ops->vcpus_max) {
		answer_problem(req, 400, "bad_request", "the monitor %s gives a VM %u vCPU at most",
			spec->shell.ops->name, spec->shell.ops->vcpus_max);
		return false;
	}
	if (q->volumes && spec->shell.ops == &monitor_process) {
		answer_problem(req, 400, "bad_request", "the monitor process has no volumes");
		return false;
	}
	if (volume_files_open(&files, q->volumes, core->config.volume_root, &err) < 0) {
		answer_problem(req, 400, "bad_request", "%s", err.msg);
		return false;
	}
	volume_files_close(&files);
	if (!image_path(image) && spec->shell.ops != &monitor_process) {
		answer_problem(req, 400, "bad_request",
			"the image %s is a record without a file, only the monitor \"process\" can "
			"run it",
			image->name);
		return false;
	}
	return true;
}

/* FNV-1a: which body came with a key. Who chooses bodies to collide deceives only themselves. */
static uint64_t hash_of(const char *body, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)body[i]) * 0x100000001b3u;
	return hash;
}

/* The header (draft-ietf-httpapi-idempotency-key-header): *key NULL without one. false: the answer has been given. */
static bool read_key(struct httpd_req *req, const char **key)
{
	size_t n;

	*key = httpd_header(req, "Idempotency-Key");
	n = *key ? strlen(*key) : 1;
	if (n > 0 && n < INSTANCE_KEY_BYTES)
		return true;
	answer_problem(req, 400, "bad_request", "Idempotency-Key: 1 to %d characters are wanted",
		INSTANCE_KEY_BYTES - 1);
	return false;
}

/* A request that came before is answered with what it made. true: so it was. */
static bool replay(struct httpd_req *req, const struct run_request *q, const struct run_spec *spec)
{
	struct instance *i =
		spec->key ? instances_find_key(api_core(req)->instances, spec->key) : NULL;

	if (!i)
		return false;
	if (i->key_hash != spec->key_hash) {
		answer_problem(req, 409, "idempotency_conflict",
			"another request with this Idempotency-Key has made VM %s: choose a new "
			"key",
			i->name);
		return true;
	}
	httpd_add_header(req, "Idempotency-Replayed", "true");
	answer_as_asked(req, i, q);
	return true;
}

static void run(struct httpd_req *req, const struct run_request *q)
{
	struct core *core = api_core(req);
	unsigned retry_s = EXHAUSTED_RETRY_S;
	struct run_spec spec;
	const char *body;
	size_t len;
	struct instance *i;
	struct err err = {0};
	int r;

	body = httpd_body(req, &len);
	if (core->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return;
	}
	if (!make_spec(req, q, &spec) || !read_key(req, &spec.key))
		return;
	spec.key_hash = hash_of(body, len);
	if (replay(req, q, &spec))
		return;
	r = instance_run(core->instances, &spec, &i, &retry_s, &err);
	if (r < 0)
		answer_run_refused(req, r, retry_s, &err);
	else
		answer_as_asked(req, i, q);
}

void vm_run(struct httpd_req *req)
{
	struct run_request q;
	struct check check;
	const char *body;
	size_t len;

	if (!api_is_json(req))
		return;
	body = httpd_body(req, &len);
	if (run_request_parse(body, len, &q, &check) < 0) {
		answer_check(req, &check);
		return;
	}
	run(req, &q);
	run_request_fini(&q);
}
