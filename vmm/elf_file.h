/* SPDX-License-Identifier: Apache-2.0 */
/* What the two loaders (libOS, kernels) read of an ELF file alike: every number of it is checked before it is used. */
#ifndef VMM_ELF_FILE_H
#define VMM_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

/* Reads len bytes at offset. 0 or -errno; a short file is an error. */
typedef int elf_read_fn(void *arg, uint64_t offset, void *buf, uint64_t len);
elf_read_fn elf_read_fd; /* of a file: arg is an int * */

/* Opens a regular file. Its descriptor (caller owns) and size, or -errno with err. */
int elf_open(const char *path, uint64_t *bytes, struct err *err);

/* offset and len lie within limit; nothing overflows. */
static inline bool elf_inside(uint64_t offset, uint64_t len, uint64_t limit)
{
	return offset <= limit && len <= limit - offset;
}

/* The header of an x86-64 file whose program headers (phdrs_max of them at most) lie in it. 0, or -ENOEXEC with err. */
int elf_read_header(elf_read_fn *read, void *arg, uint64_t file_bytes, unsigned phdrs_max,
	Elf64_Ehdr *eh, struct err *err);
/* A segment's bytes lie in the file and, by p_paddr, in [low, ram_bytes) of the guest's memory. 0, or -ENOEXEC with err. */
int elf_check_segment(const Elf64_Phdr *ph, uint64_t file_bytes, uint64_t low, uint64_t ram_bytes,
	struct err *err);

/* Calls fn for each whole note in n bytes, until it returns true; what it returned last. desc has nh->n_descsz bytes. */
typedef bool elf_note_fn(void *arg, const Elf64_Nhdr *nh, const uint8_t *name, const uint8_t *desc);
bool elf_each_note(const uint8_t *notes, uint64_t n, elf_note_fn *fn, void *arg);
/* The note has this name. */
bool elf_note_is(const Elf64_Nhdr *nh, const uint8_t *name, const char *wanted);

#endif
