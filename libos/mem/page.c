/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page frames: a buddy allocator that grows into RAM as it is needed. Each region of RAM begins with its array of struct page,
 * and ends in a part that was never used ("wild"): no list knows those frames, nothing was written about them, and they are zero.
 * Blocks remember whether they are still zero, so that clearing and touching are only paid for frames that were used before.
 */
#include "libos/mem/page_impl.h"

#include "abi/boot.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"

#define ORDERS       21u /* blocks of 4 KiB to 4 GiB */
#define RETURN_ORDER 4u  /* what is smaller is not worth a system call of the host */

struct region {
	char *base; /* frame 0, direct map */
	struct page *pages;
	uint64_t count, wild; /* frames; from wild on never used */
};

static struct region regions[UIG_MEM_REGIONS_MAX];
static unsigned nregions;
static struct list free_lists[ORDERS];
static uint64_t total, free_count;

uint64_t page_dirty, page_dirty_least;

static struct bound {
	const uint32_t *ready; /* NULL: there is none */
	uint32_t *used;
	page_ask_fn *ask;
} bound;

static struct region *region_of(const void *p)
{
	for (unsigned i = 0; i < nregions; i++) {
		struct region *r = &regions[i];

		if ((const char *)p >= r->base && (const char *)p < r->base + r->count * PAGE_BYTES)
			return r;
	}
	return NULL;
}

struct page *page_of(const void *p)
{
	struct region *r = region_of(p);

	kassert(r);
	return &r->pages[((uint64_t)p - (uint64_t)r->base) / PAGE_BYTES];
}

static void *frame_of(const struct region *r, uint64_t index)
{
	return r->base + index * PAGE_BYTES;
}

static struct region *region_of_page(const struct page *page)
{
	for (unsigned i = 0; i < nregions; i++) {
		if (page >= regions[i].pages && page < regions[i].pages + regions[i].count)
			return &regions[i];
	}
	panic("page: not a struct page");
}

void *page_frame(const struct page *page)
{
	struct region *r = region_of_page(page);

	return frame_of(r, (uint64_t)(page - r->pages));
}

static void add_region(uint64_t base, uint64_t end)
{
	struct region *r = &regions[nregions];
	uint64_t frames, array;

	base = page_round_up(base);
	end = page_round_down(end);
	if (base >= end || nregions == UIG_MEM_REGIONS_MAX)
		return;
	frames = (end - base) / PAGE_BYTES;
	array = page_round_up(frames * sizeof(struct page));
	if (array >= end - base)
		return;
	r->pages = page_ptr(base);
	r->base = page_ptr(base + array);
	r->count = frames - array / PAGE_BYTES;
	r->wild = 0;
	total += r->count;
	free_count += r->count;
	nregions++;
}

void page_init(const struct uig_bootinfo *boot)
{
	for (unsigned i = 0; i < ORDERS; i++)
		list_init(&free_lists[i]);
	for (unsigned i = 0; i < boot->nregions && i < UIG_MEM_REGIONS_MAX; i++) {
		uint64_t base = boot->region[i].base, end = base + boot->region[i].bytes;

		if (base < boot->free_start)
			base = boot->free_start;
		add_region(base, end);
	}
	if (!nregions)
		panic("no RAM is left behind the libOS");
}

/* ---- blocks */

static void block_add(struct region *r, uint64_t index, unsigned order, bool zero)
{
	struct page *page = &r->pages[index];

	page->order = (uint8_t)order;
	page->flags = (uint8_t)(PAGE_FREE | (zero ? PAGE_ZERO : 0));
	if (zero) {
		list_add_tail(&free_lists[order], &page->link);
	} else {
		list_add_head(&free_lists[order], &page->link);
		page_dirty += 1ull << order;
	}
}

/* Takes a free block off its list. True: it is zero. */
static bool block_del(struct page *page)
{
	bool zero = page->flags & PAGE_ZERO;

	list_del(&page->link);
	if (!zero)
		page_dirty -= 1ull << page->order;
	page->flags = zero ? PAGE_ZERO : 0;
	return zero;
}

/* Gives back halves of the block of order k until it is of that order. */
static void block_cut(struct region *r, uint64_t index, unsigned k, unsigned order, bool zero)
{
	while (k > order) {
		k--;
		block_add(r, index + (1ull << k), k, zero);
	}
}

/* Frees a block, joined with its buddy as long as that is free. */
static void block_free(struct region *r, uint64_t index, unsigned order, bool zero)
{
	for (; order + 1 < ORDERS; order++) {
		uint64_t buddy = index ^ (1ull << order);
		struct page *b = &r->pages[buddy];

		if (buddy + (1ull << order) > r->wild || !(b->flags & PAGE_FREE) ||
			b->order != order)
			break;
		/* what was used stays apart from what never was: its memory is there already */
		if (zero != !!(b->flags & PAGE_ZERO) && order >= 4)
			break;
		zero = block_del(b) && zero;
		b->flags = 0;
		index &= ~(1ull << order);
	}
	block_add(r, index, order, zero);
}

/* Page number behind the first n frames. */
static uint64_t end_page(const struct region *r, uint64_t n)
{
	return page_gpa(r->base) / PAGE_BYTES + n;
}

