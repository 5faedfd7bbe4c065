/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: IPv6 and IPv4 by one socket, names of senders, connected sockets, errors that come back, large datagrams. */
#include "tests/guest/sock6.h"

static void receive(int fd)
{
	struct sockaddr_in6 a = {0};
	socklen_t len = sizeof(a);
	char buf[64] = "";
	ssize_t n = recvfrom(fd, buf, sizeof(buf) - 1, 0, SA(&a), &len);

	say_name6("received", (int)n, &a, len);
	say("  %zd bytes: %s\n", n, buf);
}

static void by_both(int s)
{
	struct sockaddr_in6 six = at6("::1", port_of(s)),
			    mapped = at6("::ffff:127.0.0.1", port_of(s));
	struct sockaddr_in four = loopback(port_of(s));
	int c = socket(AF_INET6, SOCK_DGRAM, 0), c4 = socket(AF_INET, SOCK_DGRAM, 0);

	SHOW(sendto(c, "six", 3, 0, SA(&six), sizeof(six)));
	receive(s);
	say_names6(c);
	SHOW(sendto(c, "mapped", 6, 0, SA(&mapped), sizeof(mapped)));
	receive(s);
	SHOW(sendto(c, "as four", 7, 0, SA(&four), sizeof(four)));
	receive(s);
	SHOW(sendto(c4, "four", 4, 0, SA(&four), sizeof(four)));
	receive(s);
	SHOW(connect(c, SA(&six), sizeof(six)));
	say_names6(c);
	SHOW(send(c, "connected", 9, 0));
	receive(s);
	six = at6("::", port_of(s));
	SHOW(sendto(c, "to any", 6, 0, SA(&six), sizeof(six)));
	receive(s);
	six.sin6_family = AF_UNSPEC;
	SHOW(connect(c, SA(&six), sizeof(six)));
	say_names6(c);
	SHOW(send(c, "x", 1, 0));
	SHOW(connect(c, SA(&mapped), sizeof(mapped)));
	say_names6(c);
	SHOW(send(c, "again", 5, 0));
	receive(s);
	close(c);
	close(c4);
}

static void refused(void)
{
	int s = bound6(SOCK_DGRAM, "::1", 0), c = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = at6("::1", port_of(s));
	char buf[4];

	SHOW(connect(c, SA(&a), sizeof(a)));
	close(s); /* now: c has another port */
	SHOW(send(c, "x", 1, 0));
	ASK(wait_for(c, POLLIN) & POLLERR);
	SHOW(recv(c, buf, sizeof(buf), 0));
	close(c);
}

static void large(void)
{
	static char out[65508], in[65536];
	int s = bound6(SOCK_DGRAM, "::1", 0), c = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = at6("::1", port_of(s));
	static const size_t sizes[] = {0, 1, 1452, 1453, 20000, 65000};
	int room = 1 << 20;

	NEED(setsockopt(c, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) == 0);
	fill_pattern(out, sizeof(out), 5);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ssize_t n = sendto(c, out, sizes[i], 0, SA(&a), sizeof(a)),
			r = recv(s, in, sizeof(in), 0);

		say("%zu: sent %zd, received %zd, %s\n", sizes[i], n, r,
			r >= 0 && memcmp(in, out, (size_t)r) == 0 ? "equal" : "not equal");
	}
	SHOW(sendto(c, out, 65535, 0, SA(&a), sizeof(a)));
	close(s);
	close(c);
}

int main(void)
{
	int s = bound6(SOCK_DGRAM, "::", 0);

	say_names6(s);
	by_both(s);
	close(s);
	refused();
	large();
	return 0;
}
