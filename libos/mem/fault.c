/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults. A fault costs more than filling some entries (a trap and the look at CR2: about 11 us where ring 0 is emulated), so
 * neighbours are mapped along: anonymous frames, because a frame that nobody touches takes no host memory, and pages of files that are only read.
 * Writing to a private page of a file copies that page alone.
 */
#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/mem/vm_impl.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/limits.h"
#include "libos/vdso/vdso.h"

/*
 * By measurement (touching 4,096 new pages where page tables are shadowed, us a page): 28-46 without neighbours, 12-18 with 16 KiB,
 * 9 with 64 KiB, 7 with 256 KiB, 7 with 1 MiB. Frames are only plentiful while less than half of RAM is taken.
 */
#define RESERVE_FRAMES                                                                             \
	128u /* not for the program: what the libOS needs to tell of it and to end well */
#define AROUND_MOST (256 * 1024ull)
#define AROUND_SOME (64 * 1024ull)
#define AROUND_FILE (512 * 1024ull)
#define AHEAD_READ  (2 * 1024 * 1024ull) /* of a new mapping: an entry takes 30 ns, a fault 10 us */
#define AHEAD_WRITE (64 * 1024ull)
#define AHEAD_COPY                                                                                 \
	8u /* pages, when a file's private memory is written from page to page (relocation) */

#define GROW_GAP (256 * PAGE_BYTES) /* stack_guard_gap of Linux */

static uint64_t around_anon(void)
{
	uint64_t left = page_free_count();

	if (left > page_total() / 2)
		return AROUND_MOST;
	return left > page_total() / 8 ? AROUND_SOME : PAGE_BYTES;
}

/* The aligned window around addr, cut to the area and to one table. */
static void window(const struct vma *v, uptr_t addr, uint64_t bytes, uptr_t *lo, uptr_t *hi)
{
	*lo = addr & ~(bytes - 1);
	*hi = *lo + bytes;
	if (*lo < v->start)
		*lo = v->start;
	if (*hi > v->end)
		*hi = v->end;
}

static void install(uint64_t *pte, const struct vma *v, void *frame, bool writable)
{
	if (page_is_ram(frame))
		vm.resident++;
	*pte = page_gpa(frame) | vm_pte_flags(v, writable) | (writable ? PTE_OWN : 0);
}

static int fault_anon(const struct vma *v, uptr_t addr, uint64_t *pte)
{
	uptr_t lo, hi;
	void *frame = page_free_count() > RESERVE_FRAMES ? page_alloc() : NULL;

	if (!frame)
		return -ENOMEM;
	install(pte, v, frame, true);
	window(v, addr, around_anon(), &lo, &hi);
	pte -= (addr - lo) / PAGE_BYTES;
	for (; lo < hi; lo += PAGE_BYTES, pte++) {
		if (*pte)
			continue;
		frame = page_alloc();
		if (!frame)
			return 0;
		install(pte, v, frame, true);
	}
	return 0;
}

static uint64_t page_number(const struct vma *v, uptr_t addr)
{
	return v->pgoff + (addr - v->start) / PAGE_BYTES;
}

/* how: GET_PAGE_CACHED, or 0: then nobody else runs meanwhile, should the file have to fetch it. */
static int file_page(const struct vma *v, uptr_t addr, bool write, unsigned how, void **frame)
{
	uint64_t pgoff = page_number(v, addr);
	int r;

	if (v->flags & VMA_VDSO) {
		*frame = vdso_frame(pgoff);
		return 0;
	}
	if (!v->file->ops->get_page)
		return -EIO;
	if (v->flags & MAP_SHARED)
		how |= GET_PAGE_SHARED | (write ? GET_PAGE_WRITE : 0);
	r = v->file->ops->get_page(v->file, pgoff, how, frame);
	return r == -ENOMEM ? r : r < 0 ? -EIO : 0;
}

/* A private page for writing: a copy, made from the page that is mapped or from the file's. */
static int copy_page(const struct vma *v, uptr_t addr, uint64_t *pte)
{
	struct pt_flush flush = {0};
	uint64_t old = *pte;
	void *from, *copy = page_free_count() > RESERVE_FRAMES ? page_alloc_raw() : NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (old) {
		from = page_ptr(old & PTE_FRAME);
	} else {
		r = file_page(v, addr, false, 0, &from);
		if (r) {
			page_put(copy);
			return r;
		}
	}
	memcpy(copy, from, PAGE_BYTES);
	if (page_is_ram(from)) {
		page_put(from);
		vm.resident -= old ? 1 : 0;
	}
	install(pte, v, copy, true);
	if (old & PTE_PRESENT) {
		pt_flush_add(&flush, addr);
		pt_flush_done(&flush);
	}
	return 0;
}

void *vm_own_page(const struct vma *v, uptr_t addr)
{
	uint64_t *pte = pt_find(addr, NULL);

	if (!pte || !(*pte & PTE_PRESENT) ||
		(!(*pte & PTE_OWN) && copy_page(v, page_round_down(addr), pte)))
		return NULL;
	return page_ptr(*pte & PTE_FRAME);
}

/* Neighbours of a file page that is only read. Private pages that may be written are left: they would be mapped twice. */
static void map_around(const struct vma *v, uptr_t addr, uint64_t *pte)
{
	uptr_t lo, hi;
	void *frame;

	if (v->prot & PROT_WRITE)
		return;
	window(v, addr, AROUND_FILE, &lo, &hi);
	pte -= (addr - lo) / PAGE_BYTES;
	for (; lo < hi; lo += PAGE_BYTES, pte++) {
		if (*pte)
			continue;
		if (file_page(v, lo, false, GET_PAGE_CACHED, &frame)) {
			if (lo > addr)
				return;
			continue;
		}
		install(pte, v, frame, false);
	}
}

