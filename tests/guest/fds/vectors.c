/* SPDX-License-Identifier: Apache-2.0 */
/* readv and writev: empty parts, too many, too long, a bad part behind a good one. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

int main(void)
{
	static struct iovec many[1025];
	char b[16] = "abcdefgh";
	struct iovec v[3] = {{b, 3}, {BAD_PTR, 0}, {b + 3, 2}};
	int fd = open("file", O_CREAT | O_RDWR, 0600), p[2];

	NEED(fd >= 0 && pipe(p) == 0);
	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){b, 1};
	SHOW(writev(fd, v, 3));
	SHOW(writev(fd, many, 1024));
	RAW(writev, fd, many, 1025);
	RAW(writev, fd, many, -1);
	RAW(writev, fd, many, 0);
	RAW(writev, fd, BAD_PTR, 1);
	SHOW(lseek(fd, 0, SEEK_SET));
	v[1].iov_len = 4;
	SHOW(readv(fd, v, 3));
	SHOW(lseek(fd, 0, SEEK_CUR));
	v[0].iov_base = BAD_PTR;
	SHOW(readv(fd, v, 1));
	v[0] = (struct iovec){b, (size_t)-1};
	RAW(readv, fd, v, 1);
	RAW(writev, p[0], many, 1);
	RAW(readv, p[1], many, 1);
	RAW(readv, 99, many, 1);
	SHOW(pwritev(fd, many, 3, 100));
	SHOW(preadv(fd, many, 5, 100));
	SHOW(preadv(fd, many, 1, -1));
	SHOW(pwritev(p[1], many, 1, 0));
	return 0;
}
