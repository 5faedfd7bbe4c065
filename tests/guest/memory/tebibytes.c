/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations of many TiB cost nothing until they are touched. */
#include "tests/guest/guest.h"

#define NORESERVE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
int main(void)
{
	static const unsigned tib[] = {1, 4, 16, 32};
	char *p[ARRAY_SIZE(tib)];

	for (size_t i = 0; i < ARRAY_SIZE(tib); i++) {
		size_t size = (size_t)tib[i] << 40;

		p[i] = mmap(NULL, size, PROT_NONE, NORESERVE, -1, 0);
		say("%u TiB: %s\n", tib[i], p[i] == MAP_FAILED ? errname(errno) : "ok");
		NEED(p[i] != MAP_FAILED &&
			mprotect(p[i] + size / 2, PAGE, PROT_READ | PROT_WRITE) == 0);
		p[i][size / 2] = (char)i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tib); i++) {
		size_t size = (size_t)tib[i] << 40;

		ASK(p[i][size / 2] == (char)i);
		SHOW(munmap(p[i], size / 2));
		SHOW(munmap(p[i] + size / 2, size / 2));
	}
	p[0] = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE, NORESERVE, -1, 0);
	NEED(p[0] != MAP_FAILED);
	for (size_t i = 0; i < 64; i++)
		p[0][i << 34] = 1;
	SHOW(madvise(p[0], 1ul << 40, MADV_DONTNEED));
	ASK(p[0][5ul << 34] == 0);
	SHOW(munmap(p[0], 1ul << 40));
	return 0;
}
