/* SPDX-License-Identifier: Apache-2.0 */
/* SCM_RIGHTS: what control messages are refused, truncation, descriptors that are never taken out. */
#include "tests/guest/sock.h"

static int s[2];
static union {
	char bytes[CMSG_SPACE(sizeof(int) * 300)];
	struct cmsghdr head;
} control;

static long pass(int level, int type, size_t len, int fd, int count)
{
	char c = 'x';
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
	int *fds = (int *)(void *)CMSG_DATA(&control.head);

	control.head = (struct cmsghdr){.cmsg_len = len, .cmsg_level = level, .cmsg_type = type};
	for (int i = 0; i < count; i++)
		fds[i] = fd;
	return sendmsg(s[0], &m, 0);
}
static void take(size_t room)
{
	char c[4];
	struct iovec v = {c, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room};

	SHOW(recvmsg(s[1], &m, 0));
	say("room %zu: got %zu, flags %#x\n", room, (size_t)m.msg_controllen, m.msg_flags);
}
int main(void)
{
	int p[2];
	char b;

	NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0 && pipe(p) == 0);
	SHOW(pass(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(sizeof(int)), 99, 1));
	SHOW(pass(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(sizeof(int)), -1, 1));
	SHOW(pass(SOL_SOCKET, SCM_RIGHTS, 4, p[1], 1));
	SHOW(pass(SOL_SOCKET, SCM_RIGHTS, 4000, p[1], 1));
	SHOW(pass(SOL_SOCKET, 99, CMSG_LEN(sizeof(int)), p[1], 1));
	SHOW(pass(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(sizeof(int) * 254), p[1], 254));
	SHOW(pass(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(sizeof(int) * 2), p[1], 2));
	close(p[1]);
	SHOW(read(p[0], &b, 0));
	take(0); /* all are dropped, and closed */
	NEED(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	SHOW(read(p[0], &b, 1));
	return 0;
}
