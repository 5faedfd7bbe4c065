/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg, recvmsg, their flags, several buffers, several messages; time limits. */
#include "tests/guest/sock.h"

#include <sys/uio.h>

int main(void)
{
	char a[4], b[8], buf[32];
	struct iovec out[2] = {{(char[]){"abc"}, 3}, {(char[]){"defgh"}, 5}},
		     in[2] = {{a, 4}, {b, 8}};
	struct msghdr msg = {.msg_iov = out, .msg_iovlen = 2},
		      got = {.msg_iov = in, .msg_iovlen = 2};
	struct timeval tv = {0, 20000};
	struct mmsghdr mm[2] = {{.msg_hdr = msg}, {.msg_hdr = msg}};
	int fd[2], u[2];
	int64_t from;

	tcp_pair(fd);
	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, u) == 0);
	SHOW(sendmsg(fd[0], &msg, 0));
	ASK(wait_for(fd[1], POLLIN) == POLLIN);
	SHOW(recv(fd[1], buf, 5, MSG_PEEK));
	SHOW(recv(fd[1], buf, 5, MSG_PEEK));
	SHOW(recvmsg(fd[1], &got, 0));
	ASK(memcmp(a, "abcd", 4) == 0 && memcmp(b, "efgh", 4) == 0 && got.msg_flags == 0);
	SHOW(recv(fd[1], buf, 5, MSG_DONTWAIT));
	SHOW(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	from = now_ns();
	SHOW(recv(fd[1], buf, 5, 0));
	ASK(now_ns() - from >= 19000000);
	SHOW(read(fd[1], buf, 5));
	SHOW(send(fd[0], "xyz", 3, 0x40000000));
	NEED(wait_for(fd[1], POLLIN) == POLLIN);
	SHOW(recv(fd[1], buf, 10, 0));
	SHOW(sendmmsg(u[0], mm, 2, 0));
	SHOW(mm[1].msg_len);
	mm[0].msg_hdr = mm[1].msg_hdr = got;
	SHOW(recvmmsg(u[1], mm, 2, MSG_DONTWAIT, NULL));
	SHOW(mm[0].msg_len);
	SHOW(recvmmsg(u[1], mm, 2, MSG_DONTWAIT, NULL));
	msg.msg_iovlen = 2000;
	SHOW(sendmsg(fd[0], &msg, 0));
	msg.msg_iovlen = 0;
	SHOW(sendmsg(u[0], &msg, 0));
	SHOW(recv(u[1], buf, 10, 0));
	SHOW(recv(STDOUT_FILENO, buf, 1, 0));
	SHOW(send(999, buf, 1, 0));
	return 0;
}
