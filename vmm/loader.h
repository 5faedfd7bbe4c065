/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libos.elf: reading its headers (they are outside bytes: everything is checked against the file and against
 * the guest's memory) and putting it into guest memory. Pages of read-only segments are mapped from the
 * file, privately, so that all instances share them through the page cache; the rest is read in.
 *
 * Specification: System V ABI (ELF-64), abi/boot.h for the note.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include "abi/boot.h"
#include "vmm/elf_file.h"

#include <stdbool.h>

struct err;
struct mem;

#define ELF_SEGMENTS_MAX 8u
#define ELF_PHDRS_MAX    16u
#define ELF_NOTES_BYTES  4096u /* most bytes of one PT_NOTE that are looked at */
#define ELF_BUILD_ID_MAX 32u

struct elf_segment {
	uint64_t offset, file_bytes; /* in the file */
	gpa_t gpa;
	uint64_t mem_bytes; /* >= file_bytes; the rest is zero */
	bool writable, executable;
};

struct elf_plan {
	unsigned nsegments;
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* ascending by gpa, no overlap */
	gpa_t end;                                    /* behind the last byte */
	struct uig_libos_note note; /* checked: addresses lie inside the segments */
	uint32_t build_id_bytes;    /* 0: it has none */
	uint8_t build_id[ELF_BUILD_ID_MAX];
};

/* Checks the headers of a libOS of file_bytes bytes that is to run in RAM of ram_bytes (below the device gap).
 * 0, or -ENOEXEC with the reason in err; plan is untouched then. */
int elf_plan(elf_read_fn *read, void *arg, uint64_t file_bytes, uint64_t ram_bytes,
	struct elf_plan *plan, struct err *err);

/* Opens path and plans it. A descriptor (caller owns) or -errno. */
int libos_plan(const char *path, uint64_t ram_bytes, struct elf_plan *plan, struct err *err);
/* The same, and loads it. 0 or -errno. */
int libos_load(const char *path, const struct mem *mem, uint64_t ram_bytes, struct elf_plan *plan,
	struct err *err);

#endif
