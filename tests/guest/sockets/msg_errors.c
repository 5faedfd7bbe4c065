/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg and recvmsg: bad pointers in headers, vectors that are too many or too long, wrong descriptors. */
#include "tests/guest/sock.h"

int main(void)
{
	int s[2], p[2];
	char b[8] = "";
	struct iovec v[2] = {{b, 4}, {BAD_PTR, 4}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 1};

	NEED(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s) == 0 && pipe(p) == 0);
	RAW(sendmsg, s[0], BAD_PTR, 0);
	RAW(recvmsg, s[0], BAD_PTR, 0);
	RAW(sendmsg, s[0], BAD_KERNEL, 0);
	SHOW(sendmsg(99, &m, 0));
	SHOW(sendmsg(p[1], &m, 0));
	SHOW(recvmsg(p[0], &m, 0));
	m.msg_iovlen = 1025;
	SHOW(sendmsg(s[0], &m, 0));
	m.msg_iovlen = 2;
	SHOW(sendmsg(s[0], &m, 0));
	m.msg_iov = BAD_PTR;
	SHOW(sendmsg(s[0], &m, 0));
	m.msg_iov = v;
	v[1] = (struct iovec){b, (size_t)-1};
	SHOW(sendmsg(s[0], &m, 0));
	m.msg_iovlen = 0;
	SHOW(sendmsg(s[0], &m, 0));
	SHOW(recvmsg(s[1], &m, 0));
	SHOW(recvmsg(s[1], &m, 0));
	m = (struct msghdr){.msg_iov = v, .msg_iovlen = 1, .msg_name = BAD_PTR, .msg_namelen = 16};
	SHOW(sendmsg(s[0], &m, 0));
	m = (struct msghdr){
		.msg_iov = v, .msg_iovlen = 1, .msg_control = BAD_PTR, .msg_controllen = 32};
	SHOW(sendmsg(s[0], &m, 0));
	RAW(sendto, s[0], BAD_PTR, 4, 0, NULL, 0);
	SHOW(send(s[0], "abc", 3, 0));
	RAW(recvfrom, s[1], BAD_PTR, 4, MSG_PEEK, NULL, NULL);
	SHOW(recv(s[1], b, 8, 0));
	return 0;
}
