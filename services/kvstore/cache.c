/* SPDX-License-Identifier: Apache-2.0 */
/* Chains in a table that doubles; a list of all items in the order of their last use. The dead go when they are met. */
#include "services/kvstore/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_MIN 256 /* a power of two */
/* malloc()'s own bytes and the item's share of the buckets. */
#define ITEM_OVERHEAD_BYTES (sizeof(struct item) + 16 + 2 * sizeof(struct item *))

struct cache {
	struct item **bucket;
	size_t buckets; /* a power of two */
	struct item *newest, *oldest;
	size_t limit;
	uint64_t seed[2];
	uint64_t cas;
	int64_t flush_ns; /* 0: none is to come */
	struct cache_counts n;
};

/* --- SipHash-1-3: Aumasson, Bernstein, "SipHash: a fast short-input PRF", section 2 ---------------------------------- */
static uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
}

static uint64_t hash_of(const struct cache *c, const char *key, size_t len)
{
	uint64_t v[4] = {c->seed[0] ^ 0x736f6d6570736575ull, c->seed[1] ^ 0x646f72616e646f6dull,
		c->seed[0] ^ 0x6c7967656e657261ull, c->seed[1] ^ 0x7465646279746573ull};
	uint64_t m = 0, last = (uint64_t)len << 56;
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		memcpy(&m, key + i, 8);
		sip_word(v, m);
	}
	m = 0;
	memcpy(&m, key + i, len - i);
	sip_word(v, m | last);
	v[2] ^= 0xff;
	for (int k = 0; k < 3; k++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- items -------------------------------------------------------------------------------------------------------- */
struct item *item_new(const char *key, size_t key_len, uint32_t size)
{
	struct item *item = malloc(sizeof(*item) + key_len + size);

	if (!item)
		return NULL;
	*item = (struct item){.key_len = (uint8_t)key_len, .size = size};
	memcpy(item->bytes, key, key_len);
	return item;
}

void item_free(struct item *item)
{
	free(item);
}

char *item_value(struct item *item)
{
	return item->bytes + item->key_len;
}

static size_t cost(const struct item *item)
{
	return ITEM_OVERHEAD_BYTES + item->key_len + item->size;
}

static bool dead(const struct item *item, int64_t now)
{
	return item->until_ns && item->until_ns <= now;
}

/* --- order of use ------------------------------------------------------------------------------------------------- */
static void order_remove(struct cache *c, struct item *item)
{
	*(item->newer ? &item->newer->older : &c->newest) = item->older;
	*(item->older ? &item->older->newer : &c->oldest) = item->newer;
}

static void order_add(struct cache *c, struct item *item)
{
	item->newer = NULL;
	item->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = item;
	c->newest = item;
}

/* --- table -------------------------------------------------------------------------------------------------------- */
int cache_new(size_t limit_bytes, struct cache **out)
{
	struct cache *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (!c)
		return r;
	c->limit = limit_bytes;
	c->buckets = BUCKETS_MIN;
	c->bucket = calloc(c->buckets, sizeof(struct item *));
	if (c->bucket)
		r = getrandom(c->seed, sizeof(c->seed), 0) == sizeof(c->seed) ? 0 : -EIO;
	if (r < 0) {
		cache_free(c);
		return r;
	}
	*out = c;
	return 0;
}

static struct item **find(const struct cache *c, uint64_t hash, const char *key, size_t len)
{
	struct item **link = &c->bucket[hash & (c->buckets - 1)];

	for (; *link; link = &(*link)->chain) {
		const struct item *item = *link;

		if (item->hash == hash && item->key_len == len &&
			memcmp(item->bytes, key, len) == 0)
			break;
	}
	return link;
}

static void drop(struct cache *c, struct item **link)
{
	struct item *item = *link;

	*link = item->chain;
	order_remove(c, item);
	c->n.items--;
	c->n.bytes -= cost(item);
	free(item);
}

static void drop_item(struct cache *c, struct item *item)
{
	struct item **link = &c->bucket[item->hash & (c->buckets - 1)];

	while (*link != item)
		link = &(*link)->chain;
	drop(c, link);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_item(c, c->oldest);
	free(c->bucket);
	free(c);
}

/* Without memory the chains get longer, that is all. */
static void grow(struct cache *c)
{
	size_t buckets = c->buckets * 2;
	struct item **bucket = calloc(buckets, sizeof(struct item *));

	if (!bucket)
		return;
	for (struct item *item = c->oldest; item; item = item->newer) {
		struct item **link = &bucket[item->hash & (buckets - 1)];

		item->chain = *link;
		*link = item;
	}
	free(c->bucket);
	c->bucket = bucket;
	c->buckets = buckets;
}

static void flush_before(struct cache *c, int64_t before)
{
	struct item *newer;

	for (struct item *item = c->oldest; item; item = newer) {
		newer = item->newer;
		if (item->stored_ns < before)
			drop_item(c, item);
	}
}

static void flush_due(struct cache *c, int64_t now)
{
	int64_t at = c->flush_ns;

	if (!at || at > now)
		return;
	c->flush_ns = 0;
	flush_before(c, at);
}

void cache_flush(struct cache *c, int64_t at, int64_t now)
{
	flush_due(c, now);
	c->flush_ns = at > now ? at : 0;
	if (at <= now)
		flush_before(c, INT64_MAX);
}

/* Makes room for so many bytes. */
static void evict(struct cache *c, size_t bytes, int64_t now)
{
	while (c->oldest && c->n.bytes + bytes > c->limit) {
		*(dead(c->oldest, now) ? &c->n.reclaimed : &c->n.evictions) += 1;
		drop_item(c, c->oldest);
	}
}

/* The place of a living item, whose *link is NULL when there is none. */
static struct item **look(struct cache *c, const char *key, size_t len, int64_t now)
{
	struct item **link;

	flush_due(c, now);
	link = find(c, hash_of(c, key, len), key, len);
	if (*link && dead(*link, now)) {
		drop(c, link);
		c->n.reclaimed++;
		link = find(c, hash_of(c, key, len), key, len);
	}
	return link;
}

struct item *cache_get(struct cache *c, const char *key, size_t len, int64_t now)
{
	struct item *item = *look(c, key, len, now);

	if (item && item != c->newest) {
		order_remove(c, item);
		order_add(c, item);
	}
	return item;
}

int cache_put(struct cache *c, struct item *item, int64_t now)
{
	struct item **link;

	if (cost(item) > c->limit)
		return -EMSGSIZE;
	link = look(c, item->bytes, item->key_len, now);
	if (*link)
		drop(c, link);
	evict(c, cost(item), now);
	if (c->n.items >= c->buckets)
		grow(c);
	item->hash = hash_of(c, item->bytes, item->key_len);
	link = &c->bucket[item->hash & (c->buckets - 1)];
	item->chain = *link;
	*link = item;
	order_add(c, item);
	item->stored_ns = now;
	item->cas = ++c->cas;
	c->n.items++;
	c->n.total_items++;
	c->n.bytes += cost(item);
	return 0;
}

bool cache_remove(struct cache *c, const char *key, size_t len, int64_t now)
{
	struct item **link = look(c, key, len, now);

	if (!*link)
		return false;
	drop(c, link);
	return true;
}

void cache_count(const struct cache *c, struct cache_counts *counts)
{
	*counts = c->n;
}

size_t cache_limit(const struct cache *c)
{
	return c->limit;
}
