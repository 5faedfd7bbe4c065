/* SPDX-License-Identifier: Apache-2.0 */
/* Positioned and vectored transfers: they do not move the offset; O_APPEND wins over the position; limits on vectors. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

int main(void)
{
	static struct iovec many[1025];
	char a[4], b[4], c[8];
	struct iovec in[3] = {{a, 4}, {b, 4}, {c, 8}};
	struct iovec out[3] = {{(char[]){"abcd"}, 4}, {NULL, 0}, {(char[]){"efghij"}, 6}};
	int fd = open("file", O_RDWR | O_CREAT, 0600), ap = open("file", O_RDWR | O_APPEND), p[2];

	NEED(pipe(p) == 0);
	SHOW(writev(fd, out, 3));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwrite(fd, "XY", 2, 4));
	SHOW(pread(fd, c, 8, 2));
	ASK(memcmp(c, "cdXYghij", 8) == 0);
	SHOW(pread(fd, c, 8, 10));
	SHOW(pread(fd, c, 8, 100));
	SHOW(pread(fd, c, 8, -1));
	SHOW(pwrite(fd, c, 8, -1));
	SHOW(pread(p[0], c, 8, 0));
	SHOW(pwrite(p[1], c, 8, 0));
	SHOW(lseek(p[0], 0, SEEK_SET));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(readv(fd, in, 3));
	ASK(memcmp(a, "abcd", 4) == 0 && memcmp(b, "XYgh", 4) == 0 && memcmp(c, "ij", 2) == 0);
	SHOW(readv(fd, in, 3));
	SHOW(preadv(fd, in, 2, 1));
	ASK(memcmp(a, "bcdX", 4) == 0 && memcmp(b, "Yghi", 4) == 0);
	SHOW(pwritev(fd, out, 3, 20));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(pwrite(ap, "Z", 1, 0));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(readv(fd, in, 0));
	RAW(readv, fd, in, -1);
	SHOW(readv(fd, many, 1024));
	RAW(readv, fd, many, 1025);
	RAW(writev, p[1], many, 1025);
	in[0].iov_len = (size_t)-1;
	SHOW(readv(fd, in, 1));
	in[0].iov_len = 4;
	in[1].iov_base = BAD_PTR;
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(readv(fd, in, 2));
	SHOW(lseek(fd, 0, SEEK_CUR));
	return 0;
}
