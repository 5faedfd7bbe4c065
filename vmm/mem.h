/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest-physical memory as the monitor sees it. The one place that turns a gpa_t into a pointer: everything
 * else of the monitor asks here, with the length, each time that an address comes from the guest.
 *
 * Threads: regions are added before the vCPU runs and stay until mem_fini(); reading needs no lock.
 */
#ifndef VMM_MEM_H
#define VMM_MEM_H

#include "abi/types.h"

#include <stdbool.h>

struct err;

#define MEM_REGIONS_MAX 4u
#define MEM_BACKED_MAX  64u

struct mem_region {
	gpa_t base;
	uint64_t bytes;
	uint8_t *hva;
	bool writable;
};

struct mem {
	unsigned nregions;
	struct mem_region region[MEM_REGIONS_MAX]; /* no two overlap */
	struct mem_map {
		void *addr; /* owned reservation */
		uint64_t bytes;
	} map[MEM_REGIONS_MAX];
	unsigned nmaps;
	/* Parts of the first reservation (RAM) that show a file, privately; ascending. */
	struct mem_backed {
		uint64_t offset, bytes;
	} backed[MEM_BACKED_MAX];
	unsigned nbacked;
};

void mem_init(struct mem *mem);
void mem_fini(struct mem *mem);

/* Reserves bytes of anonymous memory, aligned to 2 MiB, owned by mem until mem_fini(). Costs no memory until it is
 * touched. readable: PROT_READ|PROT_WRITE, else PROT_NONE (something is mapped over it later). Returns
 * the address or NULL with err set. */
void *mem_reserve(struct mem *mem, uint64_t bytes, bool readable, struct err *err);

/* Makes [base, base + bytes) known as guest memory at hva (borrowed). 0, -EINVAL when it overlaps or wraps,
 * -ENOSPC. */
int mem_add(struct mem *mem, gpa_t base, uint64_t bytes, void *hva, bool writable);

/* The pointer to bytes of guest memory at gpa that the guest itself may write, or NULL when any part is
 * outside, read-only, or spans two regions. bytes 0 is never valid. */
void *mem_at(const struct mem *mem, gpa_t gpa, uint64_t bytes);

/* The same for memory that is only read (the image too). */
const void *mem_at_ro(const struct mem *mem, gpa_t gpa, uint64_t bytes);

/* RAM as it was reserved, in one piece: offset n of it is byte n of the guest's RAM, without the device gap. NULL: none yet. */
void *mem_ram(const struct mem *mem, uint64_t *bytes);
/* All of RAM reads as zeros again. The guest does not run. 0 or -errno. */
int mem_clear_ram(struct mem *mem, bool huge_pages);
/* Shows bytes of the file from offset on at that offset of RAM: what the guest changes there is its own. Ascending. 0 or -errno. */
int mem_back_ram(struct mem *mem, uint64_t offset, uint64_t bytes, int fd);
/* Is that offset of RAM backed so? */
bool mem_is_backed(const struct mem *mem, uint64_t offset);
/* Whole pages of RAM that the guest does not need any more: they read as zeros then. While it runs too. 0 or -errno. */
int mem_discard(const struct mem *mem, gpa_t gpa, uint64_t bytes);

#endif
