/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes in one thread: end of file, EPIPE, EAGAIN, capacity, whole writes of up to PIPE_BUF. */
#include "tests/guest/guest.h"

int main(void)
{
	static char buf[100000];
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	NEED(pipe2(p, O_NONBLOCK) == 0);
	SHOW(read(p[0], buf, 10));
	SHOW(write(p[1], "hello", 5));
	SHOW(read(p[0], buf, 2));
	SHOW(read(p[0], buf, 10));
	SHOW(write(p[1], buf, 0));
	SHOW(read(p[1], buf, 1));
	SHOW(write(p[0], buf, 1));
	SHOW(write(p[1], buf, sizeof(buf)));
	SHOW(write(p[1], buf, 1));
	SHOW(read(p[0], buf, 4000));
	SHOW(write(p[1], buf, 4096));
	SHOW(read(p[0], buf, 96));
	SHOW(write(p[1], buf, 4096));
	SHOW(read(p[0], buf, sizeof(buf)));
	SHOW(write(p[1], "left", 4));
	SHOW(close(p[1]));
	SHOW(read(p[0], buf, 10));
	SHOW(read(p[0], buf, 10));
	SHOW(close(p[0]));
	NEED(pipe(p) == 0);
	SHOW(close(p[0]));
	SHOW(write(p[1], "x", 1));
	SHOW(write(p[1], "x", 0));
	SHOW(lseek(p[1], 0, SEEK_SET));
	SHOW(fsync(p[1]));
	SHOW(ftruncate(p[1], 0));
	return 0;
}
