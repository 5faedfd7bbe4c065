/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping, unmapping, protection. All changes of areas go through vm_split() first, so that only whole areas are worked on, and vm_join()
 * last. Entries of the page tables are only changed here and in fault.c.
 */
#include "libos/arch/x86_64/patch.h"
#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/giveback.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm_impl.h"
#include "libos/sys/limits.h"
#include "libos/sys/sysctl.h"

#define LOW_TOP      0x80000000ull /* MAP_32BIT: below */
#define BRK_AHEAD    0x40000ull
#define FILE_ACCMODE 3u /* of struct file's flags; 0: only reading */

struct vm vm;

void vm_init(void)
{
	vm.top = UIG_USER_TOP - PAGE_BYTES;
}

void vm_set_top(uptr_t top)
{
	vm.top = top;
}

/* ---- page-table entries */

static void drop_frame(uint64_t pte)
{
	void *frame = page_ptr(pte & PTE_FRAME);

	if (page_is_ram(frame)) {
		page_put(frame);
		vm.resident--;
	}
}

void vm_zap(uptr_t start, uptr_t end, struct pt_flush *flush)
{
	for (uptr_t at = start; at < end;) {
		uint64_t next = end, *pte = pt_find(at, &next);

		if (!pte) {
			at = next;
			continue;
		}
		do {
			uint64_t old = *pte;

			if (old) {
				*pte = 0;
				if (old & PTE_PRESENT)
					pt_flush_add(flush, at);
				drop_frame(old);
			}
			pte++;
			at += PAGE_BYTES;
		} while (at < end && at & (PT_SPAN - 1));
	}
}

uint64_t vm_pte_flags(const struct vma *vma, bool writable)
{
	uint64_t flags = PTE_USER | PTE_AD;

	flags |= vma->prot ? PTE_PRESENT : PTE_KEPT;
	if (writable && vma->prot & PROT_WRITE)
		flags |= PTE_WRITE;
	if (!(vma->prot & PROT_EXEC))
		flags |= PTE_NX;
	return flags;
}

/* Rewrites the entries of an area for its (new) protection. */
static void reprotect(const struct vma *vma, struct pt_flush *flush)
{
	for (uptr_t at = vma->start; at < vma->end;) {
		uint64_t next = vma->end, *pte = pt_find(at, &next);

		if (!pte) {
			at = next;
			continue;
		}
		do {
			uint64_t old = *pte, fresh;

			if (old) {
				fresh = (old & (PTE_FRAME | PTE_OWN)) |
					vm_pte_flags(vma, old & PTE_OWN);
				*pte = fresh;
				if (old & PTE_PRESENT &&
					(old & ~fresh & (PTE_PRESENT | PTE_WRITE) ||
						fresh & ~old & PTE_NX))
					pt_flush_add(flush, at);
			}
			pte++;
			at += PAGE_BYTES;
		} while (at < vma->end && at & (PT_SPAN - 1));
	}
}

/* ---- areas */

static void vma_free(struct vma *v)
{
	if (v->file)
		file_put(v->file);
	kfree(v);
}

static int split_at(uptr_t at)
{
	struct vma *v = vma_find(&vm.tree, at), *upper;

	if (!v || v->start >= at)
		return 0;
	if (vm.tree.count >= (uint64_t)sysctl_value[SYSCTL_MAX_MAP_COUNT])
		return -ENOMEM;
	upper = kmalloc(sizeof(*upper));
	if (!upper)
		return -ENOMEM;
	*upper = *v;
	upper->start = at;
	if (v->file)
		file_get(v->file);
	upper->pgoff += (at - v->start) / PAGE_BYTES;
	v->end = at;
	vma_moved(&vm.tree, v);
	vma_insert(&vm.tree, upper);
	return 0;
}

int vm_split(uptr_t start, uptr_t end)
{
	int r = split_at(start);

	return r ? r : split_at(end);
}

