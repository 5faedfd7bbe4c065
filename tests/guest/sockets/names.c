/* SPDX-License-Identifier: Apache-2.0 */
/* getsockname and getpeername: each state of TCP, UDP and AF_UNIX sockets, lengths that are short. */
#include "tests/guest/sock.h"

static void name(const char *what, int r, const struct sockaddr_in *a, socklen_t len)
{
	if (r < 0)
		say("%s: %s\n", what, errname(errno));
	else
		say("%s: family %d, len %u, any %d, port %d\n", what, a->sin_family, len,
			a->sin_addr.s_addr == 0, a->sin_port != 0);
}
static void both(const char *what, int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	say("-- %s\n", what);
	name("own", getsockname(fd, SA(&a), &len), &a, len);
	memset(&a, 0, sizeof(a));
	len = sizeof(a);
	name("peer", getpeername(fd, SA(&a), &len), &a, len);
}
int main(void)
{
	struct sockaddr_in a;
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "path"};
	int t[2], u = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_STREAM, 0), x;
	socklen_t len = 4;

	both("new tcp", s);
	both("new udp", u);
	SHOW(listen(s, 1));
	both("listening unbound", s);
	both("bound udp", bound(SOCK_DGRAM, &a));
	SHOW(connect(u, SA(&a), sizeof(a)));
	both("connected udp", u);
	a.sin_family = AF_UNSPEC;
	SHOW(connect(u, SA(&a), sizeof(a)));
	tcp_pair(t);
	both("client", t[0]);
	both("server", t[1]);
	SHOW(getsockname(t[0], SA(&a), &len));
	say("len %u\n", len);
	x = socket(AF_UNIX, SOCK_STREAM, 0);
	len = sizeof(un);
	SHOW(getsockname(x, SA(&un), &len));
	say("len %u\n", len);
	un = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "path"};
	SHOW(bind(x, SA(&un), sizeof(un)));
	len = sizeof(un);
	SHOW(getsockname(x, SA(&un), &len));
	say("len %u %s\n", len, un.sun_path);
	SHOW(getpeername(x, SA(&un), &len));
	return 0;
}
