/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Areas of the address space: an AVL tree ordered by address, in which each node knows the largest hole in front of an area below it, so that
 * lookup, insertion, removal and the search for free room all cost O(log n). Knows nothing of page tables (vm.c does).
 */
#ifndef LIBOS_MEM_VMA_H
#define LIBOS_MEM_VMA_H

#include "libos/mem/vm.h"

#define VMA_MIN  0x10000ull /* nothing is mapped below: NULL has to fault */
#define VMAS_MAX 65530u     /* as vm.max_map_count */

struct vma {
	uptr_t start, end;
	int prot, flags;   /* PROT_, MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN, VMA_ */
	struct file *file; /* NULL: anonymous; holds a reference */
	uint64_t pgoff;    /* page of the file at start */
	struct vma *left, *right, *prev, *next;
	uint64_t max_hole; /* largest hole in front of an area of this subtree */
	int height;
};

#define VMA_HEAP  0x1000000 /* [heap] and [stack], for /proc/self/maps */
#define VMA_STACK 0x2000000
#define VMA_STUBS 0x8000000 /* of arch/x86_64/patch.c */
#define VMA_VDSO  0x4000000 /* pages of the libOS's own, page pgoff of the vDSO at start */

struct vma_tree {
	struct vma *root, *first, *last;
	unsigned count;
};

/* The area that holds addr, or the first one above it, or NULL. */
struct vma *vma_find(const struct vma_tree *t, uptr_t addr);
/* Puts in an area that overlaps none. */
void vma_insert(struct vma_tree *t, struct vma *vma);
void vma_remove(struct vma_tree *t, struct vma *vma);
/* To be called after start or end of an area in the tree has changed (without overlap). */
void vma_moved(struct vma_tree *t, struct vma *vma);
/* Highest free range of len bytes that ends at or below top; 0: there is none. */
uptr_t vma_find_hole(const struct vma_tree *t, uint64_t len, uptr_t top);
/* True when nothing is in [start, end). */
bool vma_is_free(const struct vma_tree *t, uptr_t start, uptr_t end);
/* True when b can be one area with a, which ends where b starts. */
bool vma_joins(const struct vma *a, const struct vma *b);

#endif
