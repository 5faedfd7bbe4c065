/* SPDX-License-Identifier: Apache-2.0 */
/* From what is asked (api/run_request.h) to what an instance is made from (instance.h): every default filled in, and checked. */
#ifndef DAEMON_INSTANCE_RUN_SPEC_H
#define DAEMON_INSTANCE_RUN_SPEC_H

#include "daemon/instance/instance.h"

struct core;
struct run_request;

/* Fills spec but for what only the caller knows (request_ns, key, mark); it borrows from request and from the store of images.
 * 0; -ENOENT there is no such image, -EEXIST several have the digest, -EINVAL this manager can not run it so, -EBUSY
 * and -ESTALE the snapshot can not be used (now), all with err. */
int run_spec_make(struct core *core, const struct run_request *request, struct run_spec *spec,
	struct err *err);

#endif
