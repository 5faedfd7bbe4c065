/* SPDX-License-Identifier: Apache-2.0 */
/* epoll: descriptors, operations, loops, pointers. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>

int main(void)
{
	struct epoll_event ev = {.events = EPOLLIN}, out[2];
	int e = epoll_create1(0), e2 = epoll_create1(EPOLL_CLOEXEC), p[2],
	    file = open("file", O_RDWR | O_CREAT, 0600);

	NEED(pipe(p) == 0);
	SHOW(epoll_create1(0x10));
	RAW(epoll_create, 0);
	RAW(epoll_create, -1);
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_MOD, p[1], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_DEL, p[1], NULL));
	SHOW(epoll_ctl(e, 9, p[1], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, e, &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, 99, &ev));
	SHOW(epoll_ctl(99, EPOLL_CTL_ADD, p[1], &ev));
	SHOW(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, file, &ev));
	RAW(epoll_ctl, e, EPOLL_CTL_ADD, p[1], BAD_PTR);
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, e2, &ev));
	SHOW(epoll_ctl(e2, EPOLL_CTL_ADD, e, &ev));
	ev.events = EPOLLIN | EPOLLEXCLUSIVE;
	SHOW(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev));
	ev.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, p[1], &ev));
	SHOW(epoll_wait(e, out, 0, 0));
	RAW(epoll_wait, e, out, -1, 0);
	SHOW(epoll_wait(99, out, 1, 0));
	SHOW(epoll_wait(p[0], out, 1, 0));
	SHOW(epoll_wait(e, out, 2, 0));
	NEED(write(p[1], "x", 1) == 1);
	RAW(epoll_wait, e, BAD_PTR, 1, 0);
	SHOW(epoll_wait(e, out, 2, 0));
	RAW(epoll_pwait, e, out, 1, 0, BAD_PTR, 8);
	RAW(epoll_pwait, e, out, 1, 0, out, 4);
	return 0;
}
