/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program or library needs of others: its loader (PT_INTERP) and its libraries (DT_NEEDED). The file is outside
 * input: every offset is checked, counts and lengths have limits.
 */
#ifndef CLI_IMAGE_ELF_H
#define CLI_IMAGE_ELF_H

#include "lib/err.h"

#include <stdbool.h>

#define ELF_NEEDED_MAX 128
#define ELF_NAME_BYTES 256

struct elf_needs {
	char loader[ELF_NAME_BYTES]; /* "": static, or a library */
	char runpath[1024];          /* DT_RUNPATH, else DT_RPATH; "" */
	unsigned int nneeded;
	char needed[ELF_NEEDED_MAX][ELF_NAME_BYTES];
};

/* Reads an ELF file's bytes. -ENOEXEC: not an x86-64 Linux ELF program or library, or a broken one. */
int elf_needs(const void *data, size_t len, struct elf_needs *needs, struct err *err);
/* The same from a descriptor. */
int elf_needs_fd(int fd, struct elf_needs *needs, struct err *err);

#endif
