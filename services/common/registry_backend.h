/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server has to do to be a registry: list the addresses of a key, keep one of them for a time to live, take one back.
 * registry.c has all that is the same for all of them (cache, heartbeat, retries). Nothing here blocks; each operation calls
 * done() once from the loop, never from inside its start, unless it is cancelled.
 *
 *   http://, kvstore://   our kvstore, or the original one         registry_kvstore.c
 *   memcached://          any memcached, by its text protocol      registry_memcached.c
 *   etcd://               etcd 3.4 or later, by its JSON gateway   registry_etcd.c
 */
#ifndef SERVICES_COMMON_REGISTRY_BACKEND_H
#define SERVICES_COMMON_REGISTRY_BACKEND_H

#include "services/common/registry.h"

#define REGISTRY_KEY_BYTES    64
#define REGISTRY_VALUE_BYTES  (ENDPOINT_BYTES + 16)
#define REGISTRY_CALL_MS      2000
#define REGISTRY_ANSWER_BYTES (64 * KIB)

struct registry_op;

/* One address that is kept. lease is the backend's own, 0 at first; it lives as long as the claim. */
struct registry_claim {
	char key[REGISTRY_KEY_BYTES], value[REGISTRY_VALUE_BYTES];
	int ttl_s;
	int64_t lease;
};

struct registry_result {
	int code;                     /* 0, or -errno: the registry did not do it */
	const char *why;              /* a sentence for code; "" */
	const struct endpoints *list; /* of a list; may be empty */
};
typedef void registry_done(void *arg, const struct registry_result *result);

struct registry_call {
	struct loop *loop;
	struct httpc *http;
	const struct endpoint *at; /* borrowed for ever */
	unsigned int timeout_ms;
	registry_done *done;
	void *arg;
};

/* All return 0 with *op, or -errno. The claim is borrowed until done() or cancel(). */
struct registry_backend {
	int (*list)(const struct registry_call *call, const char *key, struct registry_op **op);
	/* Writes the claim, or gives it a new time to live: the same call again and again. */
	int (*keep)(const struct registry_call *call, struct registry_claim *claim,
		struct registry_op **op);
	/* Takes it back, and nobody else's. */
	int (*drop)(const struct registry_call *call, struct registry_claim *claim,
		struct registry_op **op);
	void (*cancel)(struct registry_op *op); /* NULL is fine */
};

extern const struct registry_backend registry_kvstore, registry_memcached, registry_etcd;

#endif
