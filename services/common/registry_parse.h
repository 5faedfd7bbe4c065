/* SPDX-License-Identifier: Apache-2.0 */
/* What registries answer, read from outside bytes: pure. What is not an address is left out, and so is what is too much. */
#ifndef SERVICES_COMMON_REGISTRY_PARSE_H
#define SERVICES_COMMON_REGISTRY_PARSE_H

#include "services/common/endpoint.h"

#include <stdbool.h>

/* An answer of kvstore: JSON {"values": [...]}, or one value as text. */
void registry_parse(const char *type, const char *body, size_t len, struct endpoints *list);

/* --- etcd, /v3/kv/range as JSON: {"kvs": [{"key": BASE64, "value": BASE64, ...}]} --- */
/* 0, or -EPROTO: that is no such answer. */
int etcd_parse_range(const char *body, size_t len, struct endpoints *list);
/*
 * The lease of an answer to grant ("ID", "TTL") or keepalive (the same within "result"). *ttl_s is 0 when the lease is not there (any more).
 * 0 or -EPROTO.
 */
int etcd_parse_lease(const char *body, size_t len, int64_t *id, int64_t *ttl_s);

/* --- memcached, the answer to gets: "VALUE KEY FLAGS BYTES CAS\r\n" data "\r\n" ... "END\r\n" --- */
#define MEMCACHED_SLOTS 32 /* KEY, KEY.1, ... KEY.31: one instance each */

struct memcached_slots {
	struct {
		bool taken;
		uint64_t cas;
		char value[ENDPOINT_BYTES + 16]; /* "" when it is too long for an address */
	} slot[MEMCACHED_SLOTS];
};

/* 0; -EAGAIN: more is to come; -EPROTO: that is no such answer. */
int memcached_parse(const char *key, const char *data, size_t len, struct memcached_slots *slots);
void memcached_list(const struct memcached_slots *slots, struct endpoints *list);

#endif
