/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving memory back and asking what is there (madvise(2), mincore(2)). Shared anonymous memory has frames in the page tables only, because
 * there is one process: there DONTNEED must keep them, and REMOVE is what drops them.
 */
#include "libos/arch/x86_64/patch.h"
#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/mem/giveback.h"
#include "libos/mem/page.h"
#include "libos/mem/vm_impl.h"

static int check(const struct vma *v, enum vm_discard how)
{
	bool shared = v->flags & MAP_SHARED;

	if (v->flags & MAP_LOCKED && how != VM_DISCARD_NOTHING)
		return -EINVAL;
	switch (how) {
	case VM_DISCARD_OWN:
		return 0;
	case VM_DISCARD_NOTHING:
	case VM_DISCARD_FREE:
		return v->file || shared ? -EINVAL : 0;
	case VM_DISCARD_REMOVE:
		if (!shared)
			return -EINVAL;
		return v->prot & PROT_WRITE ? 0 : -EACCES;
	}
	return -EINVAL;
}

static int discard(const struct vma *v, uptr_t start, uptr_t end, enum vm_discard how)
{
	struct pt_flush flush = {0};
	int r = check(v, how);

	if (r || how == VM_DISCARD_NOTHING)
		return r;
	if (how == VM_DISCARD_REMOVE && v->file)
		return file_punch(v->file, v->pgoff * PAGE_BYTES + (start - v->start), end - start);
	if (how == VM_DISCARD_OWN && !v->file && v->flags & MAP_SHARED)
		return 0;
	patch_forget(start, end);
	vm_zap(start, end, &flush);
	pt_flush_done(&flush);
	return 0;
}

int vm_discard(uptr_t addr, uint64_t len, enum vm_discard how)
{
	uptr_t end = addr + len;

	if (!len)
		return 0;
	if (!vm_range_ok(addr, len))
		return -ENOMEM;
	for (const struct vma *v = vma_find(&vm.tree, addr); v && v->start < end; v = v->next) {
		int r = discard(
			v, v->start > addr ? v->start : addr, v->end < end ? v->end : end, how);

		if (r)
			return r;
	}
	giveback_check();
	return vm_covered(addr, end) ? 0 : -ENOMEM;
}

bool vm_is_resident(uptr_t addr)
{
	const struct vma *v = vma_find(&vm.tree, addr);
	const uint64_t *pte = pt_find(addr, NULL);

	return (v && v->file) || (pte && *pte);
}

uint64_t vm_resident(uptr_t start, uptr_t end)
{
	uint64_t bytes = 0;

	while (start < end) {
		uint64_t next = end;
		const uint64_t *pte = pt_find(start, &next);

		if (pte && *pte)
			bytes += PAGE_BYTES;
		start = pte ? start + PAGE_BYTES : next;
	}
	return bytes;
}

bool vm_maps_writable(const struct inode *inode)
{
	for (const struct vma *v = vm.tree.first; v; v = v->next) {
		if (v->file && v->file->inode == inode && v->flags & MAP_SHARED &&
			v->file->flags & 3u)
			return true;
	}
	return false;
}

int vm_shared_place(uptr_t addr, const struct inode **inode, uint64_t *at)
{
	const struct vma *v = vma_find(&vm.tree, addr);

	if (!v || v->start > addr)
		return -EFAULT;
	if (v->file && v->file->inode && v->flags & MAP_SHARED) {
		*inode = v->file->inode;
		*at = v->pgoff * PAGE_BYTES + (addr - v->start);
	}
	return 0;
}
