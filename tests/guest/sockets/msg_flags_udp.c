/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of send and recv on UDP: MSG_TRUNC both ways, MSG_PEEK, MSG_WAITALL, empty and too long datagrams. */
#include "tests/guest/sock.h"

int main(void)
{
	static char big[70000];
	struct sockaddr_in a, from;
	socklen_t len = sizeof(from);
	int r = bound(SOCK_DGRAM, &a), s = socket(AF_INET, SOCK_DGRAM, 0);
	char b[16] = "";
	struct iovec v = {b, 3};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	SHOW(recv(r, b, 4, MSG_DONTWAIT));
	SHOW(send(s, "x", 1, 0));
	SHOW(connect(s, SA(&a), sizeof(a)));
	SHOW(send(s, "hello", 5, MSG_DONTWAIT | MSG_NOSIGNAL));
	NEED(wait_for(r, POLLIN) == POLLIN);
	SHOW(recv(r, b, 3, MSG_PEEK));
	SHOW(recv(r, b, 3, MSG_PEEK | MSG_TRUNC));
	SHOW(recvmsg(r, &m, MSG_PEEK));
	say("flags %#x\n", m.msg_flags);
	SHOW(recvmsg(r, &m, MSG_TRUNC));
	say("flags %#x\n", m.msg_flags);
	SHOW(recv(r, b, 3, MSG_DONTWAIT));
	SHOW(send(s, "", 0, 0));
	NEED(wait_for(r, POLLIN) == POLLIN);
	SHOW(recvfrom(r, b, 3, 0, SA(&from), &len));
	say("len %u, loopback %d\n", len, from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	SHOW(send(s, "two", 3, 0));
	SHOW(recv(r, b, 8, MSG_WAITALL));
	SHOW(send(s, big, 65507, 0));
	SHOW(recv(r, big, sizeof(big), 0));
	SHOW(send(s, big, 65508, 0));
	SHOW(send(s, "x", 1, MSG_OOB));
	SHOW(sendto(s, "x", 1, 0, SA(&a), 3));
	return 0;
}
