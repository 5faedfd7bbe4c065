/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls a handler interrupts for good, and which go on after SA_RESTART. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static int p[2], epfd, s[2];
static void handler(int signo) {}
static void *unblock(void *arg)
{
	sigset_t alarm;

	sigemptyset(&alarm); /* for the other thread */
	sigaddset(&alarm, SIGALRM);
	NEED(pthread_sigmask(SIG_BLOCK, &alarm, NULL) == 0);
	sleep_ms(60);
	NEED(write(p[1], "x", 1) == 1);
	NEED(write(s[1], "x", 1) == 1);
	return NULL;
}
#define WITH(restart, call)                                                                        \
	do {                                                                                       \
		struct itimerval it = {.it_value = {0, 20000}};                                    \
		struct sigaction sa = {.sa_handler = handler, .sa_flags = restart};                \
		char c[4];                                                                         \
		pthread_t t;                                                                       \
                                                                                                   \
		NEED(sigaction(SIGALRM, &sa, NULL) == 0);                                          \
		t = start_thread(unblock, NULL);                                                   \
		NEED(setitimer(ITIMER_REAL, &it, NULL) == 0);                                      \
		SHOW(call);                                                                        \
		pthread_join(t, NULL);                                                             \
		fcntl(p[0], F_SETFL, O_NONBLOCK);                                                  \
		fcntl(s[0], F_SETFL, O_NONBLOCK);                                                  \
		while (read(p[0], c, 4) > 0 || read(s[0], c, 4) > 0)                               \
			;                                                                          \
		fcntl(p[0], F_SETFL, 0);                                                           \
		fcntl(s[0], F_SETFL, 0);                                                           \
	} while (0)
#define BOTH(call)                                                                                 \
	WITH(0, call);                                                                             \
	WITH(SA_RESTART, call)
int main(void)
{
	struct pollfd pfd;
	struct epoll_event ev = {.events = EPOLLIN};
	struct timespec second = {1, 0};
	fd_set set;
	char b[8];

	NEED(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
		(epfd = epoll_create1(0)) >= 0);
	NEED(epoll_ctl(epfd, EPOLL_CTL_ADD, p[0], &ev) == 0);
	pfd = (struct pollfd){.fd = p[0], .events = POLLIN};
	BOTH(read(p[0], b, 1));
	BOTH(recv(s[0], b, 1, 0));
	BOTH(poll(&pfd, 1, 1000));
	BOTH(epoll_wait(epfd, &ev, 1, 1000));
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	BOTH(select(p[0] + 1, &set, NULL, NULL, NULL));
	BOTH(nanosleep(&second, NULL));
	return 0;
}
