/* SPDX-License-Identifier: Apache-2.0 */
/* preadv2 and pwritev2: flags, offset -1, vectors that are refused. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), p[2];
	char b[16] = "abcdefgh";
	struct iovec v[2] = {{b, 4}, {b + 4, 4}}, bad = {BAD_PTR, 4};

	NEED(pipe(p) == 0);
	SHOW(pwritev2(fd, v, 2, 0, 0));
	SHOW(pwritev2(fd, v, 2, -1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwritev2(fd, v, 1, 20, RWF_SYNC));
	SHOW(pwritev2(fd, v, 1, 20, RWF_DSYNC));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(preadv2(fd, v, 2, -2, 0));
	SHOW(preadv2(fd, v, 2, 1, 0));
	say("%.7s\n", b);
	SHOW(preadv2(fd, v, 2, 0, 0x4000));
	RAW(preadv2, fd, v, -1, 0, 0, 0);
	RAW(preadv2, fd, v, 1025, 0, 0, 0);
	SHOW(preadv2(fd, v, 0, 0, 0));
	SHOW(preadv2(fd, &bad, 1, 0, 0));
	RAW(preadv2, fd, BAD_PTR, 1, 0, 0, 0);
	SHOW(preadv2(p[0], v, 1, 0, 0));
	SHOW(pwritev2(p[1], v, 1, -1, 0));
	SHOW(preadv2(p[0], v, 1, -1, 0));
	SHOW(preadv2(99, v, 1, 0, 0));
	v[1].iov_len = (size_t)-1;
	SHOW(preadv2(fd, v, 2, 0, 0));
	return 0;
}
