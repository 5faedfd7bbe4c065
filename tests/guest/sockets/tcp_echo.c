/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP echo server in one thread, clients in others. */
#include "tests/guest/sock.h"

static struct sockaddr_in address;

static void *server(void *arg)
{
	int l = (int)(intptr_t)arg;

	for (int i = 0; i < 20; i++) {
		struct sockaddr_in peer = {0};
		socklen_t len = sizeof(peer);
		int fd = accept(l, SA(&peer), &len);
		char buf[512];
		ssize_t n;

		NEED(fd >= 0 && len == sizeof(peer) &&
			peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && peer.sin_port);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			NEED(write(fd, buf, (size_t)n) == n);
		NEED(n == 0);
		close(fd);
	}
	return NULL;
}

static void *client(void *arg)
{
	char text[32], back[32];
	long bad = 0;

	for (int i = 0; i < 5; i++) {
		int fd = connected(&address),
		    len = snprintf(text, sizeof(text), "client %d call %d", (int)(intptr_t)arg, i);

		for (int round = 0; round < 20; round++) {
			NEED(send(fd, text, (size_t)len, 0) == len);
			NEED(recv(fd, back, (size_t)len, MSG_WAITALL) == len);
			bad += memcmp(text, back, (size_t)len) != 0;
		}
		close(fd);
	}
	return (void *)bad;
}

int main(void)
{
	int l = listener(&address);
	pthread_t thread = start_thread(server, (void *)(intptr_t)l), clients[4];
	long bad = 0;

	for (intptr_t i = 0; i < 4; i++)
		clients[i] = start_thread(client, (void *)i);
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(clients[i], &result);
		bad += (long)result;
	}
	pthread_join(thread, NULL);
	SHOW(bad);
	return 0;
}
