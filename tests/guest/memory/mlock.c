/* SPDX-License-Identifier: Apache-2.0 */
/* Locking may mean nothing, its answers do. */
#include "tests/guest/guest.h"

int main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	SHOW(mlock(p, 4 * PAGE));
	SHOW(munlock(p, 4 * PAGE));
	SHOW(munmap(p + PAGE, PAGE));
	SHOW(mlock(p, 4 * PAGE));
	SHOW(munlock(p, 4 * PAGE));
	SHOW(mlock(p, 0));
	return 0;
}
