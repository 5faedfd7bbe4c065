/* SPDX-License-Identifier: Apache-2.0 */
/* Big reservations cost nothing and are committed in parts, as managed run-times do it. */
#include "tests/guest/guest.h"

#define GIB   (1ul << 30)
#define CHUNK (64 * PAGE)

int main(void)
{
	char *p =
		mmap(NULL, 64 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *aligned;
	bool good = true;

	NEED(p != MAP_FAILED);
	/* Trim to an aligned part, as malloc does with its arenas. */
	aligned = (char *)(((uintptr_t)p + GIB - 1) & ~(GIB - 1));
	NEED(aligned == p || munmap(p, (size_t)(aligned - p)) == 0);
	for (unsigned long i = 0; i < 60; i++) {
		char *chunk = aligned + i * GIB + i * CHUNK;

		good = good && mprotect(chunk, CHUNK, PROT_READ | PROT_WRITE) == 0 &&
			all_bytes(chunk, CHUNK, 0);
		memset(chunk, (int)i + 1, CHUNK);
	}
	ASK(good);
	for (unsigned long i = 0; i < 60; i++)
		good = good &&
			all_bytes(aligned + i * GIB + i * CHUNK, CHUNK, (unsigned char)(i + 1));
	ASK(good);
	for (unsigned long i = 0; i < 60; i += 2)
		good = good &&
			mmap(aligned + i * GIB + i * CHUNK, CHUNK, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
				0) != MAP_FAILED;
	ASK(good);
	SHOW(mprotect(aligned, PAGE, PROT_READ));
	ASK(aligned[0] == 0);
	ASK(aligned[GIB + CHUNK] == 2);
	return 0;
}
