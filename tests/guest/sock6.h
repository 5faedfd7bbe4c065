/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 sockets for the guest tests: loopback only, as in sock.h. */
#ifndef TESTS_GUEST_SOCK6_H
#define TESTS_GUEST_SOCK6_H

#include "tests/guest/sock.h"

#include <net/if.h>

static MAY_BE_UNUSED struct sockaddr_in6 at6(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	NEED(inet_pton(AF_INET6, text, &a.sin6_addr) == 1);
	return a;
}

/* "address", with "%interface" when there is a scope, and whether there is a port. */
static MAY_BE_UNUSED void say_name6(
	const char *what, int result, const struct sockaddr_in6 *a, socklen_t len)
{
	char text[INET6_ADDRSTRLEN], dev[IF_NAMESIZE] = "";

	if (result < 0) {
		say("%s: %s\n", what, errname(errno));
		return;
	}
	inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
	if (a->sin6_scope_id)
		if_indextoname(a->sin6_scope_id, dev);
	say("%s: family %d, len %u, %s%s%s, port %d, flow %u\n", what, a->sin6_family, len, text,
		*dev ? "%" : "", dev, a->sin6_port != 0, a->sin6_flowinfo);
}

static MAY_BE_UNUSED void say_names6(int fd)
{
	struct sockaddr_in6 a = {0};
	socklen_t len = sizeof(a);

	say_name6("  own", getsockname(fd, SA(&a), &len), &a, len);
	memset(&a, 0, sizeof(a));
	len = sizeof(a);
	say_name6("  peer", getpeername(fd, SA(&a), &len), &a, len);
}

/* The port that the socket is bound to. */
static MAY_BE_UNUSED uint16_t port_of(int fd)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	NEED(getsockname(fd, SA(&a), &len) == 0);
	return ntohs(a.sin6_port);
}

static MAY_BE_UNUSED void set_v6only(int fd, int value)
{
	NEED(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)) == 0);
}

/* A socket of the kind, bound to the address and a free port. */
static MAY_BE_UNUSED int bound6(int kind, const char *text, int v6only)
{
	struct sockaddr_in6 a = at6(text, 0);
	int fd = socket(AF_INET6, kind, 0);

	NEED(fd >= 0);
	set_v6only(fd, v6only);
	NEED(bind(fd, SA(&a), sizeof(a)) == 0);
	return fd;
}

static MAY_BE_UNUSED int listener6(const char *text, int v6only)
{
	int fd = bound6(SOCK_STREAM, text, v6only);

	NEED(listen(fd, 16) == 0);
	return fd;
}

static MAY_BE_UNUSED int option6(int fd, int name)
{
	int value = -77;
	socklen_t len = sizeof(value);

	return getsockopt(fd, IPPROTO_IPV6, name, &value, &len) == 0 ? value : -errno;
}

#endif
