/* SPDX-License-Identifier: Apache-2.0 */
/* mremap: grow, shrink, move, and what is refused. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define PA (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void)
{
	char *area = mmap(NULL, 64 * PAGE, PROT_NONE, PA, -1, 0);
	char *p = mmap(area, 4 * PAGE, RW, PA | MAP_FIXED, -1, 0);
	char *q;

	NEED(area != MAP_FAILED && p == area);
	fill_pattern(p, 4 * PAGE, 5);
	SHOW_OK(mremap(p, 4 * PAGE, 8 * PAGE, 0)); /* the rest of area is in the way */
	SHOW(munmap(area + 4 * PAGE, 60 * PAGE));
	ASK(mremap(p, 4 * PAGE, 8 * PAGE, 0) == p);
	ASK(all_bytes(p + 4 * PAGE, 4 * PAGE, 0));
	p[8 * PAGE - 1] = 'x';
	NEED(mmap(area + 8 * PAGE, PAGE, RW, PA | MAP_FIXED, -1, 0) == area + 8 * PAGE);
	q = mremap(p, 8 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	ASK(q != MAP_FAILED && q != p);
	ASK(q[8 * PAGE - 1] == 'x' && all_bytes(q + 8 * PAGE, 92 * PAGE, 0));
	SHOW(mprotect(p, PAGE, PROT_READ));
	ASK(mremap(q, 100 * PAGE, 2 * PAGE, 0) == q);
	SHOW(mprotect(q + 2 * PAGE, PAGE, PROT_READ));
	ASK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 20 * PAGE) ==
		area + 20 * PAGE);
	q = area + 20 * PAGE;
	{
		char want[2 * PAGE];

		fill_pattern(want, sizeof(want), 5);
		ASK(memcmp(q, want, sizeof(want)) == 0);
	}
	SHOW_OK(mremap(q + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	SHOW_OK(mremap(q, PAGE, 0, MREMAP_MAYMOVE));
	SHOW_OK(mremap(q, PAGE, PAGE, 0x100));
	SHOW_OK(mremap(q, PAGE, PAGE, MREMAP_FIXED, area));
	SHOW_OK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE));
	SHOW_OK(mremap(area + 40 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	return 0;
}
