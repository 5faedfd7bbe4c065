/* SPDX-License-Identifier: Apache-2.0 */
/* The needs of an ELF file from bytes. */
#include "cli/image/elf.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct elf_needs needs;
	struct err err = {0};

	elf_needs(data, size, &needs, &err);
	return 0;
}
