/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages a program touches, by the accessed and dirty bits of the page tables that its libOS built for it (the lower half of the
 * address space). The libOS sets both ahead, so a machine that is to be watched has them taken away first, before its vCPU has run
 * with these tables: a processor (or KVM, in the place of one) sets them again where the program comes by. SDM volume 3, 4.8.
 *
 * The tables are the guest's: an entry is a bare number until vmm/mem.c has checked it, and a walk ends after so many tables,
 * whatever they point to.
 */
#ifndef VMM_ARCH_X86_64_USER_PAGES_H
#define VMM_ARCH_X86_64_USER_PAGES_H

#include "abi/types.h"

#include <stdbool.h>

struct mem;
struct user_tables;
struct workset;

/* Takes the bits away. The tables as they were, but for these bits (the caller's); NULL without memory, then nothing may have been done. */
struct user_tables *user_pages_forget(const struct mem *mem, gpa_t cr3);
void user_tables_free(struct user_tables *tables); /* NULL is fine */
/* workset_skip_fn (vmm/workset.h), arg a struct user_tables: true for a page that is one of the tables and has not changed but for these bits. */
bool user_tables_unchanged(void *tables, const struct mem *mem, gpa_t gpa);

/* Adds the pages that have been touched since. The guest may run. */
void user_pages_record(const struct mem *mem, gpa_t cr3, struct workset *set);

/* Whether the page is there, and so that a write to it is no fault where `write`. */
bool user_page_is_mapped(const struct mem *mem, gpa_t cr3, uint64_t va, bool write);

#endif
