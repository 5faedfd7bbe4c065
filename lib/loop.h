/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll loop of one thread: descriptors, timers, signals, children. Callbacks run on the loop's thread and may add
 * and remove any watch, their own too: a removed watch is never called again, even when its event was
 * already fetched.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include "lib/util.h"

#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_io;
struct loop_timer;
struct loop_child;

/* events: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP as epoll gives them. */
typedef void loop_io_fn(void *arg, uint32_t events);
typedef void loop_timer_fn(void *arg);
/* code: si_code (CLD_EXITED, CLD_KILLED, CLD_DUMPED), status: si_status, as waitid(2) gives them. The child is reaped. code
 * LOOP_NOT_CHILD: a process that is not a child of ours has ended, nobody tells us how. */
#define LOOP_NOT_CHILD 0
typedef void loop_child_fn(void *arg, int code, int status);
typedef void loop_signal_fn(void *arg, int signo);

/* 0 or -errno. */
int loop_new(struct loop **loop);
/* Frees the loop and the watches of descriptors that are left, which stay open; timers and children are freed before. */
void loop_free(struct loop *loop);
/* Runs until loop_stop(); returns the value given to it, or -errno when epoll fails. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int result);
/* Waits at most timeout_ms (-1: no limit) and handles what came. For embedding and tests. 0 or -errno. */
int loop_once(struct loop *loop, int timeout_ms);

/* Watches a descriptor that the caller keeps and closes after loop_io_del(). 0 or -errno. */
int loop_io_add(
	struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg, struct loop_io **io);
int loop_io_mod(struct loop_io *io, uint32_t events);
void loop_io_del(struct loop_io *io); /* NULL is fine */

/* One-shot timer, made disarmed. Monotonic clock. */
int loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg, struct loop_timer **timer);
void loop_timer_set(struct loop_timer *timer, int64_t in_ns); /* from now; 0: as soon as possible */
void loop_timer_cancel(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */

/* Watches a child through a pidfd and reaps it; or another process, whose end only is seen. The pidfd can be had for pidfd_send_signal(). */
int loop_child_add(
	struct loop *loop, pid_t pid, loop_child_fn *fn, void *arg, struct loop_child **child);
int loop_child_pidfd(const struct loop_child *child);
void loop_child_del(struct loop_child *child); /* stops watching; NULL is fine */

/* Blocks the signals in the calling thread (call it before other threads start) and hands them to fn. signals ends with 0. */
int loop_signals(struct loop *loop, const int *signals, loop_signal_fn *fn, void *arg);

/* Monotonic time in ns. */
int64_t loop_now_ns(void);

#endif
