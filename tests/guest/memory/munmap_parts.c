/* SPDX-License-Identifier: Apache-2.0 */
/* munmap of the middle, over holes and over several mappings; what it refuses. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define PA (MAP_PRIVATE | MAP_ANONYMOUS)
static char *area;
static void picture(void)
{
	unsigned char in[1];
	char line[17] = "";

	for (int i = 0; i < 16; i++)
		line[i] = mincore(area + i * (long)PAGE, PAGE, in) == 0 ? '#' : '.';
	say("%s\n", line);
}
int main(void)
{
	area = mmap(NULL, 16 * PAGE, RW, PA, -1, 0);
	NEED(area != MAP_FAILED);
	memset(area, 7, 16 * PAGE);
	SHOW(munmap(area + 4 * PAGE, 2 * PAGE));
	picture();
	SHOW(munmap(area + 3 * PAGE, 4 * PAGE));
	picture();
	SHOW(munmap(area + 4 * PAGE, PAGE));
	ASK(all_bytes(area, 3 * PAGE, 7) && all_bytes(area + 7 * PAGE, 9 * PAGE, 7));
	SHOW(munmap(area + 1, PAGE));
	SHOW(munmap(area, 0));
	SHOW(munmap(area, -1ul));
	SHOW(munmap(area + 8 * PAGE, 1));
	picture();
	SHOW(munmap(BAD_KERNEL, PAGE));
	SHOW(munmap(BAD_TOP, PAGE));
	NEED(mmap(area + 3 * PAGE, PAGE, PROT_READ, PA | MAP_FIXED, -1, 0) == area + 3 * PAGE);
	NEED(mmap(area + 4 * PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		area + 4 * PAGE);
	picture();
	SHOW(munmap(area + 2 * PAGE, 6 * PAGE));
	picture();
	NEED(mmap(area + 2 * PAGE, 6 * PAGE, RW, PA | MAP_FIXED, -1, 0) == area + 2 * PAGE);
	ASK(all_bytes(area + 2 * PAGE, 6 * PAGE, 0) && all_bytes(area, 2 * PAGE, 7));
	SHOW(munmap(area, 16 * PAGE));
	picture();
	return 0;
}
