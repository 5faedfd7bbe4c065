/* SPDX-License-Identifier: Apache-2.0 */
/* accept: empty, flags, what is inherited, address length, a waiting thread, a closed client. */
#include "tests/guest/sock.h"

static struct sockaddr_in address;

static void *connect_later(void *arg)
{
	sleep_ms(10);
	return (void *)(intptr_t)connected(&address);
}

int main(void)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int l = listener(&address), fd, a;
	pthread_t thread;
	void *result;
	char c;

	SHOW(fcntl(l, F_SETFL, O_NONBLOCK));
	SHOW(accept(l, NULL, NULL));
	fd = connected(&address);
	ASK(wait_for(l, POLLIN) == POLLIN);
	a = accept(l, SA(&peer), &len);
	ASK(a >= 0 && len == 16);
	SHOW(fcntl(a, F_GETFL) & O_NONBLOCK);
	SHOW(fcntl(a, F_GETFD));
	SHOW(accept(l, NULL, NULL));
	close(fd);
	close(a);
	fd = connected(&address);
	ASK(wait_for(l, POLLIN) == POLLIN);
	RAW(accept4, l, NULL, NULL, 0x1234);
	a = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	SHOW(fcntl(a, F_GETFL) & O_NONBLOCK);
	SHOW(fcntl(a, F_GETFD));
	SHOW(read(a, &c, 1));
	close(fd);
	/* The client came and went: accepted all the same, then end of file. */
	fd = connected(&address);
	NEED(write(fd, "z", 1) == 1);
	close(fd);
	ASK(wait_for(l, POLLIN) == POLLIN);
	a = accept(l, NULL, NULL);
	SHOW(read(a, &c, 1));
	SHOW(read(a, &c, 1));
	SHOW(fcntl(l, F_SETFL, 0));
	thread = start_thread(connect_later, NULL);
	a = accept(l, NULL, NULL);
	ASK(a >= 0);
	pthread_join(thread, &result);
	SHOW(accept(a, NULL, NULL));
	SHOW(accept(STDOUT_FILENO, NULL, NULL));
	SHOW(accept(999, NULL, NULL));
	SHOW(accept(socket(AF_INET, SOCK_DGRAM, 0), NULL, NULL));
	return 0;
}