static void note_used(const struct region *r)
{
	uint64_t end = end_page(r, r->wild);

	if (bound.ready && page_gpa(r->base) < UIG_GPA_MMIO && end > *bound.used)
		*bound.used = (uint32_t)end;
}

void page_bound(const uint32_t *ready, uint32_t *used, page_ask_fn *ask)
{
	bound = (struct bound){ready, used, ask};
	note_used(&regions[0]);
}

/* May the first n frames be in use? */
static bool can_reach(const struct region *r, uint64_t n)
{
	uint64_t end = end_page(r, n);

	if (!bound.ready || page_gpa(r->base) >= UIG_GPA_MMIO)
		return true;
	if (end > __atomic_load_n(bound.ready, __ATOMIC_ACQUIRE))
		bound.ask(end * PAGE_BYTES);
	return end <= __atomic_load_n(bound.ready, __ATOMIC_ACQUIRE);
}

/* Takes a block from the wild; what is skipped for alignment is put on the lists. */
static struct page *wild_take(unsigned order)
{
	uint64_t n = 1ull << order;

	for (unsigned i = 0; i < nregions; i++) {
		struct region *r = &regions[i];
		uint64_t start = (r->wild + n - 1) & ~(n - 1);

		if (start + n > r->count || !can_reach(r, start + n))
			continue;
		while (r->wild < start) {
			unsigned k = (unsigned)__builtin_ctzll(r->wild);
			uint64_t at = r->wild;

			r->wild += 1ull << k;
			block_add(r, at, k, true);
		}
		r->wild = start + n;
		note_used(r);
		r->pages[start].flags = PAGE_ZERO;
		return &r->pages[start];
	}
	return NULL;
}

static struct page *block_take(unsigned order)
{
	struct region *r;
	struct page *page;
	unsigned k = order;
	uint64_t index;
	bool zero;

	while (k < ORDERS && list_empty(&free_lists[k]))
		k++;
	if (k == ORDERS)
		return wild_take(order);
	page = container_of(free_lists[k].next, struct page, link);
	zero = block_del(page);
	r = region_of_page(page);
	index = (uint64_t)(page - r->pages);
	block_cut(r, index, k, order, zero);
	return page;
}

static void frame_free(struct region *r, uint64_t index, bool zero)
{
	r->pages[index].refs = 0;
	free_count++;
	block_free(r, index, 0, zero);
}

static void *run_take(size_t n, bool *zero)
{
	unsigned order = n > 1 ? 64u - (unsigned)__builtin_clzll(n - 1) : 0;
	struct page *page;
	struct region *r;
	uint64_t index;

	if (!n || order >= ORDERS || n > free_count)
		return NULL;
	page = block_take(order);
	if (!page)
		return NULL;
	*zero = page->flags & PAGE_ZERO;
	r = region_of_page(page);
	index = (uint64_t)(page - r->pages);
	free_count -= 1ull << order;
	for (uint64_t i = 0; i < n; i++) {
		page[i].refs = 1;
		page[i].flags = 0;
	}
	for (uint64_t i = n; i < 1ull << order; i++)
		frame_free(r, index + i, *zero);
	if (page_dirty < page_dirty_least)
		page_dirty_least = page_dirty;
	return frame_of(r, index);
}

/* ---- interface */

void *page_alloc_raw(void)
{
	bool zero;

	return run_take(1, &zero);
}

void *page_alloc(void)
{
	bool zero;
	void *p = run_take(1, &zero);

	if (p && !zero)
		memset(p, 0, PAGE_BYTES);
	return p;
}

void *page_alloc_run(size_t n)
{
	bool zero;

	return run_take(n, &zero);
}

void page_free_run(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		page_put((char *)p + i * PAGE_BYTES);
}

void page_get(void *p)
{
	page_of(p)->refs++;
}

void page_put(void *p)
{
	struct region *r = region_of(p);
	struct page *page;

	kassert(r);
	page = &r->pages[((uint64_t)p - (uint64_t)r->base) / PAGE_BYTES];
	kassert(page->refs);
	if (!--page->refs)
		frame_free(r, (uint64_t)(page - r->pages), false);
}

unsigned page_refs(const void *p)
{
	return page_of(p)->refs;
}

bool page_is_ram(const void *p)
{
	return region_of(p);
}

unsigned page_take_dirty(struct page_block *block, unsigned max, uint64_t frames)
{
	unsigned n = 0;

	for (unsigned k = ORDERS; k-- > RETURN_ORDER;) {
		while (n < max && frames >> RETURN_ORDER && !list_empty(&free_lists[k])) {
			struct page *page = container_of(free_lists[k].next, struct page, link);
			struct region *r = region_of_page(page);
			uint64_t index = (uint64_t)(page - r->pages);
			unsigned order = k;

			if (page->flags & PAGE_ZERO)
				break; /* those come last */
			block_del(page);
			while (1ull << order > frames)
				order--;
			block_cut(r, index, k, order, false);
			block[n++] = (struct page_block){frame_of(r, index), order};
			frames -= 1ull << order;
		}
	}
	return n;
}

void page_return(const struct page_block *block, bool zero)
{
	struct region *r = region_of(block->at);

	block_free(r, ((uint64_t)block->at - (uint64_t)r->base) / PAGE_BYTES, block->order, zero);
}

uint64_t page_total(void)
{
	return total;
}

uint64_t page_free_count(void)
{
	return free_count;
}
