/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libos/mem/page.h on the host: a frame is host memory, its guest-physical address the pointer's value. */
#ifndef LIBOS_MEM_PAGE_H
#define LIBOS_MEM_PAGE_H

#include "abi/layout.h"

#include <stdbool.h>

#define PAGE_BYTES         4096ull
#define PAGE_MASK          (PAGE_BYTES - 1)
#define page_round_up(x)   (((uint64_t)(x) + PAGE_MASK) & ~PAGE_MASK)
#define page_round_down(x) ((uint64_t)(x) & ~PAGE_MASK)

void *page_alloc(void);
void *page_alloc_raw(void);
void *page_alloc_run(size_t n);
void page_free_run(void *p, size_t n);
void page_get(void *p);
void page_put(void *p);
unsigned page_refs(const void *p);

static inline gpa_t page_gpa(const void *p)
{
	return (gpa_t)p;
}

static inline void *page_ptr(gpa_t gpa)
{
	return (void *)gpa;
}

#endif
