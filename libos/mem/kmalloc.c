/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Size classes of objects cut from single frames, whole frames above 2 KiB. A frame is cut as it is used, not ahead, and goes
 * back when its last object does (each class keeps one). The size of an object is known by its frame.
 */
#include "libos/mem/kmalloc.h"

#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/page_impl.h"

static const uint16_t sizes[] = {
	16, 32, 48, 64, 96, 128, 192, 256, 368, 512, 672, 1024, 1360, 2048};
#define CLASSES   (sizeof(sizes) / sizeof(sizes[0]))
#define SMALL_MAX 2048u

static struct list partial[CLASSES];
static bool ready;

static void init_lists(void)
{
	for (unsigned i = 0; i < CLASSES; i++)
		list_init(&partial[i]);
	ready = true;
}

static unsigned class_of(size_t bytes)
{
	unsigned c = 0;

	while (sizes[c] < bytes)
		c++;
	return c;
}

static bool page_full(const struct page *page)
{
	return !page->free && (page->carved + 1u) * sizes[page->order] > PAGE_BYTES;
}

static void *large_alloc(size_t bytes)
{
	size_t n = page_round_up(bytes) / PAGE_BYTES;
	void *p;

	if (bytes > PAGE_BYTES * (uint64_t)UINT32_MAX)
		return NULL;
	p = page_alloc_run(n);
	if (p)
		page_of(p)->run = (uint32_t)n;
	return p;
}

static struct page *class_page(unsigned c)
{
	struct page *page;
	void *frame;

	if (!list_empty(&partial[c]))
		return container_of(partial[c].next, struct page, link);
	frame = page_alloc_raw();
	if (!frame)
		return NULL;
	page = page_of(frame);
	page->run = 0;
	page->used = page->free = 0;
	page->carved = 0;
	page->order = (uint8_t)c;
	list_init(&page->link);
	list_add_head(&partial[c], &page->link);
	return page;
}

void *kmalloc(size_t bytes)
{
	struct page *page;
	char *base, *p;
	unsigned c;

	if (!ready)
		init_lists();
	if (bytes > SMALL_MAX)
		return large_alloc(bytes);
	c = class_of(bytes ? bytes : 1);
	page = class_page(c);
	if (!page)
		return NULL;
	base = page_frame(page);
	if (page->free) {
		p = base + page->free - 1;
		page->free = *(uint16_t *)p;
	} else {
		p = base + page->carved++ * sizes[c];
	}
	page->used++;
	if (page_full(page))
		list_del(&page->link);
	return p;
}

void kfree(void *p)
{
	struct page *page;
	bool was_full;

	if (!p)
		return;
	page = page_of(p);
	if (page->run) {
		kassert(!((uint64_t)p & PAGE_MASK));
		page_free_run(p, page->run);
		return;
	}
	kassert(page->used);
	was_full = page_full(page);
	*(uint16_t *)p = page->free;
	page->free = (uint16_t)(((uint64_t)p & PAGE_MASK) + 1);
	page->used--;
	if (was_full)
		list_add_head(&partial[page->order], &page->link);
	if (!page->used && partial[page->order].next != partial[page->order].prev) {
		list_del(&page->link);
		page_put((void *)page_round_down((uint64_t)p));
	}
}

static size_t usable(void *p)
{
	const struct page *page = page_of(p);

	return page->run ? page->run * PAGE_BYTES : sizes[page->order];
}

void *kzalloc(size_t bytes)
{
	void *p = kmalloc(bytes);

	if (p)
		memset(p, 0, bytes);
	return p;
}

void *krealloc(void *p, size_t bytes)
{
	size_t old = p ? usable(p) : 0;
	void *fresh;

	if (p && bytes <= old && bytes * 2 >= old)
		return p;
	fresh = kmalloc(bytes);
	if (!fresh)
		return NULL;
	if (p)
		memcpy(fresh, p, old < bytes ? old : bytes);
	kfree(p);
	return fresh;
}

char *kstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = kmalloc(n);

	if (p)
		memcpy(p, s, n);
	return p;
}
