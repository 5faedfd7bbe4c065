/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX SOCK_SEQPACKET by a path: borders kept, MSG_EOR, end of file, wrong kinds. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "seq"};
	int l = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0),
	    t = socket(AF_UNIX, SOCK_STREAM, 0), s;
	char b[16];
	struct iovec v = {b, 2};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	SHOW(send(c, "x", 1, MSG_NOSIGNAL));
	SHOW(recv(c, b, 1, MSG_DONTWAIT));
	SHOW(connect(c, SA(&a), sizeof(a)));
	NEED(bind(l, SA(&a), sizeof(a)) == 0 && listen(l, 2) == 0);
	SHOW(connect(t, SA(&a), sizeof(a)));
	SHOW(connect(c, SA(&a), sizeof(a)));
	SHOW(connect(c, SA(&a), sizeof(a)));
	SHOW_OK(s = accept(l, NULL, NULL));
	SHOW(send(c, "one", 3, MSG_EOR));
	SHOW(write(c, "two", 3));
	SHOW(recvmsg(s, &m, 0));
	say("flags %#x\n", m.msg_flags & MSG_TRUNC);
	SHOW(read(s, b, 16));
	SHOW(sendto(c, "x", 1, 0, SA(&a), sizeof(a)));
	SHOW(recv(s, b, 16, MSG_DONTWAIT));
	SHOW(close(c));
	SHOW(recv(s, b, 16, 0));
	SHOW(send(s, "x", 1, MSG_NOSIGNAL));
	return 0;
}
