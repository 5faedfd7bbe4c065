/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST API: api/openapi.yaml. Handlers run on the loop's thread, answer at once or defer; each resource has a file.
 * The table of routes is in routes.c.
 */
#ifndef DAEMON_API_API_H
#define DAEMON_API_API_H

#include "daemon/api/answer.h"
#include "daemon/instance/instance.h"
#include "lib/httpd.h"

struct api;
struct core;
struct idempotency;
struct instance;
struct operation;

#define API_BODY_MAX_BYTES (1 * MIB)
#define API_CONFIG_HEADER  "Uigniter-Config"
#define API_CONFIG_MAX     8192
#define API_DIGEST_HEADER  "Uigniter-Digest"

/* Listens as configured. 0 or -errno with err. */
int api_new(struct core *core, struct api **api, struct err *err);
/* Takes no more requests; done(arg) when those that are there have been answered. */
void api_stop(struct api *api, void (*done)(void *arg), void *arg);
void api_free(struct api *api);

extern const struct httpd_route api_routes[];
extern const size_t api_route_count;

/* --- for handlers --- */
struct core *api_core(const struct httpd_req *req);
struct idempotency *api_keys(const struct httpd_req *req);
/* The VM of the path's {id}; NULL: the answer has been given. */
struct instance *api_instance(struct httpd_req *req);
/* The body has the type application/json; false: the answer has been given. */
bool api_is_json(struct httpd_req *req);
/* begin() of an upload of WHAT ("an image"): api_guard(), the type, the length, and a zeroed record of its own, which free_fn gets at the
 * end. NULL: the answer has been given. */
void *api_upload_begin(struct httpd_req *req, const char *what, uint64_t max_bytes, size_t size,
	void (*free_fn)(void *data));
/* begin() of all routes: a foreign Host or Origin is refused, so that no page in a browser can call. */
httpd_fn api_guard;

httpd_fn vm_run, vm_list, vm_get, vm_delete, vm_stop, vm_kill, vm_wait, vm_logs, vm_stats;
httpd_fn vm_start_again, vm_restart, vm_pause, vm_resume;
/* Calls answer now or later, once: when the VM has reached the goal (reached), or can not any more, or the time is over. An answer
 * may wait again. */
typedef void api_waited_fn(struct httpd_req *req, struct instance *inst, bool reached);
void api_answer_when(struct httpd_req *req, struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, api_waited_fn *answer);
/* The same, over an end after which its policy starts it again. */
void api_answer_on(struct httpd_req *req, struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, api_waited_fn *answer);
/* What instance_run() or instance_start() refused, as a problem. */
void answer_run_refused(struct httpd_req *req, int r, unsigned retry_s, const struct err *err);
httpd_fn image_list, image_get_one, image_put_begin, image_put_done, image_patch, image_delete_one;
httpd_fn image_post, image_prune, image_build_begin, image_build_done;
httpd_body_fn image_build_body;
httpd_body_fn image_put_body, kernel_put_body;
httpd_fn app_list, app_get, app_put, app_delete, app_post_scale, app_get_wait;
httpd_fn fn_list, fn_get, fn_put, fn_delete, fn_invoke_begin, fn_invoke;
httpd_body_fn fn_invoke_body;
httpd_fn vm_snapshot, snapshot_list, snapshot_get, snapshot_delete;
httpd_fn template_list, template_get, template_post, template_delete;
httpd_fn operation_list, operation_get, operation_delete;
/* 202 with the operation, and Location. */
void answer_operation(struct httpd_req *req, const struct operation *op);
httpd_fn events_get;
httpd_fn kernel_list, kernel_put_begin, kernel_put_done, kernel_delete_one;
httpd_fn network_list, network_leases;
httpd_fn pool_list, pool_put, pool_delete;
httpd_fn system_healthz, system_readyz, system_version, system_info, system_metrics, system_openapi;

#endif
