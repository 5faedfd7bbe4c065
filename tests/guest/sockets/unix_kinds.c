/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX streams, datagrams and seqpackets: borders of messages, MSG_PEEK, MSG_TRUNC, ends. */
#include "tests/guest/sock.h"

static void with(const char *name, int kind)
{
	char b[32] = "";
	int s[2];

	say("-- %s\n", name);
	NEED(socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, s) == 0);
	SHOW(send(s[0], "hello", 5, 0));
	SHOW(send(s[0], "world!", 6, 0));
	SHOW(recv(s[1], b, 3, MSG_PEEK));
	SHOW(recv(s[1], b, 3, 0));
	say("%.3s\n", b);
	SHOW(recv(s[1], b, 3, MSG_TRUNC));
	SHOW(recv(s[1], b, sizeof(b), 0));
	SHOW(recv(s[1], b, sizeof(b), 0));
	SHOW(send(s[0], "", 0, 0));
	SHOW(recv(s[1], b, sizeof(b), 0));
	SHOW(shutdown(s[0], SHUT_WR));
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	SHOW(recv(s[1], b, sizeof(b), 0));
	close(s[1]);
	SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
	close(s[0]);
}
int main(void)
{
	with("stream", SOCK_STREAM);
	with("dgram", SOCK_DGRAM);
	with("seqpacket", SOCK_SEQPACKET);
	return 0;
}