void vm_join(uptr_t start, uptr_t end)
{
	struct vma *v = vma_find(&vm.tree, start), *next;

	if (v && v->prev)
		v = v->prev;
	while (v && v->start <= end) {
		next = v->next;
		if (next && vma_joins(v, next)) {
			vma_remove(&vm.tree, next);
			v->end = next->end;
			vma_moved(&vm.tree, v);
			vma_free(next);
		} else {
			v = next;
		}
	}
}

bool vm_range_ok(uptr_t addr, uint64_t len)
{
	return !(addr & PAGE_MASK) && len && len <= UIG_USER_TOP && addr <= UIG_USER_TOP - len;
}

int vm_unmap(uptr_t addr, uint64_t len)
{
	struct pt_flush flush = {0};
	struct vma *v, *next;
	uptr_t end;
	int r;

	len = page_round_up(len);
	if (!vm_range_ok(addr, len))
		return -EINVAL;
	end = addr + len;
	r = vm_split(addr, end);
	if (r)
		return r;
	v = vma_find(&vm.tree, addr);
	if (!v || v->start >= end)
		return 0;
	patch_forget(addr, end);
	vm_zap(addr, end, &flush);
	for (; v && v->start < end; v = next) {
		next = v->next;
		vma_remove(&vm.tree, v);
		vm.mapped -= v->end - v->start;
		vma_free(v);
	}
	/* tables that no area needs any more */
	if (len >= PT_SPAN / 2) {
		uptr_t lo =
			v ? (v->prev ? v->prev->end : 0) : (vm.tree.last ? vm.tree.last->end : 0);
		uint64_t count = pt_table_count;

		pt_free_tables((lo + PT_SPAN - 1) & ~(PT_SPAN - 1),
			(v ? v->start : UIG_USER_TOP) & ~(PT_SPAN - 1));
		if (count != pt_table_count)
			pt_flush_all(&flush);
	}
	pt_flush_done(&flush);
	giveback_check();
	return 0;
}

/* Where a mapping goes: at the hint if that is free, else in the highest hole. */
static uptr_t choose(uptr_t hint, uint64_t len, uptr_t top)
{
	hint = page_round_down(hint);
	if (hint >= VMA_MIN && vm_range_ok(hint, len) && hint + len <= top &&
		vma_is_free(&vm.tree, hint, hint + len))
		return hint;
	return vma_find_hole(&vm.tree, len, top < vm.top ? top : vm.top);
}

static bool within_limit(uint64_t more)
{
	uint64_t limit = rlimit_soft(RLIMIT_AS);

	return more <= limit && vm.mapped <= limit - more;
}

static int place(uptr_t *addr, uint64_t len, int flags)
{
	if (!within_limit(len))
		return -ENOMEM;
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
		*addr = choose(*addr, len, flags & MAP_32BIT ? LOW_TOP : UIG_USER_TOP);
		return *addr ? 0 : -ENOMEM;
	}
	if (!vm_range_ok(*addr, len))
		return *addr & PAGE_MASK ? -EINVAL : -ENOMEM;
	if (*addr < VMA_MIN)
		return -EPERM;
	if (flags & MAP_FIXED_NOREPLACE)
		return vma_is_free(&vm.tree, *addr, *addr + len) ? 0 : -EEXIST;
	return vm_unmap(*addr, len);
}

/* Memory that the program may write all of, more than there is: refused at once, as Linux does, rather than at some later fault. */
static bool overcommits(uint64_t more, int prot, int flags)
{
	return prot & PROT_WRITE && flags & MAP_PRIVATE && !(flags & MAP_NORESERVE) &&
		more / PAGE_BYTES > page_total();
}

/* What a loader puts over a part of the object that it has mapped: the zeros behind its data. Some have large tables there and touch
 * little of them, and an instance has less memory than the machines that they were written for: never refused. */
static bool completes_object(uptr_t addr, int flags)
{
	const struct vma *v = flags & MAP_FIXED ? vma_find(&vm.tree, addr) : NULL;

	return v && v->start <= addr && v->file;
}

