/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client of the service registry, whichever it is (registry_backend.h): kvstore, memcached, etcd.
 *
 * Looking up: answers are cached for a few seconds; when the registry is away, the last answer serves on.
 *
 * Registering: after growing pauses of up to a second until it is taken, then as a heartbeat each third of the time to live, and at once when the registry
 * has ended (registry_watch.h), which may come back empty.
 */
#ifndef SERVICES_COMMON_REGISTRY_H
#define SERVICES_COMMON_REGISTRY_H

#include "services/common/endpoint.h"

#include <stdbool.h>

struct loop;
struct httpc;
struct registry;
struct registry_wait;
struct registrar;
struct registry_backend;

#define REGISTRY_TTL_S 15

/* Which registry, and where. */
struct registry_address {
	const struct registry_backend *backend;
	struct endpoint at;
	char text[ENDPOINT_BYTES + 16]; /* "SCHEME://HOST:PORT" */
};

/*
 * "[SCHEME://]HOST[:PORT][/]"; schemes: http and kvstore (the default; port 9000), memcached (11211), etcd (2379). Without a scheme a port
 * is required. 0, or -EINVAL with a sentence.
 */
int registry_address_parse(const char *text, struct registry_address *address, struct err *err);

/* list is empty when nobody is registered; borrowed for the call. */
typedef void registry_fn(void *arg, const struct endpoints *list);

/* address may be NULL: then only what registry_set() gave is known. 0 or -errno. */
int registry_new(struct loop *loop, struct httpc *http, const struct registry_address *address,
	struct registry **reg);
/* Of what is registered from now on; REGISTRY_TTL_S before. */
void registry_set_ttl(struct registry *reg, int seconds);
void registry_free(struct registry *reg); /* pending lookups are dropped; NULL is fine */
/* Fixes the endpoint of a key: the registry is not asked for it. 0 or -ENOSPC. */
int registry_set(struct registry *reg, const char *key, const struct endpoint *e);
/*
 * Looks a key up; fn may be called before this returns. fresh: do not use the cache. wait is set while fn is still to come,
 * else to NULL; it serves registry_cancel().
 */
int registry_get(struct registry *reg, const char *key, bool fresh, registry_fn *fn, void *arg,
	struct registry_wait **wait);
void registry_cancel(struct registry_wait *wait); /* NULL is fine */

/*
 * Keeps key = value ("ip:port", or that with ";weight=N") registered. first(arg) is called from the loop at the first success. 0 or -errno.
 */
int registrar_new(struct registry *reg, const char *key, const char *value,
	void (*first)(void *arg), void *arg, struct registrar **r);
/* Takes the registration back (best effort) and calls done(arg) from the loop, soon in any case. */
void registrar_leave(struct registrar *r, void (*done)(void *arg), void *arg);
void registrar_free(struct registrar *r); /* NULL is fine */

#endif
