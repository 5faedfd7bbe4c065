/* SPDX-License-Identifier: Apache-2.0 */
/* Half-close, end of file, writes to what is gone, reset. */
#include "tests/guest/sock.h"

int main(void)
{
	struct linger hard = {1, 0};
	char buf[64];
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	tcp_pair(fd);
	SHOW(write(fd[0], "last words", 10));
	SHOW(shutdown(fd[0], SHUT_WR));
	SHOW(write(fd[0], "x", 1));
	ASK((wait_for(fd[1], POLLRDHUP) & POLLRDHUP) != 0);
	SHOW(read(fd[1], buf, sizeof(buf)));
	SHOW(read(fd[1], buf, sizeof(buf)));
	SHOW(read(fd[1], buf, sizeof(buf)));
	SHOW(write(fd[1], "answer", 6));
	SHOW(read(fd[0], buf, sizeof(buf)));
	SHOW(close(fd[1]));
	ASK((wait_for(fd[0], POLLHUP) & POLLHUP) != 0);
	SHOW(read(fd[0], buf, sizeof(buf)));
	close(fd[0]);

	say("-- reset by SO_LINGER 0\n");
	tcp_pair(fd);
	SHOW(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)));
	SHOW(close(fd[0]));
	ASK((wait_for(fd[1], POLLIN) & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR));
	SHOW(read(fd[1], buf, sizeof(buf)));
	SHOW(read(fd[1], buf, sizeof(buf)));
	SHOW(write(fd[1], "x", 1));
	close(fd[1]);

	say("-- reset by closing with unread data\n");
	tcp_pair(fd);
	SHOW(write(fd[0], "unread", 6));
	ASK(wait_for(fd[1], POLLIN) == POLLIN);
	SHOW(close(fd[1]));
	ASK((wait_for(fd[0], POLLHUP) & POLLHUP) != 0);
	SHOW(read(fd[0], buf, sizeof(buf)));
	close(fd[0]);

	say("-- shutdown for reading\n");
	tcp_pair(fd);
	SHOW(shutdown(fd[0], SHUT_RD));
	SHOW(read(fd[0], buf, sizeof(buf)));
	SHOW(shutdown(fd[0], 77));
	SHOW(shutdown(fd[0], SHUT_RDWR));
	return 0;
}
