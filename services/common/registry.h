/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client of the service registry (kvstore, or any server with GET and POST /{key}).
 *
 * Looking up: answers are cached for a few seconds; when the registry is away, the last answer serves on. Our registry lists all
 * live instances of a kind (?all=1, JSON); the original one ignores that and answers one address as text: both are understood.
 *
 * Registering: POST each second until it is taken, then as a heartbeat each third of the time to live.
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

#define REGISTRY_TTL_S 15

/* list is empty when nobody is registered; borrowed for the call. */
typedef void registry_fn(void *arg, const struct endpoints *list);

/* address may be NULL: then only what registry_set() gave is known. 0 or -errno. */
int registry_new(struct loop *loop, struct httpc *http, const struct endpoint *address,
	struct registry **reg);
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
 * Keeps key = value ("ip:port") registered. first(arg) is called from the loop at the first success. 0 or -errno.
 */
int registrar_new(struct registry *reg, const char *key, const char *value,
	void (*first)(void *arg), void *arg, struct registrar **r);
/* Takes the registration back (best effort) and calls done(arg) from the loop, soon in any case. */
void registrar_leave(struct registrar *r, void (*done)(void *arg), void *arg);
void registrar_free(struct registrar *r); /* NULL is fine */

/* Parses an answer of the registry into list; what is not an address is left out. For tests and fuzzing. */
void registry_parse(const char *type, const char *body, size_t len, struct endpoints *list);

#endif
