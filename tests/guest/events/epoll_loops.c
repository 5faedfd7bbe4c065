/* SPDX-License-Identifier: Apache-2.0 */
/* epoll instances in each other: loops, itself, depth, events through two levels. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>

int main(void)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = 5};
	int a = epoll_create1(0), b = epoll_create1(EPOLL_CLOEXEC), c = epoll_create1(0), p[2],
	    chain[7];

	NEED(pipe(p) == 0);
	SHOW(epoll_ctl(a, EPOLL_CTL_ADD, a, &e));
	SHOW(epoll_ctl(a, EPOLL_CTL_ADD, b, &e));
	SHOW(epoll_ctl(b, EPOLL_CTL_ADD, a, &e));
	SHOW(epoll_ctl(b, EPOLL_CTL_ADD, c, &e));
	SHOW(epoll_ctl(c, EPOLL_CTL_ADD, a, &e));
	SHOW(epoll_ctl(c, EPOLL_CTL_ADD, p[0], &e));
	SHOW(epoll_wait(a, &e, 1, 0));
	SHOW(write(p[1], "x", 1));
	SHOW(epoll_wait(a, &e, 1, 0));
	say("%#x %u\n", e.events, e.data.u32);
	SHOW(epoll_ctl(b, EPOLL_CTL_DEL, c, NULL));
	SHOW(epoll_wait(a, &e, 1, 0));
	e.events = EPOLLIN;
	SHOW(epoll_ctl(c, EPOLL_CTL_ADD, a, &e));
	for (int i = 0; i < 7; i++) {
		chain[i] = epoll_create1(0);
		e.events = EPOLLIN;
		if (i > 0)
			SHOW(epoll_ctl(chain[i], EPOLL_CTL_ADD, chain[i - 1], &e));
	}
	return 0;
}
