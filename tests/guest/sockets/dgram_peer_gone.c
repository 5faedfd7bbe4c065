/* SPDX-License-Identifier: Apache-2.0 */
/* A connected datagram socket of AF_UNIX whose peer has ended: the next send says so, and nothing else does. */
#include "tests/guest/sock.h"

#include <poll.h>
#include <sys/un.h>

static int s[2];

static void look(void)
{
	struct pollfd p = {.fd = s[0], .events = POLLIN | POLLOUT | POLLRDHUP};
	int error = -1;
	socklen_t len = sizeof(error);
	char b[8];

	SHOW(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &len));
	say("error %d\n", error);
	SHOW(poll(&p, 1, 0));
	say("events %s%s%s%s%s\n", p.revents & POLLIN ? "in " : "",
		p.revents & POLLOUT ? "out " : "", p.revents & POLLRDHUP ? "rdhup " : "",
		p.revents & POLLHUP ? "hup " : "", p.revents & POLLERR ? "err" : "");
	SHOW(recv(s[0], b, sizeof(b), MSG_DONTWAIT));
}

static void pair(void)
{
	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
}

int main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "other"};
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);

	NEED(bind(other, (struct sockaddr *)&a, sizeof(a)) == 0);
	pair();
	close(s[1]);
	look();
	SHOW(sendto(s[0], "x", 1, 0, (struct sockaddr *)&a, sizeof(a)));
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	look();
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	SHOW(connect(s[0], (struct sockaddr *)&a, sizeof(a)));
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	say("-- connected anew before the send\n");
	pair();
	close(s[1]);
	SHOW(connect(s[0], (struct sockaddr *)&a, sizeof(a)));
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	return 0;
}
