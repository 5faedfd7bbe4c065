/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls a handler interrupts for good, and which go on after SA_RESTART. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static int p[2], epfd, s[2];
static atomic_int handled;

static void handler(int signo)
{
	handled++;
}

/* Once handlers have run, what is waited for comes. */
static void *feed(void *arg)
{
	sigset_t alarm;

	sigemptyset(&alarm); /* for the other thread */
	sigaddset(&alarm, SIGALRM);
	NEED(pthread_sigmask(SIG_BLOCK, &alarm, NULL) == 0);
	while (handled < 3)
		sleep_ms(1);
	NEED(write(p[1], "x", 1) == 1);
	NEED(write(s[1], "x", 1) == 1);
	return NULL;
}

static void alarm_each_ms(int ms)
{
	struct itimerval it = {.it_value = {0, ms * 1000}, .it_interval = {0, ms * 1000}};

	handled = 0;
	NEED(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

/* The alarm comes again and again: one of them finds the call waiting, however slow the machine is. */
#define WITH(flags, call)                                                                          \
	do {                                                                                       \
		struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};                  \
		long value;                                                                        \
		int code;                                                                          \
                                                                                                   \
		NEED(sigaction(SIGALRM, &sa, NULL) == 0);                                          \
		alarm_each_ms(20);                                                                 \
		value = (call);                                                                    \
		code = errno;                                                                      \
		alarm_each_ms(0);                                                                  \
		show_value(#call, value, code);                                                    \
	} while (0)

/* Of a call that is never begun again. */
#define BOTH(call)                                                                                 \
	WITH(0, call);                                                                             \
	WITH(SA_RESTART, call)

/* Of one that is begun again with SA_RESTART, until there is something to read. */
#define RESTARTS(call)                                                                             \
	do {                                                                                       \
		pthread_t t;                                                                       \
		char c;                                                                            \
                                                                                                   \
		WITH(0, call);                                                                     \
		handled = 0;                                                                       \
		t = start_thread(feed, NULL);                                                      \
		WITH(SA_RESTART, call);                                                            \
		pthread_join(t, NULL);                                                             \
		while (recv(s[0], &c, 1, MSG_DONTWAIT) > 0)                                        \
			;                                                                          \
		NEED(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);                                       \
		while (read(p[0], &c, 1) > 0)                                                      \
			;                                                                          \
		NEED(fcntl(p[0], F_SETFL, 0) == 0);                                                \
	} while (0)

int main(void)
{
	struct pollfd pfd;
	struct epoll_event ev = {.events = EPOLLIN};
	struct timespec far = {100, 0};
	fd_set set;
	char b[8];

	NEED(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
		(epfd = epoll_create1(0)) >= 0);
	NEED(epoll_ctl(epfd, EPOLL_CTL_ADD, p[0], &ev) == 0);
	pfd = (struct pollfd){.fd = p[0], .events = POLLIN};
	RESTARTS(read(p[0], b, 1));
	RESTARTS(recv(s[0], b, 1, 0));
	BOTH(poll(&pfd, 1, 100000));
	BOTH(epoll_wait(epfd, &ev, 1, 100000));
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	BOTH(select(p[0] + 1, &set, NULL, NULL, NULL));
	BOTH(nanosleep(&far, NULL));
	return 0;
}
