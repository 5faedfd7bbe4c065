/* SPDX-License-Identifier: Apache-2.0 */
/* Level-triggered, edge-triggered, one shot: when an event is reported again. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep, p[2];

static int wait_now(void)
{
	struct epoll_event out[8];

	return epoll_wait(ep, out, 8, 0);
}

static void mode(const char *name, uint32_t events)
{
	struct epoll_event ev = {.events = EPOLLIN | events};
	char c[16];

	say("-- %s\n", name);
	NEED(pipe(p) == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev) == 0);
	SHOW(wait_now());
	NEED(write(p[1], "aa", 2) == 2);
	SHOW(wait_now());
	SHOW(wait_now());
	NEED(write(p[1], "b", 1) == 1); /* more, without having read */
	SHOW(wait_now());
	NEED(read(p[0], c, 1) == 1);
	SHOW(wait_now());
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	SHOW(wait_now());
	SHOW(wait_now());
	NEED(read(p[0], c, 16) == 2);
	SHOW(wait_now());
	NEED(write(p[1], "c", 1) == 1);
	SHOW(wait_now());
	close(p[1]);
	SHOW(wait_now());
	SHOW(wait_now());
	close(p[0]);
	SHOW(wait_now());
}

int main(void)
{
	struct epoll_event out[40], ev = {.events = EPOLLIN};
	unsigned seen[20] = {0};

	ep = epoll_create1(0);
	mode("level", 0);
	mode("edge", EPOLLET);
	mode("one shot", EPOLLONESHOT);
	mode("edge, one shot", EPOLLET | EPOLLONESHOT);
	/* Twenty ready at a time, four taken at a time: all get their turn. */
	for (int i = 0; i < 20; i++) {
		ev.data.u32 = (uint32_t)i;
		NEED(epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(1, 0), &ev) == 0);
	}
	for (int round = 0; round < 10; round++) {
		int n = epoll_wait(ep, out, 4, 0);

		NEED(n == 4);
		for (int i = 0; i < n; i++)
			seen[out[i].data.u32]++;
	}
	for (int i = 0; i < 20; i++)
		NEED(seen[i] == 2);
	say("each of 20 was reported twice in 10 rounds of 4\n");
	return 0;
}
