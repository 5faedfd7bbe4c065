/* SPDX-License-Identifier: Apache-2.0 */
/* What must be the same for a frozen VM to go on: the monitor, the libOS, the processor, and whether VMs have IPv6 addresses. */
#ifndef DAEMON_HOST_ID_H
#define DAEMON_HOST_ID_H

#include "lib/digest.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>

struct core;

struct host_id {
	char monitor[DIGEST_TEXT_BYTES], libos[DIGEST_TEXT_BYTES]; /* of the files */
	char processor[DIGEST_TEXT_BYTES];                         /* of its name and features */
	bool ipv6;
};

/* Of this machine and this manager, read once; borrowed from core. NULL with err. */
const struct host_id *host_id_own(struct core *core, struct err *err);
/* All of it as one digest. */
void host_id_digest(const struct host_id *id, char text[DIGEST_TEXT_BYTES]);
/* What is not the same, for a sentence: "another monitor (uvmm)"; NULL: all is. */
const char *host_id_differs(const struct host_id *a, const struct host_id *b);

json_t *host_id_json(const struct host_id *id);
/* 0 or -EINVAL with err. */
int host_id_load(struct host_id *id, const json_t *root, struct err *err);

#endif
