/* SPDX-License-Identifier: Apache-2.0 */
/* truncate and ftruncate: sizes, kinds, modes; what a shorter file keeps. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), ro = open("file", O_RDONLY),
	    path = open("file", O_PATH), dir, p[2];
	char b[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	NEED(pipe(p) == 0 && mkdir("dir", 0700) == 0);
	dir = open("dir", O_RDONLY);
	SHOW(write(fd, "0123456789", 10));
	SHOW(ftruncate(fd, 4));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(ftruncate(fd, 9));
	SHOW(pread(fd, b, 16, 0));
	say("%d %d\n", memcmp(b, "0123", 4), all_bytes(b + 4, 5, 0));
	SHOW(ftruncate(fd, -1));
	SHOW(ftruncate(ro, 1));
	SHOW(ftruncate(path, 1));
	SHOW(ftruncate(dir, 1));
	SHOW(ftruncate(p[1], 1));
	SHOW(ftruncate(99, 1));
	SHOW(truncate("dir", 1));
	SHOW(truncate("none", 1));
	SHOW(truncate("file", -1));
	SHOW(truncate("file/x", 1));
	SHOW(truncate("", 1));
	SHOW(truncate("/dev/null", 1));
	RAW(truncate, BAD_PTR, 1);
	SHOW(truncate("file", 0));
	SHOW(write(fd, "x", 1));
	SHOW(lseek(fd, 0, SEEK_END));
	return 0;
}
