/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wanted of a function, read from outside: the body of PUT /fn/{name}, schema FnSpec.
 *
 *   image: hello              required; an image of the store
 *   port: 8080                where its program answers HTTP; default: the image's port of readiness
 *   min: 0                    instances that are kept, 0 to max
 *   max: 4                    instances at most, 1 to FN_MAX_MAX
 *   concurrency: 16           requests that one instance works on at a time
 *   queue: 256                requests that wait for an instance; one more is answered with 429
 *   idle_s: 60                an instance above min without a request for so long is stopped
 *   start_timeout_ms: 30000   until a request that waits is answered with 504
 *   timeout_ms: 60000         from when the instance has the request to the beginning of its answer; then 504
 *   args cmdline env labels memory_mib vcpus monitor network volumes trace: as in RunRequest
 *
 * Unknown fields are errors: a word that is mistyped would be lost else.
 */
#ifndef DAEMON_FN_SPEC_H
#define DAEMON_FN_SPEC_H

#include "daemon/check.h"

#include <jansson.h>
#include <stdint.h>

#define FN_NAME_MAX_BYTES  31
#define FN_MAX_MAX         256
#define FN_CONCURRENCY_MAX 512
#define FN_QUEUE_MAX       512
#define FN_IDLE_MAX_S      86400
#define FN_TIMEOUT_MAX_MS  600000
#define FN_SPEC_DEPTH      8

struct fn_spec {
	json_t *spec;    /* owned; as it was given */
	json_t *request; /* owned; its fields of RunRequest */
	unsigned port;   /* 0: the image's */
	unsigned min, max, concurrency, queue;
	unsigned idle_s, start_timeout_ms, timeout_ms;
};

/* 0 and *spec (fn_spec_fini() it), or -EINVAL with check. */
int fn_spec_parse(json_t *root, struct fn_spec *spec, struct check *check);
void fn_spec_fini(struct fn_spec *spec);

/* With every default filled in. A new reference; NULL without memory. */
json_t *fn_spec_json(const struct fn_spec *spec);

/* Of all that instances are made from: one with another hash is of no use any more. */
uint64_t fn_spec_hash(const struct fn_spec *spec, const char *image_digest);

#endif
