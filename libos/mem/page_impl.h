/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of each frame; for page.c and kmalloc.c, which keeps its size classes here too. */
#ifndef LIBOS_MEM_PAGE_IMPL_H
#define LIBOS_MEM_PAGE_IMPL_H

#include "libos/klib/list.h"
#include "libos/mem/page.h"

#define PAGE_FREE 1u /* head of a free block */
#define PAGE_ZERO 2u /* the block was never used */

struct page {
	struct list link; /* free block, or kmalloc page with room */
	uint32_t refs;
	uint8_t order;   /* of a free block; kmalloc: size class */
	uint8_t flags;   /* PAGE_ */
	uint16_t used;   /* kmalloc: objects in use */
	uint32_t run;    /* kmalloc: frames of a large object; 0: a page of small ones */
	uint16_t free;   /* kmalloc: offset + 1 of the first object that was given back; 0: none */
	uint16_t carved; /* kmalloc: objects that were ever given out */
};
_Static_assert(sizeof(struct page) == 32, "0.8 % of RAM");

/* The entry of a RAM frame, or of any address in it. */
struct page *page_of(const void *p);
/* The other way round. */
void *page_frame(const struct page *page);

#endif
