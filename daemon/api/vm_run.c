/* SPDX-License-Identifier: Apache-2.0 */
/* POST /vm/run and /vm/create. */
#include "daemon/api/api.h"
#include "daemon/api/idempotency.h"
#include "daemon/api/run_request.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/hash.h"
#include "daemon/instance/run_spec.h"
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

static void answer_vm(struct httpd_req *req, struct instance *i)
{
	instance_settle_start(i);
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

/* false: the answer has been given. */
static bool make_spec(struct httpd_req *req, const struct run_request *q, struct run_spec *spec)
{
	struct err err = {0};
	int r = run_spec_make(api_core(req), q, spec, &err);

	spec->request_ns = loop_now_ns() - httpd_elapsed_ns(req);
	if (r == -EBUSY || r == -ESTALE)
		answer_problem(req, 409, "conflict", "%s", err.msg);
	else if (r < 0)
		answer_problem(req, 400,
			r == -ENOENT           ? "not_found"
				: r == -EEXIST ? "ambiguous_id"
					       : "bad_request",
			"%s", err.msg);
	return r == 0;
}

/* A request that came to a manager before this one (idempotency.h) is answered with what it made. true: so it was. */
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
	if (!make_spec(req, q, &spec))
		return;
	spec.key = httpd_header(req, IDEMPOTENCY_HEADER);
	spec.key_hash =
		hash_bytes(body, len); /* who chooses bodies to collide deceives only themselves */
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
