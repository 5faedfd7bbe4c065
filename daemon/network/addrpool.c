/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fresh addresses are those from `fresh` on that are not used; the resting ones stand in a ring, oldest first.
 * addrpool_take_index() leaves an entry of the ring behind, which is told by its stamp and skipped: each
 * address has at most one valid entry. The ring has room for all: valid entries <= count, and skipped ones are
 * dropped before it is full (compact()).
 */
#include "daemon/network/addrpool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct rest {
	uint32_t index;
	uint32_t stamp; /* equals slot.stamp while the entry counts */
	int64_t until_ns;
};

struct slot {
	bool used;
	bool resting;
	uint32_t stamp;
};

struct addrpool {
	uint32_t count, used, fresh;
	int64_t quarantine_ns;
	struct slot *slot; /* count */
	struct rest *ring;
	uint32_t ring_size; /* 2 * count */
	uint32_t head, len; /* oldest entry, entries */
};

int addrpool_new(uint32_t count, int64_t quarantine_ns, struct addrpool **out)
{
	struct addrpool *p = calloc(1, sizeof(*p));

	assert(count > 0 && count <= UINT32_MAX / 2);
	if (!p)
		return -ENOMEM;
	p->count = count;
	p->quarantine_ns = quarantine_ns;
	p->slot = calloc(count, sizeof(*p->slot));
	p->ring_size = count * 2;
	p->ring = calloc(p->ring_size, sizeof(*p->ring));
	if (!p->slot || !p->ring) {
		addrpool_free(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void addrpool_free(struct addrpool *p)
{
	if (!p)
		return;
	free(p->slot);
	free(p->ring);
	free(p);
}

static bool entry_counts(const struct addrpool *p, const struct rest *r)
{
	const struct slot *s = &p->slot[r->index];

	return s->resting && s->stamp == r->stamp;
}

static void ring_pop(struct addrpool *p)
{
	p->head = (p->head + 1) % p->ring_size;
	p->len--;
}

/* Drops the entries that no longer count, in order. */
static void compact(struct addrpool *p)
{
	for (uint32_t n = p->len; n > 0; n--) {
		struct rest r = p->ring[p->head];

		ring_pop(p);
		if (!entry_counts(p, &r))
			continue;
		p->ring[(p->head + p->len) % p->ring_size] = r;
		p->len++;
	}
}

static void mark_used(struct addrpool *p, uint32_t index)
{
	p->slot[index].used = true;
	p->slot[index].resting = false;
	p->used++;
}

int addrpool_take(struct addrpool *p, int64_t now_ns, uint32_t *index, int64_t *ready_ns)
{
	while (p->fresh < p->count && (p->slot[p->fresh].used || p->slot[p->fresh].stamp > 0))
		p->fresh++;
	if (p->fresh < p->count) {
		*index = p->fresh++;
		mark_used(p, *index);
		return 0;
	}
	while (p->len && !entry_counts(p, &p->ring[p->head]))
		ring_pop(p);
	if (!p->len || p->ring[p->head].until_ns > now_ns) {
		*ready_ns = p->len ? p->ring[p->head].until_ns : INT64_MAX;
		return -EAGAIN;
	}
	*index = p->ring[p->head].index;
	ring_pop(p);
	mark_used(p, *index);
	return 0;
}

int addrpool_take_index(struct addrpool *p, uint32_t index)
{
	if (index >= p->count)
		return -ENOENT;
	if (p->slot[index].used)
		return -EBUSY;
	mark_used(p, index);
	return 0;
}

void addrpool_put(struct addrpool *p, uint32_t index, int64_t now_ns)
{
	struct slot *s = &p->slot[index];

	assert(index < p->count && s->used);
	s->used = false;
	s->resting = true;
	s->stamp++;
	p->used--;
	if (p->len == p->ring_size)
		compact(p);
	p->ring[(p->head + p->len) % p->ring_size] = (struct rest){
		.index = index, .stamp = s->stamp, .until_ns = now_ns + p->quarantine_ns};
	p->len++;
}

uint32_t addrpool_used(const struct addrpool *p)
{
	return p->used;
}

uint32_t addrpool_count(const struct addrpool *p)
{
	return p->count;
}
