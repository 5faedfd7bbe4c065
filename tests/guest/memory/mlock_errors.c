/* SPDX-License-Identifier: Apache-2.0 */
/* mlock, mlock2, mlockall: flags and holes. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

int main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char in[4];

	NEED(p != MAP_FAILED && munmap(p + 2 * PAGE, PAGE) == 0);
	SHOW(mlock(p, 2 * PAGE));
	SHOW(mincore(p, 2 * PAGE, in));
	say("%d %d\n", in[0] & 1, in[1] & 1);
	SHOW(mlock(p + 1, 1));
	SHOW(mlock(p, 0));
	SHOW(mlock(p, 3 * PAGE));
	SHOW(mlock(p + 2 * PAGE, PAGE));
	SHOW(mlock(BAD_KERNEL, PAGE));
	SHOW(munlock(p, 2 * PAGE));
	SHOW(munlock(p, 4 * PAGE));
	SHOW(munlock(p + 1, 1));
	RAW(mlock2, p, PAGE, 0);
	RAW(mlock2, p, PAGE, 1);
	RAW(mlock2, p, PAGE, 2);
	SHOW(mlockall(0));
	SHOW(mlockall(8));
	SHOW(mlockall(4));
	SHOW(mlockall(MCL_CURRENT));
	SHOW(munlockall());
	return 0;
}
