/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page frames: 4 KiB of guest RAM, counted references. All RAM is mapped at UIG_VA_DIRECT, so that a frame is
 * a pointer. Frames that were never used are zero by the monitor's promise (fresh host memory) and cost no clearing;
 * host memory is only taken at the first touch, so allocating without touching is free.
 */
#ifndef LIBOS_MEM_PAGE_H
#define LIBOS_MEM_PAGE_H

#include "abi/layout.h"

#include <stdbool.h>

#define PAGE_BYTES         4096ull
#define PAGE_MASK          (PAGE_BYTES - 1)
#define page_round_up(x)   (((uint64_t)(x) + PAGE_MASK) & ~PAGE_MASK)
#define page_round_down(x) ((uint64_t)(x) & ~PAGE_MASK)

struct uig_bootinfo;

/* Takes over all RAM of the boot information from free_start on. Called once. */
void page_init(const struct uig_bootinfo *boot);

/* Frames below the device gap are taken in use only below *ready (in pages); ask() is called first where that is not enough, and may raise it. *used
 * follows what is in use. Without this call all of RAM is there. */
typedef void page_ask_fn(gpa_t end);
void page_bound(const uint32_t *ready, uint32_t *used, page_ask_fn *ask);

/* A frame with one reference; NULL when RAM is used up. page_alloc() clears it, page_alloc_raw() does not. */
void *page_alloc(void);
void *page_alloc_raw(void);
/* n frames in a row (any n >= 1), not cleared; freed one by one or by page_free_run(). NULL when there is no such run. */
void *page_alloc_run(size_t n);
void page_free_run(void *p, size_t n);

void page_get(void *p);
void page_put(void *p); /* frees at the last reference */
unsigned page_refs(const void *p);
/* False for addresses that are no RAM frame (image window): those are never counted or freed. */
bool page_is_ram(const void *p);

/* In frames. */
uint64_t page_total(void);
uint64_t page_free_count(void);

/* Free frames that the host still has memory for, because they were used; and the fewest since page_dirty_least was set last. */
extern uint64_t page_dirty, page_dirty_least;
struct page_block {
	char *at;
	unsigned order; /* 2^order frames */
};
/* Takes such blocks of some size out of the free memory, at most max of them and `frames` frames, the largest first; how many. */
unsigned page_take_dirty(struct page_block *block, unsigned max, uint64_t frames);
/* Puts one back; zero: it reads as zeros now, and counts as never used. To be done before anything else happens to frames. */
void page_return(const struct page_block *block, bool zero);

static inline gpa_t page_gpa(const void *p)
{
	return (gpa_t)p - UIG_VA_DIRECT;
}

static inline void *page_ptr(gpa_t gpa)
{
	return (void *)(UIG_VA_DIRECT + gpa);
}

#endif
