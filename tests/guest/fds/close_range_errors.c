/* SPDX-License-Identifier: Apache-2.0 */
/* close_range and dup3: ranges, flags, limits; F_DUPFD. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

static int open_fds(int from, int to)
{
	int n = 0;

	for (int fd = from; fd <= to; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}
int main(void)
{
	struct rlimit r = {40, 40};

	for (int fd = 20; fd < 30; fd++)
		NEED(dup2(1, fd) == fd);
	RAW(close_range, 25, 24, 0);
	RAW(close_range, 25, 26, 8);
	RAW(close_range, 28, 29, 4);
	SHOW(fcntl(28, F_GETFD));
	SHOW(fcntl(27, F_GETFD));
	RAW(close_range, 20, 22, 0);
	say("%d\n", open_fds(20, 29));
	RAW(close_range, 500, 600, 0);
	RAW(close_range, 26, -1, 0);
	say("%d\n", open_fds(20, 29));
	SHOW(dup3(1, 1, 0));
	SHOW(dup3(1, 30, O_CLOEXEC));
	SHOW(fcntl(30, F_GETFD));
	SHOW(dup3(1, 30, O_NONBLOCK));
	SHOW(dup3(99, 30, 0));
	SHOW(dup3(1, -1, 0));
	SHOW(dup2(30, 30));
	SHOW(fcntl(30, F_GETFD));
	SHOW(dup2(99, 99));
	SHOW(setrlimit(RLIMIT_NOFILE, &r));
	SHOW(dup2(1, 40));
	SHOW(dup2(1, 39));
	SHOW(fcntl(1, F_DUPFD, 40));
	SHOW(fcntl(1, F_DUPFD, 39));
	SHOW(fcntl(1, F_DUPFD, -1));
	SHOW(fcntl(1, F_DUPFD_CLOEXEC, 35));
	SHOW(fcntl(35, F_GETFD));
	SHOW(fcntl(1, 9999, 0));
	return 0;
}
