/* SPDX-License-Identifier: Apache-2.0 */
/* What mmap refuses, and with which error. */
#include "tests/guest/guest.h"

#define RW       (PROT_READ | PROT_WRITE)
#define PA       (MAP_PRIVATE | MAP_ANONYMOUS)
#define TRY(...) SHOW_OK(mmap(__VA_ARGS__))
int main(void)
{
	int ro, wo, dir, p[2];
	char *here = mmap(NULL, PAGE, RW, PA, -1, 0);

	NEED(close(open("file", O_RDWR | O_CREAT, 0600)) == 0 && truncate("file", 100) == 0 &&
		pipe(p) == 0);
	ro = open("file", O_RDONLY);
	wo = open("file", O_WRONLY);
	dir = open(".", O_RDONLY);
	TRY(NULL, 0, RW, PA, -1, 0);
	TRY(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0);
	TRY(NULL, PAGE, RW, 0, ro, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 1);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0);
	TRY(NULL, PAGE, PROT_WRITE, MAP_SHARED, wo, 0);
	TRY(NULL, PAGE, RW, MAP_SHARED, ro, 0);
	TRY(NULL, PAGE, RW, MAP_PRIVATE, ro, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0);
	TRY(NULL, 1ul << 60, RW, PA, -1, 0);
	TRY(NULL, -PAGE, RW, PA, -1, 0);
	TRY(NULL, -1ul, RW, PA, -1, 0);
	TRY(here + 1, PAGE, RW, PA | MAP_FIXED, -1, 0);
	TRY(BAD_KERNEL, PAGE, RW, PA | MAP_FIXED, -1, 0);
	TRY(BAD_TOP, PAGE, RW, PA | MAP_FIXED, -1, 0);
	TRY((char *)BAD_TOP - PAGE, 2 * PAGE, RW, PA | MAP_FIXED, -1, 0);
	TRY(BAD_KERNEL, PAGE, RW, PA, -1, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, (off_t)(-1ul << 12));
	TRY(NULL, PAGE, RW, PA | MAP_HUGETLB, -1, 0);
	TRY(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | MAP_SYNC, -1, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, ro, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x200, ro, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x400, ro, 0);
	TRY(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, ro, 0);
	return 0;
}
