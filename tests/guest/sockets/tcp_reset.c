/* SPDX-License-Identifier: Apache-2.0 */
/* TCP: a peer that is gone: ECONNRESET, EPIPE and SIGPIPE, SO_LINGER of 0, data not read. */
#include "tests/guest/sock.h"

static volatile int pipes;

static void handler(int signo, siginfo_t *info, void *context)
{
	pipes++;
}
static void reset_by(const char *how, int linger, int unread)
{
	struct linger l = {1, 0};
	char b[8];
	int fd[2], e = 0;
	socklen_t len = sizeof(e);

	say("-- %s\n", how);
	tcp_pair(fd);
	if (linger)
		SHOW(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	if (unread) {
		SHOW(send(fd[1], "unread", 6, 0));
		NEED(wait_for(fd[0], POLLIN) == POLLIN);
	}
	SHOW(close(fd[0]));
	say("events %#x\n", wait_for(fd[1], POLLIN) & (POLLERR | POLLHUP | POLLIN));
	SHOW(recv(fd[1], b, 8, 0));
	SHOW(recv(fd[1], b, 8, 0));
	SHOW(getsockopt(fd[1], SOL_SOCKET, SO_ERROR, &e, &len));
	say("%s\n", errname(e));
	SHOW(send(fd[1], "x", 1, MSG_NOSIGNAL));
	SHOW(write(fd[1], "x", 1));
	say("signals %d\n", pipes);
	close(fd[1]);
}
int main(void)
{
	on_signal(SIGPIPE, handler, 0);
	reset_by("linger", 1, 0);
	reset_by("unread", 0, 1);
	return 0;
}
