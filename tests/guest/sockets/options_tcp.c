/* SPDX-License-Identifier: Apache-2.0 */
/* Options of TCP: each is set, read back, and refused out of range. */
#include "tests/guest/sock.h"

static int fd;

static void try(const char *name, int option, int value)
{
	int now = -1;
	socklen_t len = sizeof(now);
	int r = setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));

	say("%s %d: %s", name, value, r ? errname(errno) : "ok");
	if (getsockopt(fd, IPPROTO_TCP, option, &now, &len) < 0)
		say(" %s\n", errname(errno));
	else
		say(" %d\n", now);
}
#define TRY(option, value) try(#option, option, value)

int main(void)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int s[2];

	fd = socket(AF_INET, SOCK_STREAM, 0);
	TRY(TCP_NODELAY, 5);
	TRY(TCP_KEEPIDLE, 0);
	TRY(TCP_KEEPIDLE, 32767);
	TRY(TCP_KEEPIDLE, 32768);
	TRY(TCP_KEEPINTVL, 0);
	TRY(TCP_KEEPINTVL, 32767);
	TRY(TCP_KEEPCNT, 0);
	TRY(TCP_KEEPCNT, 127);
	TRY(TCP_KEEPCNT, 128);
	TRY(TCP_USER_TIMEOUT, 30000);
	TRY(TCP_USER_TIMEOUT, -1);
	TRY(TCP_QUICKACK, 1);
	tcp_pair(s);
	SHOW(getsockopt(s[0], IPPROTO_TCP, TCP_INFO, &info, &len));
	say("state %d\n", info.tcpi_state);
	SHOW(shutdown(s[0], SHUT_RDWR));
	RAW(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, BAD_PTR, 4);
	RAW(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &fd, 2);
	RAW(getsockopt, fd, IPPROTO_TCP, TCP_NODELAY, BAD_PTR, &len);
	RAW(getsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &fd, BAD_PTR);
	return 0;
}