long vm_map(uptr_t addr, uint64_t len, int prot, int flags, struct file *file, uint64_t offset)
{
	struct vma *v;
	int r;

	if (!len || offset & PAGE_MASK)
		return -EINVAL;
	if (len > UIG_USER_TOP)
		return -ENOMEM;
	len = page_round_up(len);
	if (vm.tree.count >= (uint64_t)sysctl_value[SYSCTL_MAX_MAP_COUNT] ||
		(overcommits(len, prot, flags) && !completes_object(addr, flags)))
		return -ENOMEM;
	v = kzalloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	r = place(&addr, len, flags);
	if (r) {
		kfree(v);
		return r;
	}
	v->start = addr;
	v->end = addr + len;
	v->prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
	v->flags = flags &
		(MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN | VMA_HEAP | VMA_STACK | VMA_VDSO |
			VMA_STUBS | MAP_LOCKED);
	if (vm.lock_future && !(flags & VMA_VDSO))
		v->flags |= MAP_LOCKED;
	v->file = file ? file_get(file) : NULL;
	v->pgoff = offset / PAGE_BYTES;
	vma_insert(&vm.tree, v);
	vm.mapped += len;
	vm_join(addr, addr + len);
	if (flags & (MAP_POPULATE | MAP_LOCKED) && prot & PROT_READ)
		vm_populate(addr, len);
	else if (file && flags & MAP_FIXED) /* by a program loader: a part of an object */
		vm_map_ahead(addr, addr + len);
	return (long)addr;
}

/* How far from start on every byte belongs to an area, at most to end. */
static uptr_t covered_to(uptr_t start, uptr_t end)
{
	const struct vma *v = vma_find(&vm.tree, start);

	for (; v && v->start <= start && start < end; v = v->next)
		start = v->end;
	return start < end ? start : end;
}

bool vm_covered(uptr_t start, uptr_t end)
{
	return covered_to(start, end) == end;
}

static bool may_protect(const struct vma *v, int prot)
{
	if (prot & PROT_WRITE && v->flags & VMA_VDSO)
		return false;
	return !(prot & PROT_WRITE && v->file && v->flags & MAP_SHARED &&
		(!(v->file->flags & FILE_ACCMODE) || file_sealed(v->file)));
}

/* PROT_GROWSDOWN: from the area's begin on, which must be one that grows. */
static int protect_from(uptr_t *addr, uint64_t *len)
{
	const struct vma *v = vma_find(&vm.tree, *addr);

	if (!v || v->start >= *addr + *len)
		return -ENOMEM;
	if (!(v->flags & MAP_GROWSDOWN))
		return -EINVAL;
	*len += *addr - v->start;
	*addr = v->start;
	return 0;
}

/* As Linux does it, areas in front of a hole are changed although the call fails. */
int vm_protect(uptr_t addr, uint64_t len, int prot)
{
	struct pt_flush flush = {0};
	uptr_t end;
	int r;

	if (addr & PAGE_MASK)
		return -EINVAL;
	if (!len)
		return 0;
	len = page_round_up(len);
	if (!len || !vm_range_ok(addr, len))
		return -ENOMEM;
	if (prot & PROT_GROWSDOWN) {
		r = protect_from(&addr, &len);
		if (r)
			return r;
	}
	end = covered_to(addr, addr + len);
	if (end == addr)
		return -ENOMEM;
	r = vm_split(addr, end);
	prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
	if (prot != (PROT_READ | PROT_EXEC))
		patch_forget(addr, end);
	for (struct vma *v = vma_find(&vm.tree, addr); !r && v && v->start < end; v = v->next) {
		if (!may_protect(v, prot)) {
			r = -EACCES;
		} else if (v->prot != prot) {
			v->prot = prot;
			reprotect(v, &flush);
		}
	}
	vm_join(addr, end);
	pt_flush_done(&flush);
	return r ? r : end == addr + len ? 0 : -ENOMEM;
}

bool vm_is_mapped(uptr_t addr, uint64_t len)
{
	len = page_round_up(len);
	return vm_range_ok(addr, len) && vm_covered(addr, addr + len);
}

