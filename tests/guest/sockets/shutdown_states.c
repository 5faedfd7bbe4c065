/* SPDX-License-Identifier: Apache-2.0 */
/* shutdown of each direction, and what poll says about it: TCP and AF_UNIX. */
#include "tests/guest/sock.h"

static int events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	poll(&p, 1, 0);
	return p.revents;
}
static void with(const char *name, int s[2])
{
	char b[4];

	say("-- %s\n", name);
	say("%#x %#x\n", events(s[0]), events(s[1]));
	SHOW(shutdown(s[0], SHUT_WR));
	wait_for(s[1], POLLIN);
	say("%#x %#x\n", events(s[0]), events(s[1]));
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	SHOW(read(s[1], b, 4));
	SHOW(shutdown(s[0], SHUT_WR));
	SHOW(send(s[1], "y", 1, MSG_NOSIGNAL));
	wait_for(s[0], POLLIN);
	SHOW(read(s[0], b, 4));
	SHOW(shutdown(s[0], SHUT_RD));
	SHOW(read(s[0], b, 4));
	SHOW(shutdown(s[1], SHUT_WR));
	wait_for(s[0], POLLHUP);
	wait_for(s[1], POLLHUP);
	say("%#x %#x\n", events(s[0]), events(s[1]));
	SHOW(read(s[1], b, 4));
	SHOW(shutdown(s[1], -1));
	close(s[0]);
	close(s[1]);
}
int main(void)
{
	int s[2];

	tcp_pair(s);
	with("tcp", s);
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	with("unix", s);
	return 0;
}
