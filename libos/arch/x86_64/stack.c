/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window lies in the GiB below UIG_VA_KERNEL: slots of 32 KiB, the upper half of each mapped. A stack that is given back
 * keeps its frames and is the first to be used again: threads come and go, and unmapping costs a flush.
 */
#include "libos/arch/x86_64/stack.h"

#include "libos/arch/x86_64/pt.h"
#include "libos/mem/page.h"

#define WINDOW     (UIG_VA_KERNEL - 0x40000000ull)
#define SLOT_BYTES 0x8000ull
#define SLOTS      16384u

static uint32_t used_slots;
static uint64_t free_top; /* first free stack; the word below its top is the next */

uint64_t stack_alloc(void)
{
	uint64_t top = free_top, at;

	if (top) {
		free_top = ((uint64_t *)top)[-1];
		return top;
	}
	if (used_slots == SLOTS)
		return 0;
	top = WINDOW + (used_slots + 1) * SLOT_BYTES;
	for (at = top - STACK_BYTES; at < top; at += PAGE_BYTES) {
		uint64_t *pte = pt_make(at);
		void *frame;

		if (!pte)
			return 0;
		if (*pte)
			continue; /* an earlier try that ran out of memory */
		frame = page_alloc_raw();
		if (!frame)
			return 0;
		*pte = page_gpa(frame) | PTE_KERNEL;
	}
	used_slots++;
	return top;
}

void stack_free(uint64_t top)
{
	((uint64_t *)top)[-1] = free_top;
	free_top = top;
}

bool stack_contains(const void *p)
{
	uint64_t at = (uint64_t)p;

	return at < cur_kstack_top - 16 && at >= cur_kstack_top - STACK_BYTES && !(at & 7);
}
