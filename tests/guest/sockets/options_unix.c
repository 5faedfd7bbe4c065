/* SPDX-License-Identifier: Apache-2.0 */
/* Options of AF_UNIX sockets, SO_PEERCRED, SO_PASSCRED; options that are only read. */
#include "tests/guest/sock.h"

static int s[2];

static void get(const char *name, int option)
{
	int value[4] = {-1, -1, -1, -1};
	socklen_t len = sizeof(value);

	if (getsockopt(s[0], SOL_SOCKET, option, value, &len) < 0)
		say("%s: %s\n", name, errname(errno));
	else
		say("%s: %d, %u bytes\n", name, value[0], len);
}
#define GET(option) get(#option, option)
#define SET(option, value)                                                                         \
	SHOW_WITH(show_value, #option, setsockopt(s[0], SOL_SOCKET, option, &(int){value}, 4))

int main(void)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	GET(SO_TYPE);
	GET(SO_DOMAIN);
	GET(SO_PROTOCOL);
	GET(SO_ACCEPTCONN);
	GET(SO_ERROR);
	GET(SO_PASSCRED);
	SET(SO_PASSCRED, 1);
	GET(SO_PASSCRED);
	SET(SO_TYPE, 1);
	SET(SO_DOMAIN, 1);
	SET(SO_ERROR, 1);
	SET(SO_ACCEPTCONN, 1);
	SET(SO_KEEPALIVE, 1);
	GET(SO_KEEPALIVE);
	SET(SO_DONTROUTE, 1);
	GET(SO_DONTROUTE);
	SET(SO_OOBINLINE, 1);
	GET(SO_OOBINLINE);
	SHOW(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	say("own %d, user %d, len %u\n", cred.pid == getpid(), (int)cred.uid, len);
	len = 4;
	SHOW(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	say("len %u\n", len);
	SHOW(setsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, sizeof(cred)));
	SHOW(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &len, sizeof(len)));
	return 0;
}
