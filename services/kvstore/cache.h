/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of items within a limit of memory: what was used least recently goes first. An item is bytes under a key, with
 * flags that only clients understand, a time when it dies and a number that changes with each change. Time is the caller's, in ns
 * of a clock that never steps back. The hash is keyed (SipHash-1-3), so that clients cannot choose keys that collide.
 *
 * One thread. Pointers to items are borrowed until the next change of the table.
 */
#ifndef SERVICES_KVSTORE_CACHE_H
#define SERVICES_KVSTORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_KEY_MAX_BYTES 250

struct cache;

struct item {
	struct item *chain, *newer, *older;
	int64_t until_ns; /* 0: for ever */
	int64_t stored_ns;
	uint64_t hash, cas;
	uint32_t flags;
	uint32_t size;   /* bytes of the value */
	uint8_t key_len; /* bytes of the key, which stand before the value */
	char bytes[];
};

struct cache_counts {
	uint64_t items, total_items; /* now, ever stored */
	uint64_t bytes;              /* now, with what the table needs for them */
	uint64_t evictions;          /* of living items, for want of memory */
	uint64_t reclaimed;          /* dead items that were dropped */
};

int cache_new(size_t limit_bytes, struct cache **cache); /* 0, -ENOMEM, or -errno of getrandom() */
void cache_free(struct cache *cache);                    /* NULL is fine */

/* An item outside of any table; the value's bytes are the caller's to fill. key_len <= CACHE_KEY_MAX_BYTES. NULL: no memory. */
struct item *item_new(const char *key, size_t key_len, uint32_t size);
void item_free(struct item *item); /* one that no table holds; NULL is fine */
char *item_value(struct item *item);

/* The living item, which counts as used now; or NULL. */
struct item *cache_get(struct cache *c, const char *key, size_t key_len, int64_t now_ns);
/*
 * Takes the item and puts it in the place of what was under its key; gives it a new cas. 0; or -EMSGSIZE when it is larger than
 * the limit: then the item is still the caller's and the table is unchanged.
 */
int cache_put(struct cache *c, struct item *item, int64_t now_ns);
/* Whether there was a living item. */
bool cache_remove(struct cache *c, const char *key, size_t key_len, int64_t now_ns);
/* All items that were stored before at_ns die at that time; at_ns <= now_ns: all that are there die now. A later call
 * replaces one whose time has not come. */
void cache_flush(struct cache *c, int64_t at_ns, int64_t now_ns);

void cache_count(const struct cache *c, struct cache_counts *counts);
size_t cache_limit(const struct cache *c); /* bytes */

#endif
