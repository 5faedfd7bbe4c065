/* SPDX-License-Identifier: Apache-2.0 */
/* Both pages are the libOS's own, read-only constants and data of libos.elf: page tables alone make them visible. */
#include "libos/vdso/vdso.h"

#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/vma.h"
#include "libos/sched/clock.h"

extern const char vdso_image[];

void *vdso_frame(uint64_t n)
{
	uint64_t at = n ? (uint64_t)clock_page : (uint64_t)vdso_image;

	return page_ptr(at - UIG_VA_KERNEL);
}

int vdso_map(uptr_t at)
{
	const int flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_POPULATE | VMA_VDSO;
	long r = vm_map(at, PAGE_BYTES, PROT_READ | PROT_EXEC, flags, NULL, 0);

	if (r >= 0)
		r = vm_map(at + PAGE_BYTES, PAGE_BYTES, PROT_READ, flags, NULL, PAGE_BYTES);
	return r < 0 ? (int)r : 0;
}