void vm_unmap_file(struct inode *inode, uint64_t pgoff, uint64_t npages)
{
	struct pt_flush flush = {0};

	for (struct vma *v = vm.tree.first; v; v = v->next) {
		uint64_t first = v->pgoff, last = first + (v->end - v->start) / PAGE_BYTES, from,
			 to;

		if (!v->file || v->file->inode != inode)
			continue;
		from = pgoff > first ? pgoff : first;
		to = pgoff + npages;
		if (to > last || to < pgoff)
			to = last;
		if (from >= to)
			continue;
		from = v->start + (from - first) * PAGE_BYTES;
		to = v->start + (to - first) * PAGE_BYTES;
		patch_forget(from, to);
		vm_zap(from, to, &flush);
	}
	pt_flush_done(&flush);
}

/* Entries of one area that may be written become such that may not. */
static void clean(uptr_t start, uptr_t end, struct pt_flush *flush)
{
	for (uptr_t at = start; at < end;) {
		uint64_t next = end, *pte = pt_find(at, &next);

		if (!pte) {
			at = next;
			continue;
		}
		if (*pte & PTE_WRITE && *pte & PTE_PRESENT)
			pt_flush_add(flush, at);
		*pte &= ~(uint64_t)(PTE_WRITE | PTE_OWN);
		at += PAGE_BYTES;
	}
}

void vm_clean_file(struct inode *inode, uint64_t pgoff, uint64_t npages)
{
	struct pt_flush flush = {0};

	for (struct vma *v = vm.tree.first; v; v = v->next) {
		uint64_t first = v->pgoff, last = first + (v->end - v->start) / PAGE_BYTES;
		uint64_t from = pgoff > first ? pgoff : first;
		uint64_t to = pgoff + npages < last ? pgoff + npages : last;

		if (v->file && v->file->inode == inode && v->flags & MAP_SHARED && from < to)
			clean(v->start + (from - first) * PAGE_BYTES,
				v->start + (to - first) * PAGE_BYTES, &flush);
	}
	pt_flush_done(&flush);
}

/* Waiting, others may change the areas: the next one is looked for by address. */
int vm_writeback(uptr_t addr, uint64_t len, bool sync)
{
	uptr_t end = addr + page_round_up(len);
	int error = 0;

	while (addr < end) {
		const struct vma *v = vma_find(&vm.tree, addr);
		struct file *f;
		int rc;

		if (!v || v->start >= end)
			break;
		addr = v->end;
		if (!v->file || !(v->flags & MAP_SHARED) || !v->file->ops->writeback)
			continue;
		f = file_get(v->file);
		rc = sync ? f->ops->sync(f, true) : f->ops->writeback(f);
		error = error ? error : rc;
		file_put(f);
	}
	return error;
}

void vm_usage(uint64_t *mapped, uint64_t *resident)
{
	*mapped = vm.mapped;
	*resident = vm.resident * PAGE_BYTES;
}

/* ---- moving */

/* Moves entries; both ranges have the same length, the target is empty. */
static int move_entries(uptr_t from, uptr_t to, uint64_t len, struct pt_flush *flush)
{
	for (uint64_t off = 0; off < len;) {
		uint64_t next = from + len, *src = pt_find(from + off, &next), *dst;

		if (!src) {
			off = next - from;
			continue;
		}
		if (*src) {
			dst = pt_make(to + off);
			if (!dst)
				return -ENOMEM;
			*dst = *src;
			*src = 0;
			pt_flush_add(flush, from + off);
		}
		off += PAGE_BYTES;
	}
	return 0;
}

/* As vma at its old place, with another range. */
static struct vma *insert_copy(const struct vma *old, uptr_t start, uint64_t len)
{
	struct vma *v = kmalloc(sizeof(*v));

	if (!v)
		return NULL;
	*v = *old;
	v->start = start;
	v->end = start + len;
	if (v->file)
		file_get(v->file);
	vma_insert(&vm.tree, v);
	vm.mapped += len;
	return v;
}

