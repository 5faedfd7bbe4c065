/* SPDX-License-Identifier: Apache-2.0 */
/* The search is linear: a VM has at most four regions, and the first one is nearly always the right one. */
#include "vmm/mem.h"

#include "lib/err.h"
#include "lib/util.h"

#include <errno.h>
#include <sys/mman.h>

#define MEM_ALIGN_BYTES (2 * MIB)

void mem_init(struct mem *mem)
{
	*mem = (struct mem){0};
}

void mem_fini(struct mem *mem)
{
	for (unsigned i = 0; i < mem->nmaps; i++)
		munmap(mem->map[i].addr, mem->map[i].bytes);
	mem_init(mem);
}

void *mem_reserve(struct mem *mem, uint64_t bytes, bool readable, struct err *err)
{
	int prot = readable ? PROT_READ | PROT_WRITE : PROT_NONE;
	uint64_t total = bytes + MEM_ALIGN_BYTES;
	uintptr_t start, aligned;
	void *addr;

	if (mem->nmaps == MEM_REGIONS_MAX || bytes == 0 || total < bytes) {
		err_set(err, EINVAL, "guest memory of %llu bytes", (unsigned long long)bytes);
		return NULL;
	}
	addr = mmap(NULL, total, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (addr == MAP_FAILED) {
		err_sys(err, errno, "reserve %llu bytes of guest memory",
			(unsigned long long)bytes);
		return NULL;
	}
	/* The ends are given back, so that the reservation is exactly what the guest has. */
	start = (uintptr_t)addr;
	aligned = (start + MEM_ALIGN_BYTES - 1) & ~(uintptr_t)(MEM_ALIGN_BYTES - 1);
	if (aligned > start)
		munmap(addr, aligned - start);
	if (start + total > aligned + bytes)
		munmap((void *)(aligned + bytes), start + total - aligned - bytes);
	mem->map[mem->nmaps++] = (struct mem_map){.addr = (void *)aligned, .bytes = bytes};
	return (void *)aligned;
}

int mem_add(struct mem *mem, gpa_t base, uint64_t bytes, void *hva, bool writable)
{
	if (bytes == 0 || base + bytes < base)
		return -EINVAL;
	for (unsigned i = 0; i < mem->nregions; i++) {
		const struct mem_region *r = &mem->region[i];

		if (base < r->base + r->bytes && r->base < base + bytes)
			return -EINVAL;
	}
	if (mem->nregions == MEM_REGIONS_MAX)
		return -ENOSPC;
	mem->region[mem->nregions++] = (struct mem_region){base, bytes, hva, writable};
	return 0;
}

static uint8_t *find(const struct mem *mem, gpa_t gpa, uint64_t bytes, bool write)
{
	for (unsigned i = 0; i < mem->nregions; i++) {
		const struct mem_region *r = &mem->region[i];

		if (gpa < r->base || gpa - r->base >= r->bytes)
			continue;
		if (bytes == 0 || bytes > r->bytes - (gpa - r->base) || (write && !r->writable))
			return NULL;
		return r->hva + (gpa - r->base);
	}
	return NULL;
}

void *mem_at(const struct mem *mem, gpa_t gpa, uint64_t bytes)
{
	return find(mem, gpa, bytes, true);
}

const void *mem_at_ro(const struct mem *mem, gpa_t gpa, uint64_t bytes)
{
	return find(mem, gpa, bytes, false);
}

void *mem_ram(const struct mem *mem, uint64_t *bytes)
{
	if (mem->nmaps == 0)
		return NULL;
	*bytes = mem->map[0].bytes;
	return mem->map[0].addr;
}

int mem_clear_ram(struct mem *mem, bool huge_pages)
{
	uint64_t bytes = 0;
	void *ram = mem_ram(mem, &bytes);

	if (!ram ||
		mmap(ram, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
			0) == MAP_FAILED)
		return ram ? -errno : -EINVAL;
	madvise(ram, bytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	mem->nbacked = 0;
	return 0;
}

int mem_back_ram(struct mem *mem, uint64_t offset, uint64_t bytes, int fd)
{
	uint64_t all = 0;
	uint8_t *ram = mem_ram(mem, &all);

	if (!ram || offset > all || bytes > all - offset || mem->nbacked == MEM_BACKED_MAX)
		return -EINVAL;
	if (mmap(ram + offset, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED)
		return -errno;
	mem->backed[mem->nbacked++] = (struct mem_backed){offset, bytes};
	return 0;
}

static bool backs(const struct mem *mem, uint64_t offset, uint64_t bytes)
{
	for (unsigned i = 0; i < mem->nbacked; i++) {
		const struct mem_backed *b = &mem->backed[i];

		if (offset < b->offset + b->bytes && b->offset < offset + bytes)
			return true;
	}
	return false;
}

bool mem_is_backed(const struct mem *mem, uint64_t offset)
{
	return backs(mem, offset, 1);
}

/* Where a file lies below, the memory that is given back would show it again. */
int mem_discard(const struct mem *mem, gpa_t gpa, uint64_t bytes)
{
	uint8_t *at = mem_at(mem, gpa, bytes);
	uint64_t all = 0;
	const uint8_t *ram = mem_ram(mem, &all);

	if (!at)
		return -EINVAL;
	if (!ram || at < ram || at >= ram + all || !backs(mem, (uint64_t)(at - ram), bytes))
		return madvise(at, bytes, MADV_DONTNEED) < 0 ? -errno : 0;
	return mmap(at, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED
		? -errno
		: 0;
}
