/* SPDX-License-Identifier: Apache-2.0 */
/* pipe2 flags, sizes of pipes, packets, and full and empty pipes. */
#include "tests/guest/guest.h"

#include <sys/ioctl.h>

int main(void)
{
	static char b[70000];
	int p[2], n;

	SHOW(pipe2(p, 0x10));
	RAW(pipe2, BAD_PTR, 0);
	SHOW(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	SHOW(fcntl(p[0], F_GETPIPE_SZ));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 100));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 5000));
	SHOW(write(p[1], b, 8192));
	SHOW(write(p[1], b, 1));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 4096));
	SHOW(ioctl(p[0], FIONREAD, &n));
	say("%d\n", n);
	SHOW(read(p[0], b, 8000));
	SHOW(read(p[0], b, 8000));
	SHOW(read(p[0], b, 8000));
	SHOW(write(p[0], b, 1));
	SHOW(read(p[1], b, 1));
	SHOW(lseek(p[0], 0, SEEK_CUR));
	SHOW(fcntl(1, F_GETPIPE_SZ) >= -1);
	SHOW(close(p[0]));
	signal(SIGPIPE, SIG_IGN);
	SHOW(write(p[1], b, 1));
	return 0;
}
