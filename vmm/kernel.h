/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF kernels of a standard boot: reading their headers, which are outside bytes, and putting them into guest memory. Only static
 * executables that say where they are to lie; compressed kernels (bzImage) are not unpacked.
 *
 * Specification: System V ABI (ELF-64), Xen public/elfnote.h for the PVH note.
 */
#ifndef VMM_KERNEL_H
#define VMM_KERNEL_H

#include "abi/types.h"
#include "vmm/loader.h"

#define KERNEL_SEGMENTS_MAX 16u
#define KERNEL_LOW          0x100000ull /* nothing of it may lie below 1 MiB */

struct kernel_plan {
	unsigned nsegments;
	struct kernel_segment {
		uint64_t offset, file_bytes;
		gpa_t gpa;
		uint64_t mem_bytes;
	} segment[KERNEL_SEGMENTS_MAX];
	gpa_t end;
	gpa_t entry;     /* 64-bit */
	gpa_t pvh_entry; /* 32-bit; 0: no such note */
	bool libos;      /* it has our note */
};

/* Checks the headers of a kernel of file_bytes bytes for RAM up to ram_bytes. 0 or -ENOEXEC with the reason. */
int kernel_plan(elf_read_fn *read, void *arg, uint64_t file_bytes, uint64_t ram_bytes,
	struct kernel_plan *plan, struct err *err);

/* The plan of a file; with mem, loads it too. 0 or -errno. */
int kernel_load(const char *path, const struct mem *mem, uint64_t ram_bytes,
	struct kernel_plan *plan, struct err *err);

#endif
