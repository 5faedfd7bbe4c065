/* SPDX-License-Identifier: Apache-2.0 */
/* lseek: SEEK_HOLE, SEEK_DATA, ends, overflows, and files that have no position. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), path = open("file", O_PATH), p[2];

	NEED(pipe(p) == 0);
	SHOW(lseek(fd, 0, SEEK_DATA));
	SHOW(lseek(fd, 0, SEEK_HOLE));
	SHOW(write(fd, "x", 1));
	SHOW(lseek(fd, 0, SEEK_DATA));
	SHOW(lseek(fd, 0, SEEK_HOLE) >= 1);
	SHOW(lseek(fd, 1, SEEK_DATA));
	SHOW(lseek(fd, 1, SEEK_HOLE));
	SHOW(lseek(fd, 5, SEEK_HOLE));
	SHOW(lseek(fd, -1, SEEK_DATA));
	SHOW(lseek(fd, -1, SEEK_SET));
	SHOW(lseek(fd, -2, SEEK_END));
	SHOW(lseek(fd, 0x7fffffffffffffff, SEEK_END));
	SHOW(lseek(fd, 100, SEEK_END));
	SHOW(lseek(fd, -100, SEEK_CUR));
	SHOW(read(fd, p, 1));
	SHOW(lseek(fd, 0, 5));
	SHOW(lseek(fd, 0, -1));
	SHOW(lseek(path, 0, SEEK_SET));
	SHOW(lseek(p[0], 0, SEEK_SET));
	SHOW(lseek(99, 0, SEEK_SET));
	SHOW(lseek(fd, 1 << 20, SEEK_SET));
	SHOW(write(fd, "y", 1));
	SHOW(lseek(fd, 1 << 20, SEEK_DATA));
	return 0;
}
