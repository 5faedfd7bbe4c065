/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of POST /vm/run: schema RunRequest. Field names are matched without regard to case and unknown fields are
 * ignored, as in the original; fields that are known and wrong, or known and not served yet, are errors.
 */
#ifndef DAEMON_API_RUN_REQUEST_H
#define DAEMON_API_RUN_REQUEST_H

#include "daemon/check.h"
#include "daemon/instance/instance.h"

enum run_wait { RUN_WAIT_NONE, RUN_WAIT_STARTED, RUN_WAIT_READY };

struct run_request {
	json_t *root;               /* owned; what is borrowed below comes from it */
	const char *image_name;     /* NULL with from, and only then */
	const char *from;           /* name of a snapshot; NULL */
	const char *name, *monitor; /* or NULL */
	const char *network;        /* NULL: that of all */
	const char *kernel;         /* NULL: the default one */
	char **argv;                /* owned by args_free(); NULL: none */
	unsigned memory_mib;        /* 0: not said */
	unsigned vcpus;
	uint32_t ip;            /* 0: any */
	uint8_t mac[MAC_BYTES]; /* all 0: any */
	json_t *env, *labels;   /* or NULL */
	json_t *volumes;        /* owned; NULL: none (daemon/volume.h) */
	struct vsock_spec vsock;
	struct port_map ports[INSTANCE_PORTS_MAX];
	unsigned port_count;
	enum run_wait wait;
	unsigned wait_timeout_ms;
	bool auto_remove, trace;
	struct restart restart; /* policy and max_retries */
	struct health_spec health;
	struct limits limits;
	unsigned ttl_s; /* 0: no limit */
};

/* 0 and *request (run_request_fini() it), or -EINVAL with check. */
int run_request_parse(
	const char *body, size_t len, struct run_request *request, struct check *check);
/* The same of an object that has been read already; takes a reference of its own. */
int run_request_take(json_t *root, struct run_request *request, struct check *check);
void run_request_fini(struct run_request *request);

#endif
