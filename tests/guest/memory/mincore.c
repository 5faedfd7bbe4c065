/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages are there. */
#include "tests/guest/guest.h"

int main(void)
{
	unsigned char in[8];
	/* Neighbours may come along, so the pages that are asked for lie far from each other. */
	const size_t far = 4ul << 20;
	char *p = mmap(NULL, 4 * far, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED && madvise(p, 4 * far, MADV_NOHUGEPAGE) == 0);
	p[0] = p[2 * far] = 1;
	memset(in, 0xff, sizeof(in));
	for (size_t i = 0; i < 4; i++)
		NEED(mincore(p + i * far, PAGE, in + i) == 0);
	say("%d %d %d %d %d\n", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1, in[4]);
	SHOW(mincore(p, 1, in));
	SHOW(mincore(p, 0, in));
	SHOW(mincore(p + 1, PAGE, in));
	SHOW(mincore(p, PAGE, BAD_PTR));
	SHOW(mincore(p, PAGE, BAD_KERNEL));
	SHOW(mincore(BAD_KERNEL, PAGE, in));
	SHOW(mincore(p, -1ul, in));
	SHOW(munmap(p + PAGE, PAGE));
	SHOW(mincore(p, 4 * PAGE, in));
	SHOW(mincore(p + PAGE, PAGE, in));
	SHOW(madvise(p, PAGE, MADV_DONTNEED));
	SHOW(mincore(p, PAGE, in));
	say("%d\n", in[0] & 1);
	return 0;
}
