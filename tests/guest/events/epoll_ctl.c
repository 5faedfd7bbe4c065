/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_ctl and epoll_wait: arguments, answers, data that comes back. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>

int main(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, out[8];
	int ep = epoll_create1(EPOLL_CLOEXEC), p[2], q[2],
	    file = open("file", O_RDWR | O_CREAT, 0600);
	int64_t from;

	NEED(pipe(p) == 0 && pipe(q) == 0);
	RAW(epoll_create, 0);
	SHOW(epoll_create1(0x1234));
	SHOW_OK(epoll_create(1));
	SHOW(fcntl(ep, F_GETFD));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, q[0], &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, q[0], NULL));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, file, &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, open(".", O_RDONLY), &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &ev));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev));
	SHOW(epoll_ctl(ep, 77, p[0], &ev));
	SHOW(epoll_ctl(999, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(p[0], EPOLL_CTL_ADD, q[0], &ev));
	SHOW(epoll_wait(ep, out, 0, 0));
	RAW(epoll_wait, ep, out, -1, 0);
	SHOW(epoll_wait(p[0], out, 8, 0));
	SHOW(epoll_wait(999, out, 8, 0));
	SHOW(epoll_wait(ep, out, 8, 0));
	from = now_ns();
	SHOW(epoll_wait(ep, out, 8, 20));
	ASK(now_ns() - from >= 19000000);
	SHOW(write(p[1], "x", 1));
	SHOW(epoll_wait(ep, out, 8, -1));
	ASK(out[0].events == EPOLLIN && out[0].data.u64 == 0x1122334455667788);
	ev = (struct epoll_event){.events = EPOLLOUT, .data.fd = 5};
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, q[1], &ev));
	SHOW(epoll_wait(ep, out, 8, 0));
	SHOW(epoll_wait(ep, out, 1, 0));
	ev = (struct epoll_event){.events = 0, .data.fd = 6};
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	SHOW(epoll_wait(ep, out, 8, 0));
	SHOW(close(p[1]));
	SHOW(epoll_wait(ep, out, 8, 0)); /* EPOLLHUP is never masked */
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], BAD_PTR));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, q[1], NULL));
	SHOW(epoll_wait(ep, out, 8, 0));
	return 0;
}
