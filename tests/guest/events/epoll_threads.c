/* SPDX-License-Identifier: Apache-2.0 */
/* epoll between threads: a waiter is woken by events, by watches that are added, and each event goes to one of several waiters. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#define EVENTS 2000

static int ep, stop;
static int taken;

static void *waiter(void *arg)
{
	struct epoll_event out[4];
	uint64_t value;

	for (;;) {
		int n = epoll_wait(ep, out, 1, -1);

		NEED(n == 1);
		if (out[0].data.fd == stop)
			return NULL;
		if (read(out[0].data.fd, &value, 8) == 8)
			__atomic_add_fetch(&taken, (int)value, __ATOMIC_SEQ_CST);
	}
}

int main(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
	uint64_t one = 1;
	pthread_t thread[4];

	ep = epoll_create1(0);
	stop = eventfd(0, 0);
	for (int i = 0; i < 4; i++)
		thread[i] = start_thread(waiter, NULL);
	ev.data.fd = fd;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	for (int i = 0; i < EVENTS; i++)
		NEED(write(fd, &one, 8) == 8);
	while (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) < EVENTS)
		sched_yield();
	NEED(write(stop, &one, 8) == 8); /* level: stays for all */
	ev.data.fd = stop;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, stop, &ev));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	SHOW(taken);
	ev.events = EPOLLIN | EPOLLEXCLUSIVE;
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev));
	return 0;
}
