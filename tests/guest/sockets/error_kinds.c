/* SPDX-License-Identifier: Apache-2.0 */
/* Which error it is: levels and pairs that there are not, ports of root. */
#include "tests/guest/guest.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static void levels(int domain, int type)
{
	int s = socket(domain, type, 0), v = 0;
	socklen_t len = sizeof(v);

	say("-- domain %d type %d\n", domain, type);
	SHOW(getsockopt(s, 500, 1, &v, &len));
	SHOW(setsockopt(s, 500, 1, &v, len));
	SHOW(getsockopt(s, IPPROTO_TCP, 999, &v, &len));
	SHOW(getsockopt(s, IPPROTO_UDP, 999, &v, &len));
	SHOW(getsockopt(s, IPPROTO_IP, 999, &v, &len));
	SHOW(ioctl(s, SIOCATMARK, &v));
	close(s);
}

static void pairs(void)
{
	int s[2];

	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, s));
	SHOW(socketpair(AF_INET, SOCK_STREAM, IPPROTO_TCP, s));
	SHOW(socketpair(AF_INET, SOCK_DGRAM, IPPROTO_UDP, s));
	SHOW(socketpair(AF_INET, SOCK_DGRAM, IPPROTO_TCP, s));
	SHOW(socketpair(AF_INET, SOCK_STREAM, IPPROTO_ICMP, s));
	SHOW(socketpair(AF_INET, SOCK_RAW, 0, s));
	SHOW(socketpair(AF_INET, 13, 0, s));
	SHOW(socketpair(0, SOCK_STREAM, 0, s));
}

static void ports(int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
	int s = socket(AF_INET, type, 0);

	SHOW(bind(s, (struct sockaddr *)&a, sizeof(a)));
	a.sin_port = htons(1023);
	SHOW(bind(s, (struct sockaddr *)&a, sizeof(a)));
	a.sin_port = htons(1024);
	SHOW(bind(s, (struct sockaddr *)&a, sizeof(a)));
	close(s);
	s = socket(AF_INET, type, 0);
	a.sin_port = 0;
	SHOW(bind(s, (struct sockaddr *)&a, sizeof(a)));
	close(s);
}

int main(void)
{
	levels(AF_INET, SOCK_STREAM);
	levels(AF_INET, SOCK_DGRAM);
	levels(AF_INET6, SOCK_STREAM);
	pairs();
	SHOW(setresuid(1000, 1000, 1000));
	ports(SOCK_STREAM);
	ports(SOCK_DGRAM);
	return 0;
}
