/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys with a list of values, in order of arrival. A value either stays for ever (how the original clients register: then it is
 * the key's one value, and the first write wins), or lives until its time runs out unless it is renewed. Time is given by the
 * caller, in ns of a clock that never steps back. Everything is bounded.
 */
#ifndef SERVICES_KVSTORE_STORE_H
#define SERVICES_KVSTORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEY_MAX_BYTES   256
#define STORE_VALUE_MAX_BYTES (64 * 1024)
#define STORE_VALUES_MAX      32 /* per key */
#define STORE_KEYS_MAX        4096
#define STORE_TOTAL_MAX_BYTES (8 * 1024 * 1024)

struct store;

int store_new(struct store **store); /* 0 or -ENOMEM */
void store_free(struct store *store);
/*
 * ttl_ns 0: for ever; taken only when the key has no living value. With a time to live: added to the living
 * values, or renews the same one; ignored when the key has a value for ever.
 * 0, -ENOSPC (a limit is reached), -EMSGSIZE (key or value too long), -ENOMEM.
 */
int store_put(
	struct store *store, const char *key, const char *value, int64_t ttl_ns, int64_t now_ns);
/* The index-th living value, or NULL. Borrowed until the next change. */
const char *store_get(struct store *store, const char *key, size_t index, int64_t now_ns);
/* Takes one value with a time to live back; whether it was there. */
bool store_remove(struct store *store, const char *key, const char *value, int64_t now_ns);
/* Keys that have a living value, and bytes held. Walks over everything. */
void store_count(struct store *store, int64_t now_ns, size_t *keys, size_t *bytes);

#endif
