/* SPDX-License-Identifier: Apache-2.0 */
/* What closing does to a watch: it goes with the last reference to the open file, not with the number. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = 1}, out[4];
	int ep = epoll_create1(0), a = eventfd(1, 0), b = dup(a);

	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev));
	SHOW(epoll_wait(ep, out, 4, 0));
	SHOW(close(a));
	SHOW(epoll_wait(ep, out, 4, 0));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, b, NULL));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev));
	SHOW(dup(b) == a);
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev));
	SHOW(epoll_wait(ep, out, 4, 0));
	SHOW(close(a));
	SHOW(close(b));
	SHOW(epoll_wait(ep, out, 4, 0));
	a = eventfd(1, 0);
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, a, &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev));
	SHOW(epoll_wait(ep, out, 4, 0));
	SHOW(close(ep));
	SHOW(close(a));
	return 0;
}
