/* SPDX-License-Identifier: Apache-2.0 */
/* MAP_POPULATE, MAP_LOCKED, MAP_STACK, MAP_NORESERVE, MAP_32BIT and hints. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define PA (MAP_PRIVATE | MAP_ANONYMOUS)
int main(void)
{
	unsigned char in[4] = {0};
	char *p = mmap(NULL, 4 * PAGE, RW, PA | MAP_POPULATE, -1, 0), *q;

	NEED(p != MAP_FAILED);
	SHOW(mincore(p, 4 * PAGE, in));
	say("%d %d\n", in[0] & 1, in[3] & 1);
	SHOW_OK(mmap(NULL, PAGE, RW, PA | MAP_LOCKED, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, RW, PA | MAP_STACK | MAP_NORESERVE, -1, 0));
	q = mmap(NULL, PAGE, RW, PA | MAP_32BIT, -1, 0);
	ASK(q != MAP_FAILED && (uintptr_t)q < 1ul << 31);
	q = mmap((void *)0x50000000ul, PAGE, RW, PA | MAP_32BIT, -1, 0);
	ASK(q == (void *)0x50000000ul);
	q = mmap((void *)0x123456788000ul, PAGE, RW, PA | MAP_32BIT, -1, 0);
	ASK(q != MAP_FAILED && (uintptr_t)q < 1ul << 31);
	q = mmap((void *)0x123456789000ul, PAGE, RW, PA, -1, 0);
	ASK(q == (void *)0x123456789000ul);
	ASK(mmap((void *)0x123456789000ul, PAGE, RW, PA, -1, 0) != q);
	ASK(mmap((void *)0x123456790123ul, PAGE, RW, PA, -1, 0) == (void *)0x123456790000ul);
	ASK(mmap(BAD_PTR, PAGE, RW, PA, -1, 0) != MAP_FAILED);
	SHOW_OK(mmap(NULL, PAGE, RW, PA | MAP_DENYWRITE | MAP_EXECUTABLE, -1, 0));
	SHOW_OK(mmap(NULL, PAGE, RW, PA, 99, 0)); /* the descriptor is not looked at */
	SHOW_OK(mmap(NULL, PAGE, RW, PA, -1, (off_t)PAGE));
	return 0;
}
