/* SPDX-License-Identifier: Apache-2.0 */
/* See pagemap.h. Height h covers 64^h pages; recursion is at most MAX_HEIGHT deep, in small frames. */
#include "libos/fs/pagemap.h"

#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define FAN_BITS   6u
#define FAN        (1u << FAN_BITS)
#define MAX_HEIGHT 9u /* 2^54 pages: more than a file offset reaches */

struct node {
	void *at[FAN];
};

static uint64_t cover(unsigned height)
{
	return 1ull << (FAN_BITS * height);
}

static unsigned index_at(uint64_t index, unsigned height)
{
	return (unsigned)(index >> (FAN_BITS * (height - 1))) & (FAN - 1);
}

void *pagemap_get(const struct pagemap *pm, uint64_t index)
{
	void *p = pm->root;

	if (index >= cover(pm->height))
		return NULL;
	for (unsigned h = pm->height; h && p; h--)
		p = ((struct node *)p)->at[index_at(index, h)];
	return p;
}

static int grow(struct pagemap *pm, uint64_t index)
{
	while (index >= cover(pm->height)) {
		struct node *n;

		if (pm->height == MAX_HEIGHT)
			return -EFBIG;
		if (pm->root) {
			n = kzalloc(sizeof(*n));
			if (!n)
				return -ENOMEM;
			n->at[0] = pm->root;
			pm->root = n;
		}
		pm->height++;
	}
	return 0;
}

int pagemap_set(struct pagemap *pm, uint64_t index, void *frame)
{
	void **p = &pm->root;
	int rc = grow(pm, index);

	if (rc < 0)
		return rc;
	for (unsigned h = pm->height; h; h--) {
		if (!*p) {
			*p = kzalloc(sizeof(struct node));
			if (!*p)
				return -ENOMEM;
		}
		p = &((struct node *)*p)->at[index_at(index, h)];
	}
	*p = frame;
	return 0;
}

/* Drops [from, to) below *p, which covers pages from base on; empties nodes that have nothing left. */
static uint64_t drop(void **p, unsigned height, uint64_t base, uint64_t from, uint64_t to)
{
	struct node *n = *p;
	uint64_t count = 0, step;
	bool empty = true;

	if (!n || base >= to || base + cover(height) <= from)
		return 0;
	if (!height) {
		page_put(*p);
		*p = NULL;
		return 1;
	}
	step = cover(height - 1);
	for (unsigned i = 0; i < FAN; i++) {
		count += drop(&n->at[i], height - 1, base + i * step, from, to);
		empty = empty && !n->at[i];
	}
	if (empty) {
		kfree(n);
		*p = NULL;
	}
	return count;
}

uint64_t pagemap_drop(struct pagemap *pm, uint64_t from, uint64_t to)
{
	uint64_t count = drop(&pm->root, pm->height, 0, from, to);

	if (!pm->root)
		pm->height = 0;
	return count;
}

static uint64_t next(void *p, unsigned height, uint64_t base, uint64_t from)
{
	uint64_t step;

	if (!p || base + cover(height) <= from)
		return UINT64_MAX;
	if (!height)
		return base;
	step = cover(height - 1);
	for (unsigned i = 0; i < FAN; i++) {
		uint64_t r = next(((struct node *)p)->at[i], height - 1, base + i * step, from);

		if (r != UINT64_MAX)
			return r;
	}
	return UINT64_MAX;
}

uint64_t pagemap_next(const struct pagemap *pm, uint64_t from)
{
	return next(pm->root, pm->height, 0, from);
}
