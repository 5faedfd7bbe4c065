/* SPDX-License-Identifier: Apache-2.0 */
/* The list is copied before it is looked at. What the answer counts is gone for sure; a range that is refused ends the list. */
#include "vmm/giveback.h"

#include "abi/platform.h"
#include "vmm/mem.h"

#include <string.h>

#define PAGE_BYTES 4096u

static int discard(const struct mem *mem, const struct uig_free_range *range)
{
	if (range->base % PAGE_BYTES || range->bytes % PAGE_BYTES)
		return -1;
	return mem_discard(mem, range->base, range->bytes);
}

uint64_t giveback_serve(const struct mem *mem, gpa_t list)
{
	struct uig_free_list *shared = mem_at(mem, list, sizeof(*shared)), copy;
	uint64_t bytes = 0;
	uint32_t n;

	if (!shared || list % PAGE_BYTES)
		return 0;
	memcpy(&copy, shared, sizeof(copy));
	if (copy.count > UIG_FREE_RANGES)
		return 0;
	for (n = 0; n < copy.count && discard(mem, &copy.range[n]) == 0; n++)
		bytes += copy.range[n].bytes;
	__atomic_store_n(&shared->done, n, __ATOMIC_RELEASE);
	return bytes;
}
