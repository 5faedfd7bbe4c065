/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that are there only in part: what is transferred, and where the error is. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

int main(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *edge = p + PAGE;
	int fd = open("file", O_RDWR | O_CREAT, 0600), pipes[2];
	struct iovec v[2] = {{p, 10}, {edge, 10}};

	NEED(p != MAP_FAILED && pipe(pipes) == 0);
	memset(p, 'x', 2 * PAGE);
	SHOW(pwrite(fd, p, 2 * PAGE, 0));
	NEED(munmap(edge, PAGE) == 0);
	SHOW(pwrite(fd, edge - 100, 200, 0));
	SHOW(pread(fd, edge - 100, 200, 0));
	SHOW(pread(fd, edge, 200, 0));
	SHOW(pwrite(fd, edge, 200, 0));
	SHOW(pread(fd, edge, 0, 0));
	SHOW(preadv(fd, v, 2, 0));
	SHOW(pwritev(fd, v, 2, 0));
	SHOW(write(pipes[1], edge, 1));
	SHOW(write(pipes[1], "0123456789", 10));
	SHOW(read(pipes[0], edge, 1));
	SHOW(read(pipes[0], p, 10));
	say("%.10s\n", p);
	SHOW(mprotect(p, PAGE, PROT_READ));
	SHOW(pread(fd, p, 10, 0));
	SHOW(pwrite(fd, p, 10, 0));
	SHOW(mprotect(p, PAGE, PROT_NONE));
	SHOW(pwrite(fd, p, 10, 0));
	SHOW(pread(fd, p, 10, 0));
	return 0;
}
