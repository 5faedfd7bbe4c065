/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wanted of an application, read from outside: the body of PUT /app/{name}, schema AppSpec.
 *
 *   services:
 *     NAME:                        [a-z0-9][a-z0-9-]*, at most APP_SERVICE_MAX_BYTES
 *       image: imaging/db          required; an image of the store
 *       replicas: 1                0 to APP_REPLICAS_MAX
 *       depends_on: [kvstore]      starts when each of these has a replica that is ready (or has ended with status 0)
 *       depends_on: {kvstore: ready, migrate: done}
 *                                    the same, and when all replicas of migrate have ended with status 0
 *       restart: always            no, on-failure, always, unless-stopped, or {policy, max_retries}: whether one that ends is replaced
 *       scale: {min, max, target, metric}   app/scale.h; replicas is then how many there are at first
 *       stop_timeout_s: 10         until one that is asked to end is killed
 *       args cmdline env labels memory_mib vcpus monitor ports volumes vsock trace health limits: as in RunRequest
 *
 * Texts of env, args and cmdline may have references (app/refs.h); one to another service's address makes it a dependency. Unknown
 * fields are errors: a word that is mistyped would be lost else.
 */
#ifndef DAEMON_APP_SPEC_H
#define DAEMON_APP_SPEC_H

#include "daemon/app/plan.h"
#include "daemon/app/scale.h"
#include "daemon/check.h"
#include "daemon/instance/instance.h"

#define APP_NAME_MAX_BYTES    31 /* with service and number a name of an instance */
#define APP_SERVICE_MAX_BYTES 24
#define APP_REPLICAS_MAX      256
#define APP_SPEC_DEPTH        12

struct app_service {
	char name[APP_SERVICE_MAX_BYTES + 1];
	json_t *spec;    /* owned; as it was given */
	json_t *request; /* owned; its fields of RunRequest, references and all */
	unsigned replicas;
	uint64_t deps;          /* bit n: services[n], those of refs included */
	uint64_t done;          /* of deps: waits until it has done its work */
	uint64_t refs;          /* whose addresses are named */
	struct restart restart; /* policy and max_retries */
	unsigned stop_timeout_s;
	struct scale_spec scale; /* max 0: none */
};

struct app_spec {
	struct app_service *services; /* owned */
	unsigned count;               /* PLAN_SERVICES_MAX at most */
};

/* [a-z0-9][a-z0-9-]*, also a label of DNS. */
bool app_name_is_valid(const char *name, size_t max_bytes);

/* root: {"services": {...}}. 0 and *spec (app_spec_fini() it), or -EINVAL with check. */
int app_spec_parse(json_t *root, struct app_spec *spec, struct check *check);
void app_spec_fini(struct app_spec *spec);

/* The service of that name (of len bytes); -1. */
int app_spec_find(const struct app_spec *spec, const char *name, size_t len);

/* The object that app_spec_parse() reads, with the numbers of replicas that are wanted now. A new reference; NULL. */
json_t *app_spec_json(const struct app_spec *spec);

#endif
