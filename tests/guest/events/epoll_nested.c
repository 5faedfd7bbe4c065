/* SPDX-License-Identifier: Apache-2.0 */
/* An epoll in an epoll, in poll; loops are refused. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/epoll.h>

int main(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = 1}, out[4];
	int outer = epoll_create1(0), inner = epoll_create1(0), p[2];
	struct pollfd pfd = {.fd = outer, .events = POLLIN};
	char c;

	NEED(pipe(p) == 0);
	SHOW(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &ev));
	ev.data.u32 = 2;
	SHOW(epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &ev));
	SHOW(epoll_wait(outer, out, 4, 0));
	SHOW(poll(&pfd, 1, 0));
	SHOW(write(p[1], "x", 1));
	SHOW(poll(&pfd, 1, 0));
	SHOW(epoll_wait(outer, out, 4, 0));
	SHOW(out[0].data.u32);
	SHOW(epoll_wait(inner, out, 4, 0));
	SHOW(out[0].data.u32);
	SHOW(read(p[0], &c, 1));
	SHOW(epoll_wait(outer, out, 4, 0));
	SHOW(poll(&pfd, 1, 0));
	SHOW(close(inner));
	SHOW(write(p[1], "x", 1));
	SHOW(epoll_wait(outer, out, 4, 0));
	return 0;
}
