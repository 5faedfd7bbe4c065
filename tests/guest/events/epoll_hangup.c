/* SPDX-License-Identifier: Apache-2.0 */
/* EPOLLHUP, EPOLLRDHUP, EPOLLERR on pipes and sockets, and EPOLLOUT when room comes back. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static const char *events(int fd)
{
	static char text[64];
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	NEED(poll(&pfd, 1, 0) >= 0);
	snprintf(text, sizeof(text), "%s%s%s%s%s", pfd.revents & POLLIN ? "IN " : "",
		pfd.revents & POLLOUT ? "OUT " : "", pfd.revents & POLLRDHUP ? "RDHUP " : "",
		pfd.revents & POLLHUP ? "HUP " : "", pfd.revents & POLLERR ? "ERR " : "");
	return text;
}

int main(void)
{
	static char block[65536];
	int p[2], s[2];

	NEED(pipe2(p, O_NONBLOCK) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
	say("pipe read end: %s\n", events(p[0]));
	say("pipe write end: %s\n", events(p[1]));
	NEED(write(p[1], block, sizeof(block)) == sizeof(block));
	say("full, read end: %s\n", events(p[0]));
	say("full, write end: %s\n", events(p[1]));
	close(p[1]);
	say("writer gone: %s\n", events(p[0]));
	NEED(read(p[0], block, sizeof(block)) == sizeof(block));
	say("writer gone, empty: %s\n", events(p[0]));
	close(p[0]);
	NEED(pipe(p) == 0);
	close(p[0]);
	say("reader gone: %s\n", events(p[1]));
	say("socket: %s\n", events(s[0]));
	NEED(write(s[1], "x", 1) == 1);
	say("socket with data: %s\n", events(s[0]));
	NEED(shutdown(s[1], SHUT_WR) == 0);
	say("peer shut its writing side: %s\n", events(s[0]));
	NEED(read(s[0], block, 10) == 1 && read(s[0], block, 10) == 0);
	say("read to the end: %s\n", events(s[0]));
	close(s[1]);
	say("peer gone: %s\n", events(s[0]));
	return 0;
}
