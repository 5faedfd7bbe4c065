/* SPDX-License-Identifier: Apache-2.0 */
/* Multicast groups on loopback: joining, leaving, refusals. */
#include "tests/guest/sock6.h"

static int change(int fd, int option, const char *group, unsigned dev, socklen_t len)
{
	struct ipv6_mreq req = {.ipv6mr_interface = dev};

	NEED(inet_pton(AF_INET6, group, &req.ipv6mr_multiaddr) == 1);
	return setsockopt(fd, IPPROTO_IPV6, option, &req, len);
}

/* Loopback is no interface for groups, but for those of the node itself: there is no route. */
static void send_to(int fd, const char *group, uint32_t scope)
{
	struct sockaddr_in6 a = at6(group, 9);
	ssize_t n;

	a.sin6_scope_id = scope;
	n = sendto(fd, "x", 1, 0, SA(&a), sizeof(a));
	say("send to %s, scope %u: %zd %s\n", group, scope, n, n < 0 ? errname(errno) : "");
}

int main(void)
{
	const socklen_t full = sizeof(struct ipv6_mreq);
	unsigned lo = if_nametoindex("lo");
	int u = bound6(SOCK_DGRAM, "::", 0), s = socket(AF_INET6, SOCK_DGRAM, 0), off = 0;
	int t = socket(AF_INET6, SOCK_STREAM, 0);

	SHOW(lo);
	SHOW(change(u, IPV6_JOIN_GROUP, "::1", lo, full));
	SHOW(change(u, IPV6_JOIN_GROUP, "ff02::1234", 99, full));
	SHOW(change(u, IPV6_JOIN_GROUP, "ff02::1234", lo, 16));
	SHOW(change(u, IPV6_LEAVE_GROUP, "ff02::1234", lo, full));
	SHOW(setsockopt(u, IPPROTO_IPV6, IPV6_JOIN_GROUP, BAD_PTR, full));
	SHOW(change(u, IPV6_JOIN_GROUP, "ff02::1234", lo, full));
	SHOW(change(u, IPV6_JOIN_GROUP, "ff02::1234", lo, full));
	send_to(s, "ff02::1234", lo);
	send_to(s, "ff05::1234", 0);
	send_to(s, "ff05::1234", lo);
	SHOW(setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, &lo, sizeof(lo)));
	SHOW(setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off)));
	SHOW(change(u, IPV6_LEAVE_GROUP, "ff02::1234", lo, full));
	SHOW(change(u, IPV6_LEAVE_GROUP, "ff02::1234", lo, full));
	SHOW(change(u, IPV6_LEAVE_GROUP, "::1", lo, full));
	SHOW(change(t, IPV6_JOIN_GROUP, "ff02::1234", lo, full) < 0);
	return 0;
}
