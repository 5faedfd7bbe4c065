/* SPDX-License-Identifier: Apache-2.0 */
/* Options of level IPPROTO_IPV6: defaults, what is taken and what is refused. */
#include "tests/guest/sock6.h"

static const struct {
	const char *name;
	int option;
} options[] = {{"V6ONLY", IPV6_V6ONLY}, {"UNICAST_HOPS", IPV6_UNICAST_HOPS},
	{"MULTICAST_HOPS", IPV6_MULTICAST_HOPS}, {"MULTICAST_LOOP", IPV6_MULTICAST_LOOP},
	{"MULTICAST_IF", IPV6_MULTICAST_IF}, {"RECVPKTINFO", IPV6_RECVPKTINFO},
	{"RECVHOPLIMIT", IPV6_RECVHOPLIMIT}, {"RECVTCLASS", IPV6_RECVTCLASS},
	{"TCLASS", IPV6_TCLASS}, {"RECVERR", IPV6_RECVERR}, {"MTU_DISCOVER", IPV6_MTU_DISCOVER}};

static void values(int fd, const char *name, int option)
{
	static const int tried[] = {0, 1, 2, -1, -2, 64, 255, 256};

	say("%s: %d;", name, option6(fd, option));
	for (size_t i = 0; i < ARRAY_SIZE(tried); i++) {
		int r = setsockopt(fd, IPPROTO_IPV6, option, &tried[i], sizeof(int));

		if (r < 0)
			say(" %d %s", tried[i], errname(errno));
		else
			say(" %d -> %d", tried[i], option6(fd, option));
	}
	say("\n");
}

static void lengths(int fd)
{
	int v = 1;
	char byte = 1;
	socklen_t len = 1;

	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &v, 3));
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &byte, 1));
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, BAD_KERNEL, sizeof(v)));
	SHOW(getsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &v, &len));
	say("len %u\n", len);
	len = sizeof(v);
	SHOW(getsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &v, BAD_PTR));
	SHOW(getsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, BAD_PTR, &len));
	SHOW(setsockopt(fd, IPPROTO_IPV6, 9999, &v, sizeof(v)));
	SHOW(getsockopt(fd, IPPROTO_IPV6, 9999, &v, &len));
}

int main(void)
{
	int t = socket(AF_INET6, SOCK_STREAM, 0), u = socket(AF_INET6, SOCK_DGRAM, 0), v = 0;
	int four = socket(AF_INET, SOCK_DGRAM, 0), b = bound6(SOCK_STREAM, "::", 0);
	socklen_t len = sizeof(v);

	say("-- tcp\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].option != IPV6_MULTICAST_HOPS &&
			options[i].option != IPV6_MULTICAST_IF)
			values(t, options[i].name, options[i].option);
	say("-- udp\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		values(u, options[i].name, options[i].option);
	lengths(u);
	say("-- others\n");
	SHOW(setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)));
	SHOW(option6(u, IPV6_MTU) == -ENOTCONN);
	SHOW(getsockopt(four, IPPROTO_IPV6, IPV6_V6ONLY, &v, &len));
	SHOW(setsockopt(four, IPPROTO_IPV6, IPV6_TCLASS, &v, sizeof(v)));
	SHOW(setsockopt(u, IPPROTO_IP, IP_TTL, &(int){7}, sizeof(int)));
	SHOW(getsockopt(u, IPPROTO_IP, IP_TTL, &v, &len));
	say("ttl %d\n", v);
	SHOW(getsockopt(u, SOL_SOCKET, SO_DOMAIN, &v, &len));
	say("domain %d\n", v);
	return 0;
}
