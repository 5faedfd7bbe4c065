/* SPDX-License-Identifier: Apache-2.0 */
/* pwritev2: RWF_APPEND leaves the position alone unless it is used; writing through to the disk; flags that nobody knows. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

#ifndef RWF_APPEND
#define RWF_APPEND 0x10
#endif
#define RWF_NONE 0x1000000

static void content(int fd)
{
	char b[64];
	ssize_t n = pread(fd, b, sizeof(b), 0);

	say("position %ld: %.*s\n", (long)lseek(fd, 0, SEEK_CUR), (int)n, b);
}

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), ro = open("file", O_RDONLY),
	    app = open("file", O_WRONLY | O_APPEND);
	char b[8] = "abcdef";
	struct iovec v[2] = {{b, 2}, {b + 2, 2}}, none = {b, 0}, bad = {BAD_PTR, 4};

	NEED(write(fd, "0123456789", 10) == 10 && lseek(fd, 3, SEEK_SET) == 3);
	SHOW(pwritev2(fd, v, 2, 5, RWF_APPEND));
	content(fd);
	SHOW(pwritev2(fd, v, 1, 100, RWF_APPEND | RWF_SYNC));
	content(fd);
	SHOW(pwritev2(fd, v, 1, -1, RWF_APPEND | RWF_DSYNC));
	content(fd);
	SHOW(pwritev2(fd, v, 1, -1, RWF_HIPRI | RWF_SYNC));
	content(fd);
	SHOW(pwritev2(fd, v, 2, 0, RWF_DSYNC));
	content(fd);
	SHOW(pwritev2(app, v, 2, 0, RWF_APPEND));
	SHOW(pwritev2(app, v, 2, 0, 0));
	content(fd);
	SHOW(fcntl(fd, F_GETFL) & O_APPEND);
	SHOW(pwritev2(fd, &none, 1, 0, RWF_APPEND));
	SHOW(pwritev2(fd, &bad, 1, 0, RWF_APPEND));
	content(fd);
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(preadv2(fd, v, 1, 4, RWF_APPEND | RWF_SYNC));
	say("%.2s\n", b);
	SHOW(pwritev2(fd, v, 1, 0, RWF_NONE));
	SHOW(preadv2(fd, v, 1, 0, RWF_NONE));
	SHOW(preadv2(fd, v, 1, -1, RWF_NONE | RWF_HIPRI));
	SHOW(pwritev2(fd, v, 1, -2, RWF_NONE));
	SHOW(pwritev2(ro, v, 1, 0, RWF_APPEND));
	SHOW(pwritev2(ro, v, 1, 0, RWF_NONE));
	SHOW(pwritev2(99, v, 1, 0, RWF_NONE));
	SHOW(pwritev2(fd, &none, 1, 0, RWF_NONE));
	content(fd);
	return 0;
}
