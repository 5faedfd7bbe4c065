/* SPDX-License-Identifier: Apache-2.0 */
/* EPOLLONESHOT and EPOLLET with two threads at one epoll: an event goes to one of them. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep, ev;
static int got, ready;

static void *waiter(void *arg)
{
	struct epoll_event e;

	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	NEED(epoll_wait(ep, &e, 1, -1) == 1);
	if (e.data.fd == ev)
		__atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
	return NULL;
}
static void round_of(const char *name, unsigned events)
{
	struct epoll_event e = {.events = events}, all = {.events = EPOLLIN};
	int end = eventfd(0, EFD_NONBLOCK);
	pthread_t t[2];

	ep = epoll_create1(0);
	ev = eventfd(0, EFD_NONBLOCK);
	e.data.fd = ev;
	all.data.fd = end;
	got = ready = 0;
	NEED(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) == 0);
	NEED(epoll_ctl(ep, EPOLL_CTL_ADD, end, &all) == 0);
	for (int i = 0; i < 2; i++)
		t[i] = start_thread(waiter, NULL);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 2)
		sched_yield();
	sleep_ms(20);
	NEED(eventfd_write(ev, 1) == 0);
	while (!__atomic_load_n(&got, __ATOMIC_SEQ_CST))
		sched_yield();
	sleep_ms(100);
	NEED(eventfd_write(end, 1) == 0); /* whoever waits still has waited in vain */
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	say("%s: %d got it\n", name, got);
	NEED(epoll_ctl(ep, EPOLL_CTL_DEL, end, NULL) == 0 && close(end) == 0);
	SHOW(epoll_wait(ep, &e, 1, 0));
	e.events = events;
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, ev, &e));
	SHOW(epoll_wait(ep, &e, 1, 0));
	close(ep);
	close(ev);
}
int main(void)
{
	round_of("oneshot", EPOLLIN | EPOLLONESHOT);
	round_of("edge", EPOLLIN | EPOLLET);
	round_of("both", EPOLLIN | EPOLLET | EPOLLONESHOT);
	return 0;
}
