/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches are never freed while a batch of events is being handled: a deleted one is marked dead, put on
 * the loop's graveyard and freed behind the batch. Timers are a sorted list behind one timerfd: managers and services
 * have tens of them, not thousands.
 */
#include "lib/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#define LOOP_BATCH 64

struct loop_io {
	struct loop *loop;
	int fd; /* borrowed */
	bool dead;
	loop_io_fn *fn;
	void *arg;
	struct loop_io *prev, *next; /* loop->ios, or (next only) loop->graveyard */
};

struct loop_timer {
	struct loop *loop;
	int64_t at_ns; /* 0: not armed */
	loop_timer_fn *fn;
	void *arg;
	struct loop_timer *next; /* loop->timers, ascending by at_ns, while armed */
};

struct loop_child {
	struct loop *loop;
	int pidfd; /* owned */
	struct loop_io *io;
	loop_child_fn *fn;
	void *arg;
};

struct loop {
	int epfd, timerfd, sigfd;
	bool running;
	int result;
	struct loop_io *ios, *graveyard, *timer_io, *sig_io;
	struct loop_timer *timers;
	int64_t programmed_ns; /* what timerfd is set to; 0: nothing */
	loop_signal_fn *sig_fn;
	void *sig_arg;
};

int64_t loop_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void bury(struct loop *loop)
{
	while (loop->graveyard) {
		struct loop_io *io = loop->graveyard;

		loop->graveyard = io->next;
		free(io);
	}
}

int loop_io_add(
	struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg, struct loop_io **out)
{
	struct loop_io *io = calloc(1, sizeof(*io));
	struct epoll_event ev = {.events = events, .data.ptr = io};

	if (!io)
		return -ENOMEM;
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int r = -errno;

		free(io);
		return r;
	}
	*io = (struct loop_io){.loop = loop, .fd = fd, .fn = fn, .arg = arg, .next = loop->ios};
	if (loop->ios)
		loop->ios->prev = io;
	loop->ios = io;
	*out = io;
	return 0;
}

int loop_io_mod(struct loop_io *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	return epoll_ctl(io->loop->epfd, EPOLL_CTL_MOD, io->fd, &ev) < 0 ? -errno : 0;
}

void loop_io_del(struct loop_io *io)
{
	struct loop *loop;

	if (!io)
		return;
	loop = io->loop;
	epoll_ctl(loop->epfd, EPOLL_CTL_DEL, io->fd, NULL);
	if (io->prev)
		io->prev->next = io->next;
	else
		loop->ios = io->next;
	if (io->next)
		io->next->prev = io->prev;
	io->dead = true;
	io->next = loop->graveyard;
	loop->graveyard = io;
}

/* Before the loop waits, and only when the first timer is another than last time: timers that are set and cancelled in
 * between cost no system call. */
static void timer_program(struct loop *loop)
{
	struct itimerspec its = {0};
	int64_t at_ns = loop->timers ? loop->timers->at_ns : 0;

	if (at_ns == loop->programmed_ns)
		return;
	loop->programmed_ns = at_ns;
	its.it_value.tv_sec = at_ns / NS_PER_S;
	its.it_value.tv_nsec = at_ns % NS_PER_S;
	timerfd_settime(loop->timerfd, TFD_TIMER_ABSTIME, &its, NULL);
}

static bool timers_due(const struct loop *loop)
{
	return loop->timers && loop->timers->at_ns <= loop_now_ns();
}

static void timers_run(struct loop *loop)
{
	int64_t now = loop_now_ns();

	while (loop->timers && loop->timers->at_ns <= now) {
		struct loop_timer *t = loop->timers;

		loop->timers = t->next;
		t->at_ns = 0;
		t->fn(t->arg);
	}
}

static void timer_fired(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	uint64_t count;

	(void)events;
	if (read(loop->timerfd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		loop->programmed_ns = 0;
}

int loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg, struct loop_timer **out)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct loop_timer){.loop = loop, .fn = fn, .arg = arg};
	*out = t;
	return 0;
}

