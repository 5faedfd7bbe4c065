/* SPDX-License-Identifier: Apache-2.0 */
/* Anonymous memory: zeroed, independent, and every argument that must be refused. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define PA (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void)
{
	char *p = mmap(NULL, 16 * PAGE, RW, PA, -1, 0);

	NEED(p != MAP_FAILED);
	ASK((uintptr_t)p % PAGE == 0);
	ASK(all_bytes(p, 16 * PAGE, 0));
	memset(p, 0x5a, 16 * PAGE);
	ASK(all_bytes(p, 16 * PAGE, 0x5a));
	SHOW(munmap(p, 16 * PAGE));
	SHOW(munmap(p, 16 * PAGE));
	p = mmap(NULL, PAGE, RW, PA, -1, 0);
	ASK(all_bytes(p, PAGE, 0));
	SHOW(munmap(p + 1, PAGE));
	SHOW(munmap(p, 0));
	SHOW(munmap(BAD_KERNEL, PAGE));
	SHOW_OK(mmap(NULL, 1, RW, PA, -1, 0));
	SHOW_OK(mmap(NULL, 0, RW, PA, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, RW, MAP_PRIVATE, 0, 1));
	SHOW_OK(mmap(NULL, 1ul << 60, RW, PA, -1, 0));
	SHOW_OK(mmap(NULL, (size_t)-1, RW, PA, -1, 0));
	SHOW_OK(mmap((void *)4097, PAGE, RW, PA | MAP_FIXED, -1, 0));
	SHOW_OK(mmap(BAD_KERNEL, PAGE, RW, PA | MAP_FIXED, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_NONE, PA | MAP_NORESERVE | MAP_STACK, -1, 0));
	p = mmap(NULL, 4 * PAGE, RW, PA | MAP_POPULATE, -1, 0);
	ASK(p != MAP_FAILED && all_bytes(p, 4 * PAGE, 0));
	return 0;
}
