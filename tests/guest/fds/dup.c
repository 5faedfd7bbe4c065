/* SPDX-License-Identifier: Apache-2.0 */
/* dup, dup2, dup3, fcntl(F_DUPFD): which number comes out, and the close-on-exec flag. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = open("/dev/null", O_RDWR);

	SHOW(fd);
	SHOW(dup(fd));
	SHOW(dup2(fd, 10));
	SHOW(dup2(10, 10));
	SHOW(dup2(11, 11));
	SHOW(dup2(fd, -1));
	SHOW(dup2(-1, fd));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(dup3(fd, 12, O_CLOEXEC));
	SHOW(fcntl(12, F_GETFD));
	SHOW(dup3(fd, fd, 0));
	RAW(dup3, fd, 13, O_APPEND);
	SHOW(fcntl(fd, F_DUPFD, 100));
	SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 100));
	SHOW(fcntl(101, F_GETFD));
	SHOW(fcntl(101, F_SETFD, 0));
	SHOW(fcntl(101, F_GETFD));
	SHOW(fcntl(fd, F_DUPFD, -1));
	SHOW(close(4));
	SHOW(close(4));
	SHOW(dup(fd));
	SHOW(dup(999));
	SHOW(close(-1));
	SHOW(open("/dev/null", O_RDONLY | O_CLOEXEC));
	SHOW(fcntl(5, F_GETFD));
	SHOW(close(3));
	SHOW(write(10, "x", 1));
	SHOW(dup(10));
	return 0;
}
