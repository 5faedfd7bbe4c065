/* SPDX-License-Identifier: Apache-2.0 */
/* Three hundred connections at once on one epoll server, and a thousand short ones after another. */
#include "tests/guest/sock.h"

#include <sys/epoll.h>

#define MANY 300

static struct sockaddr_in address;

static void *server(void *arg)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = (int)(intptr_t)arg}, out[16];
	int ep = epoll_create1(0), l = (int)(intptr_t)arg, closed = 0;

	NEED(epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev) == 0);
	while (closed < MANY + 1000) {
		int n = epoll_wait(ep, out, 16, -1);

		for (int i = 0; i < n; i++) {
			char buf[64];
			ssize_t len;

			if (out[i].data.fd == l) {
				ev.data.fd = accept4(l, NULL, NULL, SOCK_NONBLOCK);
				NEED(ev.data.fd >= 0 &&
					epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev) == 0);
				continue;
			}
			len = read(out[i].data.fd, buf, sizeof(buf));
			if (len > 0) {
				NEED(write(out[i].data.fd, buf, (size_t)len) == len);
			} else {
				close(out[i].data.fd);
				closed++;
			}
		}
	}
	return NULL;
}

static bool echoes(int fd, int n)
{
	int back = -1;

	return write(fd, &n, sizeof(n)) == sizeof(n) &&
		recv(fd, &back, sizeof(back), MSG_WAITALL) == sizeof(back) && back == n;
}

int main(void)
{
	pthread_t thread = start_thread(server, (void *)(intptr_t)listener(&address));
	static int fd[MANY];
	int good = 0;

	for (int i = 0; i < MANY; i++)
		fd[i] = connected(&address);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++)
			good += echoes(fd[i], i);
	}
	SHOW(good);
	for (int i = 0; i < MANY; i++)
		close(fd[i]);
	good = 0;
	for (int i = 0; i < 1000; i++) {
		fd[0] = connected(&address);
		good += echoes(fd[0], i);
		close(fd[0]);
	}
	SHOW(good);
	pthread_join(thread, NULL);
	return 0;
}
