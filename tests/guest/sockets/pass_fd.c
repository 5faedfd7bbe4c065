/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors over AF_UNIX: SCM_RIGHTS. */
#include "tests/guest/sock.h"

static void send_fds(int s, const int *fds, size_t n)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = {0}, byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	SHOW(sendmsg(s, &msg, 0));
}

/* How many came; the first in *fd. */
static size_t receive_fds(int s, int *fd, size_t room, int flags)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = {0}, byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
	struct cmsghdr *c;

	SHOW(recvmsg(s, &msg, flags));
	say("  flags%s\n", msg.msg_flags & MSG_CTRUNC ? " MSG_CTRUNC" : "");
	c = CMSG_FIRSTHDR(&msg);
	if (!c)
		return 0;
	memcpy(fd, CMSG_DATA(c), sizeof(int));
	return (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

int main(void)
{
	int s[2], p[2], fd = -1, bad = 999;
	char buf[16];

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
	send_fds(s[0], &p[1], 1);
	close(p[1]); /* in flight it lives on */
	SHOW(receive_fds(s[1], &fd, CMSG_SPACE(sizeof(int)), 0));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(write(fd, "passed on", 9));
	SHOW(read(p[0], buf, 16));
	close(fd);
	SHOW(read(p[0], buf, 16));
	send_fds(s[0], (int[]){p[0], s[0], s[1]}, 3);
	SHOW(receive_fds(s[1], &fd, CMSG_SPACE(3 * sizeof(int)), MSG_CMSG_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	send_fds(s[0], &p[0], 1);
	SHOW(receive_fds(s[1], &fd, 0, 0)); /* no room: dropped */
	send_fds(s[0], &bad, 1);
	NEED(pipe(p) == 0);
	send_fds(s[0], &p[1], 1);
	close(p[1]);
	close(s[1]);
	close(s[0]); /* with the descriptor inside */
	return 0;
}
