/* SPDX-License-Identifier: Apache-2.0 */
/* ELF headers of a program or interpreter, checked and reduced to what has to be mapped. The bytes are hostile. */
#ifndef LIBOS_EXEC_ELF_H
#define LIBOS_EXEC_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_HEADER_BYTES 4096u /* ELF header and program headers lie in the first page */
#define ELF_SEGMENTS_MAX 16u
#define ELF_INTERP_MAX   256u

struct elf_segment {
	uint64_t vaddr, file_bytes, mem_bytes,
		offset; /* vaddr and offset agree in the page offset */
	int prot;
};

struct elf_plan {
	bool pie;             /* addresses are relative to a base that the loader chooses */
	uint64_t entry, phdr; /* addresses; phdr 0: program headers are in no segment */
	uint16_t phnum;
	uint64_t low, high; /* of all segments, page-aligned */
	uint64_t interp_off;
	uint32_t interp_bytes; /* with its NUL; 0: static */
	bool exec_stack;
	unsigned nsegments;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/* header: the first n bytes of a file of file_bytes. 0 or -ENOEXEC. */
int elf_plan(struct elf_plan *plan, const void *header, size_t n, uint64_t file_bytes);

#endif
