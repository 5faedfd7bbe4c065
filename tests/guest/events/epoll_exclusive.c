/* SPDX-License-Identifier: Apache-2.0 */
/* EPOLLEXCLUSIVE: what may go with it, what may not, and that a waiter is woken. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep[2], ev;
static volatile int woken;

static void *waiter(void *arg)
{
	struct epoll_event e;

	if (epoll_wait(*(int *)arg, &e, 1, 60000) == 1)
		__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}
static long add(int to, int fd, unsigned events)
{
	struct epoll_event e = {.events = events};

	return epoll_ctl(to, EPOLL_CTL_ADD, fd, &e);
}
int main(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	pthread_t t[2];

	ev = eventfd(0, 0);
	ep[0] = epoll_create1(0);
	ep[1] = epoll_create1(0);
	SHOW(add(ep[0], ev, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT));
	SHOW(add(ep[0], ev, EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI));
	SHOW(add(ep[0], ep[1], EPOLLIN | EPOLLEXCLUSIVE));
	SHOW(add(ep[0], ev, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET));
	SHOW(add(ep[0], ev, EPOLLIN | EPOLLEXCLUSIVE));
	SHOW(epoll_ctl(ep[0], EPOLL_CTL_MOD, ev, &e));
	e.events |= EPOLLEXCLUSIVE;
	SHOW(epoll_ctl(ep[0], EPOLL_CTL_MOD, ev, &e));
	SHOW(add(ep[1], ev, EPOLLIN | EPOLLEXCLUSIVE));
	t[0] = start_thread(waiter, &ep[0]);
	t[1] = start_thread(waiter, &ep[1]);
	sleep_ms(20);
	SHOW(eventfd_write(ev, 1));
	SHOW(eventfd_write(ev, 1));
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	ASK(woken >= 1);
	return 0;
}
