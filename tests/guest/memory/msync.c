/* SPDX-License-Identifier: Apache-2.0 */
/* Flags and ranges of msync. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	char *p;

	NEED(ftruncate(fd, 4 * (off_t)PAGE) == 0);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED && munmap(p + 2 * PAGE, PAGE) == 0);
	p[0] = 1;
	SHOW(msync(p, PAGE, MS_SYNC));
	SHOW(msync(p, PAGE, MS_ASYNC));
	SHOW(msync(p, PAGE, 0));
	SHOW(msync(p, PAGE, MS_INVALIDATE));
	SHOW(msync(p, PAGE, MS_SYNC | MS_ASYNC));
	SHOW(msync(p, PAGE, 8));
	SHOW(msync(p + 1, PAGE, MS_SYNC));
	SHOW(msync(p, 0, MS_SYNC));
	SHOW(msync(p, 3 * PAGE, MS_SYNC));
	SHOW(msync(p + 2 * PAGE, PAGE, MS_SYNC));
	SHOW(msync(BAD_KERNEL, PAGE, MS_SYNC));
	SHOW(msync(p, -PAGE, MS_SYNC));
	return 0;
}
