/* SPDX-License-Identifier: Apache-2.0 */
/* mlock, mlock2, mlockall, munlock, mincore: ranges, flags, what is refused. */
#include "tests/guest/guest.h"

int main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char in[4];

	NEED(p != MAP_FAILED && munmap(p + 2 * PAGE, PAGE) == 0);
	SHOW(mlock(p, 2 * PAGE));
	SHOW(mlock(p + 5, 1));
	SHOW(mlock(p, 4 * PAGE));
	SHOW(mlock(p, 0));
	SHOW(mlock(BAD_KERNEL, PAGE));
	SHOW(munlock(p, 2 * PAGE));
	SHOW(munlock(p, 4 * PAGE));
	RAW(mlock2, p, PAGE, 0);
	RAW(mlock2, p, PAGE, 1);
	RAW(mlock2, p, PAGE, 2);
	SHOW(mlockall(0));
	SHOW(mlockall(MCL_ONFAULT));
	SHOW(mlockall(64));
	SHOW(munlockall());
	memset(p, 1, 2 * PAGE);
	SHOW(mincore(p, 2 * PAGE, in));
	say("%d %d\n", in[0] & 1, in[1] & 1);
	SHOW(mincore(p, 4 * PAGE, in));
	SHOW(mincore(p + 1, PAGE, in));
	RAW(mincore, p, PAGE, BAD_PTR);
	SHOW(mincore(p, 0, in));
	return 0;
}