static long move_area(struct vma *v, uint64_t old_len, uint64_t new_len, uptr_t to, bool keep)
{
	struct pt_flush flush = {0};
	uptr_t from = v->start;

	patch_forget(from, from + old_len);
	if (!insert_copy(v, to, new_len))
		return -ENOMEM;
	if (move_entries(from, to, old_len < new_len ? old_len : new_len, &flush)) {
		/* put back what was moved; tables for that exist */
		move_entries(to, from, old_len < new_len ? old_len : new_len, &flush);
		pt_flush_all(&flush);
		pt_flush_done(&flush);
		vm_unmap(to, new_len);
		return -ENOMEM;
	}
	pt_flush_done(&flush);
	if (!keep)
		vm_unmap(from, old_len);
	vm_join(to, to + new_len);
	return (long)to;
}

long vm_remap(uptr_t addr, uint64_t old_len, uint64_t new_len, int flags, uptr_t fixed_at)
{
	struct vma *v;
	uptr_t to;
	int r;

	old_len = page_round_up(old_len);
	if (addr & PAGE_MASK || !new_len || new_len > UIG_USER_TOP || !old_len)
		return -EINVAL;
	new_len = page_round_up(new_len);
	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
		(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
		(flags & MREMAP_DONTUNMAP && old_len != new_len))
		return -EINVAL;
	v = vma_find(&vm.tree, addr);
	if (!vm_range_ok(addr, old_len) || !v || v->start > addr || v->end < addr + old_len)
		return -EFAULT;
	if (new_len > old_len &&
		(!within_limit(new_len - old_len) ||
			overcommits(new_len - old_len, v->prot, v->flags)))
		return -ENOMEM;
	if (flags & MREMAP_FIXED) {
		if (!vm_range_ok(fixed_at, new_len) ||
			(fixed_at < addr + old_len && addr < fixed_at + new_len))
			return -EINVAL;
		r = vm_unmap(fixed_at, new_len);
		if (r)
			return r;
	} else if (flags & MREMAP_DONTUNMAP) {
		if (!within_limit(new_len))
			return -ENOMEM;
	} else if (new_len <= old_len) {
		r = new_len < old_len ? vm_unmap(addr + new_len, old_len - new_len) : 0;
		return r ? r : (long)addr;
	} else if (v->end == addr + old_len && vm_range_ok(addr, new_len) &&
		vma_is_free(&vm.tree, addr + old_len, addr + new_len)) {
		v->end = addr + new_len;
		vma_moved(&vm.tree, v);
		vm.mapped += new_len - old_len;
		vm_join(addr, addr + new_len);
		return (long)addr;
	} else if (!(flags & MREMAP_MAYMOVE)) {
		return -ENOMEM;
	}
	r = vm_split(addr, addr + old_len);
	if (r)
		return r;
	to = flags & MREMAP_FIXED ? fixed_at : choose(0, new_len, UIG_USER_TOP);
	if (!to)
		return -ENOMEM;
	return move_area(vma_find(&vm.tree, addr), old_len, new_len, to, flags & MREMAP_DONTUNMAP);
}

/* ---- brk */

void vm_set_brk(uptr_t start)
{
	vm.brk_start = vm.brk_end = page_round_up(start);
}

uptr_t vm_brk(uptr_t want)
{
	uint64_t old_top = page_round_up(vm.brk_end), new_top = page_round_up(want);

	if (want < vm.brk_start || want > UIG_USER_TOP ||
		want - vm.brk_start > rlimit_soft(RLIMIT_DATA))
		return vm.brk_end;
	if (new_top > old_top) {
		if (!vma_is_free(&vm.tree, old_top, new_top + PAGE_BYTES) ||
			vm_map(old_top, new_top - old_top, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_FIXED_NOREPLACE | VMA_HEAP, NULL, 0) < 0)
			return vm.brk_end;
		if (new_top - old_top <= BRK_AHEAD)
			vm_populate(old_top, new_top - old_top);
	} else if (new_top < old_top && vm_unmap(new_top, old_top - new_top)) {
		return vm.brk_end;
	}
	vm.brk_end = want;
	return want;
}
