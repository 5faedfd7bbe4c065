/* SPDX-License-Identifier: Apache-2.0 */
/* TCP over ::1 and over IPv4 with AF_INET6 sockets: names of both ends, dual-stack and IPV6_V6ONLY listeners, data both ways. */
#include "tests/guest/sock6.h"

static int connected6(const char *to, uint16_t port)
{
	struct sockaddr_in6 a = at6(to, port);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	NEED(fd >= 0);
	if (connect(fd, SA(&a), sizeof(a)) == 0)
		return fd;
	say("connect to %s: %s\n", to, errname(errno));
	close(fd);
	return -1;
}

static int connected4(uint16_t port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, SA(&a), sizeof(a)) == 0)
		return fd;
	say("connect to 127.0.0.1: %s\n", errname(errno));
	close(fd);
	return -1;
}

static void talk(int l, int c)
{
	struct sockaddr_in6 a = {0};
	socklen_t len = sizeof(a);
	char buf[8] = "";
	int fd;

	if (c < 0)
		return;
	fd = accept(l, SA(&a), &len);
	say_name6("accept", fd, &a, len);
	say_names6(fd);
	NEED(write(c, "ping", 4) == 4);
	SHOW(read(fd, buf, sizeof(buf)));
	NEED(write(fd, "pong!", 5) == 5);
	SHOW(read(c, buf, sizeof(buf)));
	say("%s\n", buf);
	close(fd);
	SHOW(read(c, buf, sizeof(buf)));
	close(c);
}

static void all_ways(const char *to, int v6only)
{
	int l = listener6(to, v6only);
	uint16_t port = port_of(l);

	say("-- listening on %s, v6only %d -> %d\n", to, v6only, option6(l, IPV6_V6ONLY));
	say_names6(l);
	say("from ::1\n");
	talk(l, connected6("::1", port));
	say("from ::ffff:127.0.0.1\n");
	talk(l, connected6("::ffff:127.0.0.1", port));
	say("from 127.0.0.1\n");
	talk(l, connected4(port));
	say("to the wildcard\n");
	talk(l, connected6("::", port));
	close(l);
}

/* A socket that was refused may try another address, of the other kind too. */
static void again(void)
{
	struct sockaddr_in6 none = at6("::1", 1), four = at6("::ffff:127.0.0.1", 1), good;
	int l = listener6("::", 0), fd = socket(AF_INET6, SOCK_STREAM, 0);

	say("-- again\n");
	SHOW(connect(fd, SA(&none), sizeof(none)));
	say_names6(fd);
	SHOW(connect(fd, SA(&four), sizeof(four)));
	say_names6(fd);
	good = at6("::ffff:127.0.0.1", port_of(l));
	SHOW(connect(fd, SA(&good), sizeof(good)));
	SHOW(connect(fd, SA(&good), sizeof(good)));
	say_names6(fd);
	good.sin6_family = AF_UNSPEC;
	SHOW(connect(fd, SA(&good), sizeof(good)));
	say_names6(fd);
	close(fd);
	close(l);
}

int main(void)
{
	all_ways("::", 0);
	all_ways("::", 1);
	all_ways("::1", 0);
	all_ways("::ffff:127.0.0.1", 0);
	all_ways("::ffff:0.0.0.0", 0);
	again();
	return 0;
}
