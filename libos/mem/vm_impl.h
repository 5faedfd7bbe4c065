/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of mem/ share about the program's address space. */
#ifndef LIBOS_MEM_VM_IMPL_H
#define LIBOS_MEM_VM_IMPL_H

#include "libos/arch/x86_64/pt.h"
#include "libos/mem/vma.h"

struct vm {
	struct vma_tree tree;
	uint64_t mapped;   /* bytes of all areas */
	uint64_t resident; /* frames in page tables, but for those of the image */
	uptr_t brk_start, brk_end;
	uptr_t top;       /* new mappings go below */
	bool lock_future; /* MCL_FUTURE */
};
extern struct vm vm;

/* Takes away all that is mapped in [start, end); tables stay. */
void vm_zap(uptr_t start, uptr_t end, struct pt_flush *flush);
/* addr is a page's, len not 0, and all of it below UIG_USER_TOP. */
bool vm_range_ok(uptr_t addr, uint64_t len);
/* Every byte belongs to an area. */
bool vm_covered(uptr_t start, uptr_t end);
/* Sets what a present entry may do, by the area's protection. */
uint64_t vm_pte_flags(const struct vma *vma, bool writable);
/* A new mapping of a file that a program is about to use: brings in its first part at once. As far as that goes. */
void vm_map_ahead(uptr_t addr, uptr_t end);
/* Makes the page at addr, which is there, the program's own (a private area of a file): its frame, or NULL when there is no memory. */
void *vm_own_page(const struct vma *v, uptr_t addr);
/* Splits the areas at start and end, so that no area crosses either. 0 or -ENOMEM. */
int vm_split(uptr_t start, uptr_t end);
/* Joins areas with their neighbours, in and around [start, end). */
void vm_join(uptr_t start, uptr_t end);

#endif
