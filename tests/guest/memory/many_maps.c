/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of mappings that cannot be merged, and every second one taken away. */
#include "tests/guest/guest.h"

int main(void)
{
	enum { N = 4000 };
	char *p = mmap(NULL, N * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned bad = 0;

	NEED(p != MAP_FAILED);
	for (size_t i = 0; i < N; i += 2)
		NEED(mprotect(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	for (size_t i = 0; i < N; i += 2)
		p[i * PAGE] = (char)i;
	for (size_t i = 0; i < N; i += 4)
		NEED(munmap(p + i * PAGE, PAGE) == 0);
	for (size_t i = 2; i < N; i += 4)
		bad += p[i * PAGE] != (char)i;
	say("bad %u\n", bad);
	SHOW(mprotect(p + PAGE, 3 * PAGE, PROT_READ));
	SHOW(mprotect(p, 4 * PAGE, PROT_READ));
	SHOW(munmap(p, N * PAGE));
	ASK(mmap(p, N * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		    0) == p);
	return 0;
}
