/* SPDX-License-Identifier: Apache-2.0 */
/* socketpair: stream, datagram, sequenced packets. */
#include "tests/guest/sock.h"

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[1000];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		NEED(write(fd, buf, (size_t)n) == n);
	close(fd);
	return NULL;
}

int main(void)
{
	static char data[100000], back[100000];
	struct iovec iov = {data, 2};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int s[2], done = 0;
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, s));
	SHOW(socketpair(AF_UNIX, 77, 0, s));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	SHOW(write(s[0], "one", 3));
	SHOW(write(s[0], "two", 3));
	SHOW(read(s[1], back, 100));
	SHOW(write(s[1], "back", 4));
	SHOW(read(s[0], back, 2));
	SHOW(read(s[0], back, 100));
	SHOW(close(s[1]));
	SHOW(read(s[0], back, 100));
	SHOW(write(s[0], "x", 1));
	SHOW(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
	SHOW(write(s[0], "one", 3));
	SHOW(write(s[0], "two", 3));
	SHOW(read(s[1], back, 100));
	SHOW(recvmsg(s[1], &msg, 0));
	ASK((msg.msg_flags & MSG_TRUNC) != 0);
	SHOW(read(s[1], back, 100));
	SHOW(close(s[1]));
	SHOW(write(s[0], "x", 1));
	SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	SHOW(write(s[0], "one", 3));
	SHOW(write(s[0], "two", 3));
	SHOW(read(s[1], back, 100));
	SHOW(close(s[0]));
	SHOW(read(s[1], back, 100));
	SHOW(read(s[1], back, 100));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	fill_pattern(data, sizeof(data), 9);
	thread = start_thread(echo, (void *)(intptr_t)s[1]);
	for (size_t sent = 0; done < (int)sizeof(data);) {
		size_t n = sizeof(data) - sent < 777 ? sizeof(data) - sent : 777;

		if (n) {
			NEED(write(s[0], data + sent, n) == (ssize_t)n);
			sent += n;
		}
		done += (int)read(s[0], back + done, sizeof(back) - (size_t)done);
	}
	ASK(memcmp(data, back, sizeof(data)) == 0);
	close(s[0]);
	pthread_join(thread, NULL);
	return 0;
}