/* The page in front was copied too: the next ones will be. */
static void copy_ahead(const struct vma *v, uptr_t addr, uint64_t *pte)
{
	if (addr == v->start || v->file->ops->copied || !((uintptr_t)pte & PAGE_MASK) ||
		!(pte[-1] & PTE_OWN))
		return;
	for (unsigned i = 0; i < AHEAD_COPY; i++) {
		addr += PAGE_BYTES;
		pte++;
		if (addr >= v->end || !((uintptr_t)pte & PAGE_MASK) || *pte ||
			copy_page(v, addr, pte))
			return;
	}
}

void vm_map_ahead(uptr_t addr, uptr_t end)
{
	const struct vma *v = vma_find(&vm.tree, addr);
	bool write = v && v->prot & PROT_WRITE;
	uint64_t most = write ? AHEAD_WRITE : AHEAD_READ;

	if (!v || v->start > addr || !v->file || v->file->ops->copied || v->flags & MAP_SHARED ||
		!v->prot)
		return;
	if (end - addr > most)
		end = addr + most;
	for (; addr < end; addr += PAGE_BYTES) {
		uint64_t *pte = pt_make(addr);
		void *frame;

		if (!pte)
			return;
		if (*pte)
			continue;
		if (write ? copy_page(v, addr, pte)
			  : file_page(v, addr, false, GET_PAGE_CACHED, &frame))
			return;
		if (!write)
			install(pte, v, frame, false);
	}
}

static int fault_file(const struct vma *v, uptr_t addr, bool write, uint64_t *pte)
{
	struct pt_flush flush = {0};
	uint64_t old = *pte;
	void *frame;
	int r;

	if (write && !(v->flags & MAP_SHARED)) {
		r = copy_page(v, addr, pte);
		if (!r)
			copy_ahead(v, addr, pte);
		return r;
	}
	r = file_page(v, addr, write, 0, &frame);
	if (r)
		return r;
	if (old) { /* shared, was mapped for reading: the file may have moved it to a frame of its own */
		void *was = page_ptr(old & PTE_FRAME);

		if (page_is_ram(was)) {
			page_put(was);
			vm.resident--;
		}
		if (old & PTE_PRESENT && was != frame)
			pt_flush_add(&flush, addr);
	}
	install(pte, v, frame, write);
	pt_flush_done(&flush);
	if (!write)
		map_around(v, addr, pte);
	return 0;
}

static bool allowed(const struct vma *v, bool write, bool exec)
{
	if (write)
		return v->prot & PROT_WRITE;
	if (exec)
		return v->prot & PROT_EXEC;
	return v->prot;
}

/* An area that grows down takes in the page, as long as it keeps its distance from what lies below and its limit. */
static bool grow_down(struct vma *v, uptr_t addr)
{
	uptr_t below = v->prev ? v->prev->end : VMA_MIN;

	if (!(v->flags & MAP_GROWSDOWN) || addr < below ||
		v->end - addr > rlimit_soft(RLIMIT_STACK))
		return false;
	if (v->prev && v->prev->prot && !(v->prev->flags & MAP_GROWSDOWN) &&
		addr - below < GROW_GAP)
		return false;
	vm.mapped += v->start - addr;
	v->start = addr;
	vma_moved(&vm.tree, v);
	return true;
}

/* Has the page fetched while other threads run, which may change all that is mapped; what is wrong with it shows later. */
static void fetch(uptr_t addr)
{
	const struct vma *v = vma_find(&vm.tree, addr);
	struct file *f = v && v->start <= addr ? v->file : NULL;
	void *frame;

	if (!f || !f->ops->copied || !f->ops->get_page)
		return;
	file_get(f);
	if (!f->ops->get_page(f, page_number(v, addr), GET_PAGE_BLOCK, &frame))
		page_put(frame);
	file_put(f);
}

int vm_fault(uptr_t addr, bool write, bool exec, bool block, bool *accerr)
{
	struct vma *v;
	uint64_t *pte;

	if (block)
		fetch(addr);
	v = vma_find(&vm.tree, addr);
	*accerr = false;
	addr = page_round_down(addr);
	if (!v || (v->start > addr && !grow_down(v, addr)))
		return -EFAULT;
	if (!allowed(v, write, exec)) {
		*accerr = true;
		return -EFAULT;
	}
	process.minor_faults++;
	pte = pt_make(addr);
	if (!pte)
		return -ENOMEM;
	if (*pte & PTE_PRESENT && (!write || *pte & PTE_WRITE))
		return 0; /* mapped meanwhile, by a neighbour's fault */
	if (!v->file && !(v->flags & VMA_VDSO))
		return fault_anon(v, addr, pte);
	return fault_file(v, addr, write, pte);
}

void vm_populate(uptr_t addr, uint64_t len)
{
	bool accerr;

	for (uptr_t at = addr; at < addr + len; at += PAGE_BYTES) {
		const struct vma *v = vma_find(&vm.tree, at);
		const uint64_t *pte = pt_find(at, NULL);

		if (pte && *pte & PTE_PRESENT)
			continue;
		if (!v || vm_fault(at, v->prot & PROT_WRITE, false, false, &accerr))
			return;
	}
}
