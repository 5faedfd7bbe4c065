/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) of all routes that create something: a layer around their handlers. The
 * table of routes names keyed_begin(), keyed_body(), keyed_handler() in the place of those, and says by its tag which they are.
 *
 *                   no record                        2xx
 *   request, key ---------------> RUNNING, its owner -----> DONE: the answer, byte for byte, for whoever comes with the same request
 *        |                          |         \                   until it is the oldest of too many, or a day old
 *        | there is one             | others   +-- another status: the answer for those who wait; then the key is free, as nothing
 *        v                          |   wait   |   was made (what was made all the same, a VM that failed, has its key itself)
 *   joined: its body is only        v          +-- owner gone: the next one that waits is the owner
 *   looked at; another: 409       answered when the owner is
 *
 * A record is of a method, a path with its query, and a body, by a hash of them. Bounded: IDEMPOTENCY_RECORDS, and the answers together
 * IDEMPOTENCY_BYTES. Records end with the manager; VMs keep their keys in their own records (vm_run.c), so that the next one knows
 * what it has. On the loop's thread.
 */
#ifndef DAEMON_API_IDEMPOTENCY_H
#define DAEMON_API_IDEMPOTENCY_H

#include "lib/httpd.h"
#include "lib/util.h"

#define IDEMPOTENCY_HEADER    "Idempotency-Key"
#define IDEMPOTENCY_KEY_BYTES 129 /* with its NUL */
#define IDEMPOTENCY_RECORDS   1024
#define IDEMPOTENCY_BYTES     (4 * MIB)
#define IDEMPOTENCY_NS        (24 * 3600 * NS_PER_S)

struct idempotency;

/* Which handlers a route of the table has: its tag. */
enum keyed_route {
	KEYED_VM_RUN,
	KEYED_IMAGE_POST,
	KEYED_IMAGE_BUILD,
	KEYED_TEMPLATE_POST,
	KEYED_VM_SNAPSHOT,
};

struct idempotency *idempotency_new(void); /* NULL without memory */
/* After the server is gone. NULL is fine. */
void idempotency_free(struct idempotency *keys);
/* What was made and answered with this Location was removed by a client: its key makes it anew. */
void idempotency_forget(struct idempotency *keys, const char *location);

httpd_fn keyed_begin, keyed_handler;
httpd_body_fn keyed_body;

#endif
