/* SPDX-License-Identifier: Apache-2.0 */
/* MAP_FIXED_NOREPLACE takes free addresses only, and all or nothing. */
#include "tests/guest/guest.h"

#define RW    (PROT_READ | PROT_WRITE)
#define FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE)
int main(void)
{
	char *area = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(area != MAP_FAILED && munmap(area + 4 * PAGE, 8 * PAGE) == 0);
	ASK(mmap(area + 4 * PAGE, PAGE, RW, FLAGS, -1, 0) == area + 4 * PAGE);
	area[4 * PAGE] = 'x';
	SHOW_OK(mmap(area + 4 * PAGE, PAGE, RW, FLAGS, -1, 0));
	SHOW_OK(mmap(area + 5 * PAGE, 8 * PAGE, RW, FLAGS, -1, 0));
	SHOW_OK(mmap(area + 3 * PAGE, 4 * PAGE, RW, FLAGS, -1, 0));
	ASK(area[4 * PAGE] == 'x');
	ASK(mmap(area + 5 * PAGE, 7 * PAGE, RW, FLAGS, -1, 0) == area + 5 * PAGE);
	SHOW_OK(mmap(area + 5 * PAGE + 1, PAGE, RW, FLAGS, -1, 0));
	SHOW_OK(mmap(BAD_KERNEL, PAGE, RW, FLAGS, -1, 0));
	SHOW_OK(mmap(area, 16 * PAGE, RW, FLAGS | MAP_FIXED, -1, 0));
	return 0;
}
