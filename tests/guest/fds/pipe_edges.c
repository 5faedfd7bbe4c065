/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: PIPE_BUF at once, sizes set and refused, vectors, readers and writers that go, poll. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static int events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	poll(&p, 1, 0);
	return p.revents;
}
int main(void)
{
	static char b[131072];
	struct iovec v[2] = {{b, 3}, {b + 3, 2}};
	int p[2], n = 0;

	NEED(pipe2(p, O_NONBLOCK) == 0);
	say("%#x %#x\n", events(p[0]), events(p[1]));
	SHOW(read(p[0], b, 0));
	SHOW(write(p[1], b, 0));
	SHOW(writev(p[1], v, 2));
	SHOW(ioctl(p[0], FIONREAD, &n));
	say("%d\n", n);
	SHOW(readv(p[0], v, 2));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 0));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 65537));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, -1));
	SHOW(fcntl(p[1], F_GETPIPE_SZ));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 4096));
	SHOW(write(p[1], b, 4000));
	SHOW(write(p[1], b, 200)); /* not in part */
	say("%#x %#x\n", events(p[0]) & POLLIN, events(p[1]) & POLLOUT);
	RAW(read, p[0], BAD_PTR, 10);
	SHOW(read(p[0], b, sizeof(b)) >= 4000);
	SHOW(close(p[1]));
	say("%#x\n", events(p[0]));
	SHOW(read(p[0], b, 1));
	SHOW(ftruncate(p[0], 0));
	SHOW(fsync(p[0]));
	NEED(pipe2(p, O_NONBLOCK) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	close(p[0]);
	say("%#x\n", events(p[1]));
	SHOW(write(p[1], b, 0));
	SHOW(write(p[1], b, 1));
	return 0;
}
