/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupted calls: with SA_RESTART read goes on, without it answers EINTR; nanosleep, poll and others always do. */
#include "tests/guest/guest.h"

#include <stdatomic.h>
#include <poll.h>
#include <sys/epoll.h>

static int p[2];
static pthread_t main_thread;
static volatile int handled;
static atomic_bool over;

static void count(int signo, siginfo_t *info, void *context)
{
	handled++;
}

/* Signals the first thread, again and again so that one finds the call waiting: until the call is over, or, when it goes on, until
 * handlers have run; then what it reads comes. */
static void *interrupt(void *arg)
{
	int before = handled;

	while (arg ? handled < before + 3 : !over) {
		sleep_ms(10);
		pthread_kill(main_thread, SIGUSR1);
	}
	if (arg)
		NEED(write(p[1], "x", 1) == 1);
	return NULL;
}

static void with_signal(bool feed, void (*call)(void))
{
	pthread_t thread;

	over = false;
	thread = start_thread(interrupt, feed ? p : NULL);
	call();
	over = true;
	pthread_join(thread, NULL);
}

static void call_read(void)
{
	char c;

	SHOW(read(p[0], &c, 1));
}

static void call_nanosleep(void)
{
	struct timespec time = {100, 0}, left = {0};

	SHOW(nanosleep(&time, &left));
	ASK(left.tv_sec >= 40 && left.tv_sec < 100);
}

static void call_poll(void)
{
	struct pollfd pfd = {.fd = p[0], .events = POLLIN};

	SHOW(poll(&pfd, 1, 100000));
}

static void call_epoll(void)
{
	struct epoll_event out;

	SHOW(epoll_wait(epoll_create1(0), &out, 1, 100000));
}

static void call_pause(void)
{
	SHOW(pause());
}

static void call_clock_nanosleep(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += 100;
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL));
}

int main(void)
{
	main_thread = pthread_self();
	NEED(pipe(p) == 0);
	on_signal(SIGUSR1, count, 0);
	with_signal(false, call_read);
	on_signal(SIGUSR1, count, SA_RESTART);
	with_signal(true, call_read);
	with_signal(false, call_nanosleep);
	with_signal(false, call_poll);
	with_signal(false, call_epoll);
	with_signal(false, call_pause);
	with_signal(false, call_clock_nanosleep);
	return 0;
}
