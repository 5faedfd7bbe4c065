/* SPDX-License-Identifier: Apache-2.0 */
/* SCM_RIGHTS: what is in flight keeps its file open, and is closed with the socket; MSG_CMSG_CLOEXEC; MSG_PEEK. */
#include "tests/guest/sock.h"

static union {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head;
} control;

static long move(int fd, long (*how)(int, struct msghdr *, int), int flags)
{
	char c = 'x';
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	return how(fd, &m, flags);
}
static long do_send(int fd, struct msghdr *m, int flags)
{
	return sendmsg(fd, m, flags);
}
static long do_recv(int fd, struct msghdr *m, int flags)
{
	return recvmsg(fd, m, flags);
}
static void put(int s, int fd)
{
	control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	SHOW(move(s, do_send, 0));
}
static int got(void)
{
	int fd;

	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}
int main(void)
{
	int s[2], p[2], n;
	char b[4];

	NEED(pipe2(p, O_NONBLOCK) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	put(s[0], p[1]);
	close(p[1]);
	SHOW(read(p[0], b, 1)); /* in flight: open */
	SHOW(move(s[1], do_recv, MSG_CMSG_CLOEXEC));
	n = got();
	SHOW(fcntl(n, F_GETFD));
	SHOW(write(n, "a", 1));
	SHOW(read(p[0], b, 1));
	put(s[0], n);
	SHOW(move(s[1], do_recv, MSG_PEEK));
	SHOW(fcntl(got(), F_GETFD));
	SHOW(close(got()));
	SHOW(move(s[1], do_recv, 0));
	SHOW(close(got()));
	put(s[0], n);
	close(n);
	SHOW(read(p[0], b, 1));
	close(s[0]);
	SHOW(read(p[0], b, 1));
	close(s[1]);
	SHOW(read(p[0], b, 1)); /* the queue has gone, and the writing end with it */
	return 0;
}
