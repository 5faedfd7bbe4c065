/* SPDX-License-Identifier: Apache-2.0 */
/* poll, ppoll, select, pselect. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

static volatile int signals;

static void count(int signo, siginfo_t *info, void *context)
{
	signals++;
}

int main(void)
{
	struct timespec none = {0, 0}, bad = {0, -1}, long_time = {10, 0};
	struct timeval tv = {0, 0};
	struct pollfd pfd[4];
	sigset_t blocked, empty;
	fd_set in, out;
	int p[2], q[2];
	int64_t from;

	NEED(pipe(p) == 0 && pipe(q) == 0 && write(q[1], "x", 1) == 1);
	pfd[0] = (struct pollfd){p[0], POLLIN, 0};
	pfd[1] = (struct pollfd){-1, POLLIN, 99};
	pfd[2] = (struct pollfd){999, POLLIN, 0};
	pfd[3] = (struct pollfd){q[0], POLLIN | POLLPRI, 0};
	SHOW(poll(pfd, 4, 0));
	ASK(pfd[0].revents == 0 && pfd[1].revents == 0 && pfd[2].revents == POLLNVAL &&
		pfd[3].revents == POLLIN);
	SHOW(poll(pfd, 1, 0));
	from = now_ns();
	SHOW(poll(pfd, 2, 15));
	ASK(now_ns() - from >= 15000000);
	SHOW(poll(NULL, 0, 1));
	RAW(poll, pfd, 1u << 30, 0);
	SHOW(ppoll(pfd, 1, &bad, NULL));
	SHOW(ppoll(pfd, 4, NULL, NULL));

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(q[0], &in);
	FD_SET(p[1], &out);
	SHOW(select(p[1] + 10, &in, &out, NULL, NULL));
	ASK(!FD_ISSET(p[0], &in) && FD_ISSET(q[0], &in) && FD_ISSET(p[1], &out));
	FD_SET(60, &in);
	SHOW(select(61, &in, NULL, NULL, &tv));
	RAW(select, -1, NULL, NULL, NULL, &tv);
	tv.tv_usec = -1;
	RAW(select, 0, NULL, NULL, NULL, &tv);
	tv.tv_usec = 3000;
	SHOW(select(0, NULL, NULL, NULL, &tv));

	/* A blocked pending signal is let in by the mask of ppoll and pselect, and interrupts them. */
	sigemptyset(&empty);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	on_signal(SIGUSR1, count, SA_RESTART);
	NEED(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0 && raise(SIGUSR1) == 0);
	SHOW(signals);
	SHOW(ppoll(pfd, 1, &long_time, &empty));
	SHOW(signals);
	NEED(raise(SIGUSR1) == 0);
	SHOW(pselect(0, NULL, NULL, NULL, &long_time, &empty));
	SHOW(signals);
	NEED(raise(SIGUSR1) == 0);
	SHOW(ppoll(pfd, 1, &none, &blocked));
	SHOW(signals);
	return 0;
}
