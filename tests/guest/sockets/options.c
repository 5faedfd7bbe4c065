/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options that programs set and read. */
#include "tests/guest/sock.h"

static int tcp, udp, lis, p[2];

static void get(const char *name, int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level, option, &value, &len) < 0)
		say("%s: %s\n", name, errname(errno));
	else
		say("%s: %d (%u bytes)\n", name, value, len);
}

#define SET_GET(fd, level, option, value)                                                          \
	do {                                                                                       \
		int v = value;                                                                     \
		SHOW_WITH(                                                                         \
			show_value, "set " #option, setsockopt(fd, level, option, &v, sizeof(v))); \
		get(#option, fd, level, option);                                                   \
	} while (0)

int main(void)
{
	struct sockaddr_in address;
	struct linger linger = {1, 5};
	struct timeval tv = {2, 500000};
	socklen_t len = sizeof(linger);
	int one = 1, buffer = 0;

	tcp = socket(AF_INET, SOCK_STREAM, 0);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	lis = listener(&address);
	NEED(pipe(p) == 0);
	get("type", tcp, SOL_SOCKET, SO_TYPE);
	get("type", udp, SOL_SOCKET, SO_TYPE);
	get("domain", tcp, SOL_SOCKET, SO_DOMAIN);
	get("protocol", tcp, SOL_SOCKET, SO_PROTOCOL);
	get("accepts", tcp, SOL_SOCKET, SO_ACCEPTCONN);
	get("accepts", lis, SOL_SOCKET, SO_ACCEPTCONN);
	get("error", tcp, SOL_SOCKET, SO_ERROR);
	SET_GET(tcp, SOL_SOCKET, SO_REUSEADDR, 1);
	SET_GET(tcp, SOL_SOCKET, SO_REUSEPORT, 1);
	SET_GET(tcp, SOL_SOCKET, SO_KEEPALIVE, 5);
	SET_GET(tcp, SOL_SOCKET, SO_BROADCAST, 1);
	SET_GET(tcp, IPPROTO_TCP, TCP_NODELAY, 1);
	SET_GET(tcp, IPPROTO_TCP, TCP_NODELAY, 0);
	SET_GET(tcp, IPPROTO_TCP, TCP_CORK, 1);
	SET_GET(tcp, IPPROTO_TCP, TCP_CORK, 0);
	SET_GET(tcp, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	SET_GET(tcp, IPPROTO_TCP, TCP_KEEPINTVL, 7);
	SET_GET(tcp, IPPROTO_TCP, TCP_KEEPCNT, 3);
	SHOW(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	memset(&linger, 0, sizeof(linger));
	SHOW(getsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, &len));
	say("linger %d %d\n", linger.l_onoff, linger.l_linger);
	SHOW(setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	memset(&tv, 0, sizeof(tv));
	len = sizeof(tv);
	SHOW(getsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	say("time limit %ld.%06ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
	tv.tv_usec = 1000000;
	SHOW(setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	len = sizeof(buffer);
	SHOW(getsockopt(tcp, SOL_SOCKET, SO_SNDBUF, &buffer, &len));
	ASK(buffer >= 4096);
	SHOW(getsockopt(tcp, SOL_SOCKET, SO_RCVBUF, &buffer, &len));
	ASK(buffer >= 2048);
	SHOW(setsockopt(tcp, SOL_SOCKET, SO_SNDBUF, &one, sizeof(one)));
	SHOW(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, 3));
	SHOW(setsockopt(tcp, SOL_SOCKET, 9999, &one, sizeof(one)));
	SHOW(setsockopt(tcp, 9999, 1, &one, sizeof(one)));
	SHOW(setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	SHOW(setsockopt(tcp, IPPROTO_TCP, 9999, &one, sizeof(one)));
	SHOW(setsockopt(p[0], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	SHOW(setsockopt(999, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	SHOW(getsockopt(tcp, SOL_SOCKET, 9999, &one, &len));
	len = 2;
	SHOW(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &one, &len));
	say("%u bytes\n", len);
	len = (socklen_t)-1;
	SHOW(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &one, &len));
	SET_GET(tcp, IPPROTO_IP, IP_TTL, 33);
	SET_GET(tcp, IPPROTO_IP, IP_TOS, 16);
	return 0;
}
