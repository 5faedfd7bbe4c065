/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of send and recv on TCP: MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC, MSG_OOB, MSG_MORE. */
#include "tests/guest/sock.h"

static int fd[2];

static void *later(void *arg)
{
	sleep_ms(20);
	send(fd[0], "world", 5, 0);
	return NULL;
}
int main(void)
{
	char b[32] = "";
	pthread_t t;

	tcp_pair(fd);
	SHOW(recv(fd[1], b, 4, MSG_DONTWAIT));
	SHOW(send(fd[0], "hello", 5, 0));
	NEED(wait_for(fd[1], POLLIN) == POLLIN);
	SHOW(recv(fd[1], b, 3, MSG_PEEK));
	SHOW(recv(fd[1], b, sizeof(b), MSG_PEEK));
	say("%s\n", b);
	t = start_thread(later, NULL);
	SHOW(recv(fd[1], b, 10, MSG_WAITALL));
	say("%s\n", b);
	pthread_join(t, NULL);
	SHOW(send(fd[0], "trunc", 5, MSG_MORE));
	SHOW(send(fd[0], "!", 1, 0));
	SHOW(recv(fd[1], b, 6, MSG_WAITALL));
	SHOW(recv(fd[1], b, 1, MSG_OOB));
	SHOW(recv(fd[1], b, 1, MSG_ERRQUEUE | MSG_DONTWAIT));
	SHOW(send(fd[0], "end", 3, 0));
	SHOW(shutdown(fd[0], SHUT_WR));
	SHOW(recv(fd[1], b, 10, MSG_WAITALL));
	SHOW(recv(fd[1], b, 10, MSG_WAITALL));
	SHOW(recv(fd[1], b, 10, MSG_DONTWAIT));
	return 0;
}
