/* SPDX-License-Identifier: Apache-2.0 */
/* SCM_CREDENTIALS and SO_PEERCRED of AF_UNIX. */
#include "tests/guest/sock.h"

int main(void)
{
	struct ucred c = {0};
	socklen_t len = sizeof(c);
	char b[8], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec v = {b, 8};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int s[2], one = 1;

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	SHOW(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &c, &len));
	ASK(c.pid == getpid() && c.uid == getuid() && c.gid == getgid());
	SHOW(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	SHOW(send(s[0], "x", 1, 0));
	SHOW(recvmsg(s[1], &m, 0));
	ASK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
	if (CMSG_FIRSTHDR(&m))
		memcpy(&c, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(c));
	ASK(c.pid == getpid() && c.uid == getuid());
	return 0;
}
