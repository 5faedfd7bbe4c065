/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page-table entries. Tables are reached through the direct map and written at CPL 3. Accessed and dirty bits are set ahead,
 * because setting them later costs a trap where page tables are shadowed. An entry that is not present may still hold its frame
 * (PTE_KEPT): memory that mprotect(PROT_NONE) took from sight.
 */
#ifndef LIBOS_ARCH_PT_H
#define LIBOS_ARCH_PT_H

#include "abi/types.h"

#include <stdbool.h>

#define PTE_PRESENT 0x1ull
#define PTE_WRITE   0x2ull
#define PTE_USER    0x4ull
#define PTE_AD      0x60ull
#define PTE_KEPT    0x200ull /* not present, frame is still ours */
#define PTE_OWN     0x400ull /* the frame may be written in place when the area's protection allows */
#define PTE_NX      0x8000000000000000ull
#define PTE_FRAME   0x000ffffffffff000ull
#define PTE_KERNEL  (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD | PTE_NX)

#define PT_SPAN 0x200000ull /* what one last-level table maps */

void pt_init(gpa_t cr3);

/* The entry of va, or NULL when there is no table for it. next (may be NULL) then is the first address behind the hole. */
uint64_t *pt_find(uint64_t va, uint64_t *next);
/* The same, making tables as needed; NULL: out of memory. */
uint64_t *pt_make(uint64_t va);
/* Gives back tables of the program that lie wholly in [lo, hi) and are empty by the caller's word. */
void pt_free_tables(uint64_t lo, uint64_t hi);
/* Maps gpa 1 GiB wide at va with large pages (standard machines, at boot). */
void pt_map_gib(uint64_t va, gpa_t gpa);

/* Collects what has to be flushed. Two single flushes cost as much as a reload of everything (11 and 13-20 us where ring 0 is emulated). */
struct pt_flush {
	unsigned n;
	uint64_t va; /* when it is one */
};
static inline void pt_flush_add(struct pt_flush *f, uint64_t va)
{
	f->va = va;
	f->n++;
}
static inline void pt_flush_all(struct pt_flush *f)
{
	f->n = 2;
}
void pt_flush_done(struct pt_flush *f);

/* Frames used for tables. */
extern uint64_t pt_table_count;

#endif
