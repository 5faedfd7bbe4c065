/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a program's headers: what is accepted has to be mappable as it stands. */
#include "tests/unit/libos/core/core.h"

#include "libos/exec/elf.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *header = malloc(size ? size : 1); /* exactly, for ASan to watch its end */
	uint64_t file_bytes = size < 8 ? size : size * 16, last = 0;
	struct elf_plan plan;

	if (size)
		memcpy(header, data, size);
	if (!elf_plan(&plan, header, size, file_bytes)) {
		if (!plan.nsegments || plan.nsegments > ELF_SEGMENTS_MAX || plan.high <= plan.low)
			abort();
		for (unsigned i = 0; i < plan.nsegments; i++) {
			const struct elf_segment *s = &plan.segment[i];

			if (s->vaddr < last || s->file_bytes > s->mem_bytes ||
				s->vaddr + s->mem_bytes > UIG_USER_TOP ||
				s->offset + s->file_bytes > file_bytes)
				abort();
			last = page_round_up(s->vaddr + s->mem_bytes);
		}
		if (plan.interp_bytes > ELF_INTERP_MAX ||
			plan.interp_off + plan.interp_bytes > file_bytes)
			abort();
	}
	free(header);
	return 0;
}
