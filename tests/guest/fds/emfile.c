/* SPDX-License-Identifier: Apache-2.0 */
/* The limit on descriptors: EMFILE from everything that makes one, and nothing lost on the way. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

int main(void)
{
	struct rlimit limit = {32, 32};
	int p[2], n = 0, fd = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	SHOW(getrlimit(RLIMIT_NOFILE, &limit));
	SHOW(limit.rlim_cur);
	while (dup(fd) >= 0)
		n++;
	say("%d more\n", n);
	SHOW(open("/dev/null", O_RDONLY));
	SHOW(open("made", O_CREAT | O_WRONLY, 0600));
	SHOW(access("made", F_OK));
	SHOW(dup(fd));
	SHOW(dup2(fd, 31));
	SHOW(dup2(fd, 32));
	SHOW(fcntl(fd, F_DUPFD, 0));
	SHOW(fcntl(fd, F_DUPFD, 32));
	SHOW(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	SHOW(pipe(p));
	SHOW(eventfd(0, 0));
	SHOW(epoll_create1(0));
	SHOW(timerfd_create(CLOCK_MONOTONIC, 0));
	SHOW(signalfd(-1, &none, 0));
	SHOW(memfd_create("x", 0));
	SHOW(close(20));
	SHOW(pipe(p));
	SHOW(open("/dev/null", O_RDONLY));
	SHOW(close(10));
	SHOW(close(11));
	SHOW(pipe(p));
	ASK(p[0] == 10 && p[1] == 11);
	return 0;
}
