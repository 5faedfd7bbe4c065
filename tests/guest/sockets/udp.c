/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: whole datagrams, truncation, peeking, connected sockets, refusals. */
#include "tests/guest/sock.h"

int main(void)
{
	static char big[70000];
	struct sockaddr_in a_addr, b_addr, from = {0}, nobody;
	int a = bound(SOCK_DGRAM, &a_addr), b = bound(SOCK_DGRAM, &b_addr), c;
	struct iovec iov = {big, 3};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	socklen_t len = sizeof(from);
	char buf[64];

	SHOW(recv(a, buf, sizeof(buf), MSG_DONTWAIT));
	SHOW(sendto(a, "hello", 5, 0, SA(&b_addr), sizeof(b_addr)));
	SHOW(sendto(a, "", 0, 0, SA(&b_addr), sizeof(b_addr)));
	SHOW(sendto(a, "0123456789", 10, 0, SA(&b_addr), sizeof(b_addr)));
	ASK(wait_for(b, POLLIN) == POLLIN);
	SHOW(recvfrom(b, buf, sizeof(buf), MSG_PEEK, SA(&from), &len));
	ASK(from.sin_port == a_addr.sin_port && len == sizeof(from));
	SHOW(recvfrom(b, buf, sizeof(buf), 0, SA(&from), &len));
	SHOW(recv(b, buf, sizeof(buf), 0));
	SHOW(recvmsg(b, &msg, 0));
	ASK((msg.msg_flags & MSG_TRUNC) != 0 && memcmp(big, "012", 3) == 0);
	SHOW(recv(b, buf, sizeof(buf), MSG_DONTWAIT));
	NEED(sendto(a, "0123456789", 10, 0, SA(&b_addr), sizeof(b_addr)) == 10);
	SHOW(recv(b, buf, 4, MSG_TRUNC));
	SHOW(send(a, "x", 1, 0));
	SHOW(sendto(a, big, 66000, 0, SA(&b_addr), sizeof(b_addr)));
	SHOW(sendto(a, "x", 1, 0, SA(&b_addr), 4));
	c = socket(AF_INET, SOCK_DGRAM, 0);
	SHOW(connect(c, SA(&b_addr), sizeof(b_addr)));
	SHOW(send(c, "connected", 9, 0));
	SHOW(recvfrom(b, buf, sizeof(buf), 0, SA(&from), &len));
	SHOW(sendto(a, "stranger", 8, 0, SA(&from), sizeof(from)));
	SHOW(sendto(b, "friend", 6, 0, SA(&from), sizeof(from)));
	SHOW(recv(c, buf, sizeof(buf), 0));
	SHOW(recv(c, buf, sizeof(buf), MSG_DONTWAIT));
	close(bound(SOCK_DGRAM, &nobody)); /* a port that c has not got itself */
	SHOW(connect(c, SA(&nobody), sizeof(nobody)));
	SHOW(send(c, "x", 1, 0));
	ASK((wait_for(c, POLLIN) & POLLERR) != 0);
	SHOW(send(c, "x", 1, 0));
	big[8000] = 'y';
	SHOW(sendto(a, big, 9000, 0, SA(&b_addr), sizeof(b_addr)));
	SHOW(recv(b, big + 10000, 20000, 0));
	ASK(memcmp(big, big + 10000, 9000) == 0);
	return 0;
}