void loop_timer_cancel(struct loop_timer *t)
{
	struct loop_timer **p;

	if (!t->at_ns)
		return;
	for (p = &t->loop->timers; *p != t; p = &(*p)->next)
		;
	*p = t->next;
	t->at_ns = 0;
}

void loop_timer_set(struct loop_timer *t, int64_t in_ns)
{
	struct loop_timer **p;

	loop_timer_cancel(t);
	t->at_ns = loop_now_ns() + (in_ns > 0 ? in_ns : 0);
	for (p = &t->loop->timers; *p && (*p)->at_ns <= t->at_ns; p = &(*p)->next)
		;
	t->next = *p;
	*p = t;
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	loop_timer_cancel(t);
	free(t);
}

static void child_ready(void *arg, uint32_t events)
{
	struct loop_child *child = arg;
	loop_child_fn *fn = child->fn;
	void *fn_arg = child->arg;
	siginfo_t info = {0};

	(void)events;
	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) < 0) {
		if (errno != ECHILD)
			return;
		info.si_code = LOOP_NOT_CHILD;
	} else if (info.si_pid == 0) {
		return;
	}
	loop_child_del(child);
	fn(fn_arg, info.si_code, info.si_status);
}

int loop_child_add(
	struct loop *loop, pid_t pid, loop_child_fn *fn, void *arg, struct loop_child **out)
{
	struct loop_child *child = calloc(1, sizeof(*child));
	int r;

	if (!child)
		return -ENOMEM;
	*child = (struct loop_child){.loop = loop, .fn = fn, .arg = arg};
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (child->pidfd < 0) {
		r = -errno;
		free(child);
		return r;
	}
	r = loop_io_add(loop, child->pidfd, EPOLLIN, child_ready, child, &child->io);
	if (r < 0) {
		close(child->pidfd);
		free(child);
		return r;
	}
	*out = child;
	return 0;
}

int loop_child_pidfd(const struct loop_child *child)
{
	return child->pidfd;
}

void loop_child_del(struct loop_child *child)
{
	if (!child)
		return;
	loop_io_del(child->io);
	close(child->pidfd);
	free(child);
}

static void signals_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(loop->sigfd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop->sig_fn(loop->sig_arg, (int)info.ssi_signo);
}

int loop_signals(struct loop *loop, const int *signals, loop_signal_fn *fn, void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	loop->sigfd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (loop->sigfd < 0)
		return -errno;
	loop->sig_fn = fn;
	loop->sig_arg = arg;
	return loop_io_add(loop, loop->sigfd, EPOLLIN, signals_ready, loop, &loop->sig_io);
}

int loop_new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->sigfd = -1;
	loop->timerfd = -1;
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd < 0) {
		r = -errno;
		goto out_free;
	}
	loop->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timerfd < 0) {
		r = -errno;
		goto out_free;
	}
	r = loop_io_add(loop, loop->timerfd, EPOLLIN, timer_fired, loop, &loop->timer_io);
	if (r < 0)
		goto out_free;
	*out = loop;
	return 0;
out_free:
	loop_free(loop);
	return r;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->ios)
		loop_io_del(loop->ios);
	bury(loop);
	if (loop->sigfd >= 0)
		close(loop->sigfd);
	if (loop->timerfd >= 0)
		close(loop->timerfd);
	if (loop->epfd >= 0)
		close(loop->epfd);
	free(loop);
}

int loop_once(struct loop *loop, int timeout_ms)
{
	struct epoll_event ev[LOOP_BATCH];
	bool due = timers_due(loop);
	int n;

	if (!due)
		timer_program(loop);
	n = epoll_wait(loop->epfd, ev, LOOP_BATCH, due ? 0 : timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct loop_io *io = ev[i].data.ptr;

		if (!io->dead)
			io->fn(io->arg, ev[i].events);
	}
	if (n > 0 || due)
		timers_run(loop); /* behind what came in: timers have the lowest priority */
	bury(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	loop->running = true;
	while (loop->running) {
		int r = loop_once(loop, -1);

		if (r < 0)
			return r;
	}
	return loop->result;
}

void loop_stop(struct loop *loop, int result)
{
	loop->running = false;
	loop->result = result;
}
