/* SPDX-License-Identifier: Apache-2.0 */
/* brk and sbrk: below the start, far away, over a mapping, pages that are fresh again. */
#include "tests/guest/guest.h"

static long to(char *where)
{
	return syscall(SYS_brk, where) == (long)where;
}
int main(void)
{
	char *start = (char *)syscall(SYS_brk, 0), *m;

	SHOW(to(start));
	SHOW(to(start + 10 * PAGE));
	memset(start, 7, 10 * PAGE);
	SHOW(to(start + 2 * PAGE));
	SHOW(to(start + 10 * PAGE));
	SHOW(all_bytes(start + 3 * PAGE, 6 * PAGE, 0));
	SHOW(to(start + 10 * PAGE + 5));
	SHOW(to((char *)8));
	SHOW(to(BAD_TOP));
	SHOW(to(BAD_KERNEL));
	SHOW(syscall(SYS_brk, 0) == (long)start + 10 * (long)PAGE + 5);
	m = mmap(
		start + 20 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(m == start + 20 * PAGE);
	SHOW(to(start + 30 * PAGE));
	SHOW(to(start + 15 * PAGE));
	SHOW(munmap(m, PAGE));
	SHOW(to(start + 30 * PAGE));
	SHOW(to(start));
	return 0;
}
