/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_pwait and epoll_pwait2: the mask while waiting, sizes of masks, times. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>

static volatile int count;

static void handler(int signo, siginfo_t *info, void *context)
{
	count++;
}
int main(void)
{
	struct epoll_event e;
	struct timespec bad = {0, 1000000000}, zero = {0, 0}, some = {0, 5000000};
	sigset_t set, none;
	int ep = epoll_create1(0);

	on_signal(SIGUSR1, handler, 0);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR1) == 0);
	SHOW(epoll_wait(ep, &e, 1, 10));
	SHOW(epoll_pwait(ep, &e, 1, 0, &set));
	say("count %d\n", count);
	SHOW(epoll_pwait(ep, &e, 1, 1000, &none));
	say("count %d\n", count);
	RAW(epoll_pwait, ep, &e, 1, 0, &none, 4);
	RAW(epoll_pwait, ep, &e, 1, 0, BAD_PTR, 8);
	RAW(epoll_pwait2, ep, &e, 1, &bad, NULL, 8);
	RAW(epoll_pwait2, ep, &e, 1, BAD_PTR, NULL, 8);
	RAW(epoll_pwait2, ep, &e, 1, &zero, NULL, 8);
	RAW(epoll_pwait2, ep, &e, 1, &some, NULL, 8);
	RAW(epoll_pwait2, ep, &e, 0, &zero, NULL, 8);
	return 0;
}
