/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads, wait queues, timers. One vCPU; the libOS is never preempted: between two calls that can block, nothing else runs, so
 * there are no locks, and "look at the condition, then wait" is atomic. Calls that can block say so.
 */
#ifndef LIBOS_SCHED_THREAD_H
#define LIBOS_SCHED_THREAD_H

#include "libos/klib/errno.h"
#include "libos/klib/list.h"

#include <stdint.h>

struct thread; /* full definition: libos/sched/thread_impl.h, for sched/ arch/ exec/ only */

/* The running thread; its id as gettid(2) gives it. */
struct thread *thread_current(void);
int thread_tid(const struct thread *t);
bool thread_exists(int tid);

/* CPU time in ns: of one thread, of all threads together, the ended ones too. */
uint64_t thread_cpu_ns(const struct thread *t);
uint64_t process_cpu_ns(void);

/* ---- time: CLOCK_MONOTONIC in ns since boot, CLOCK_REALTIME in ns since 1970 */
#define NS_PER_SEC   1000000000ull
#define TIME_FOREVER UINT64_MAX
uint64_t clock_mono_ns(void);
uint64_t clock_real_ns(void);

/* ---- wait queues */
struct waitq {
	struct list waiters;
};
#define WAITQ_INIT(name)                                                                           \
	{                                                                                          \
		LIST_INIT((name).waiters)                                                          \
	}
static inline void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

/* Blocks until woken (0), until clock_mono_ns() reaches deadline (-ETIMEDOUT), or until a signal is to be delivered to
 * this thread (-EINTR). The caller looks at its condition again: a wake-up is only a hint. */
int waitq_wait(struct waitq *q, uint64_t deadline);
/* As above without a deadline, for a call that begins again after a signal: -ERESTARTSYS then. */
static inline int waitq_wait_restart(struct waitq *q)
{
	int rc = waitq_wait(q, TIME_FOREVER);

	return rc == -EINTR ? -ERESTARTSYS : rc;
}
/* As waitq_wait(), but no signal ends it. */
int waitq_wait_uninterruptible(struct waitq *q, uint64_t deadline);
/* Makes the first n waiters (in the order they came) runnable; returns how many. Never blocks or switches. */
unsigned waitq_wake(struct waitq *q, unsigned n);
#define waitq_wake_all(q) waitq_wake((q), UINT32_MAX)

/* Lets other runnable threads run. */
void thread_yield(void);
/* A round of a loop that asks which files are ready is over: whoever waits for his turn has it now, and not when the slice is used up;
 * but not one that computes for whole slices, or the loop would make one round in each. */
void thread_turn(void);

/* ---- timers: callbacks run from the idle loop and at system calls, on whatever thread; they must not block. */
struct ktimer {
	struct ktimer *child, *next, *prev; /* heap, see ktimer.c */
	uint64_t deadline;                  /* clock_mono_ns(); meaningful while armed */
	void (*fn)(struct ktimer *timer);
	bool armed;
};
void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *));
void ktimer_set(struct ktimer *t, uint64_t deadline); /* re-arms when armed */
void ktimer_cancel(struct ktimer *t);
bool ktimer_armed(const struct ktimer *t);

/* ---- pollers: devices without interrupts. pending() is a few loads; run() handles what is there and must not block;
 * arm() asks the device to end a WAIT (or to interrupt) for news, after which pending() is asked once more; kick() hands to
 * the device what was queued, and is called before a sleep and before the program goes on running; there leave() is called instead
 * where it is given: it may hold things back for the next call, unless the thread computes for long between calls; true when that matters.
 * served_by_wait: platform_wait() itself lets the device work. Any but pending/run may be NULL. */
struct poller {
	struct list link;
	bool (*pending)(void);
	void (*run)(void);
	void (*arm)(void);
	void (*kick)(void);
	bool (*leave)(bool computes);
	bool served_by_wait;
};
void poller_add(struct poller *p);

/* ---- signals, as far as others send them */
struct siginfo;                     /* libos/sched/signal.h */
void signal_process(int signo);     /* to the process, from the kernel (si_code SI_KERNEL) */
void signal_thread_sync(int signo); /* to the calling thread (SIGPIPE) */
bool signal_pending(void);          /* something to deliver to the calling thread */

/* Ends the program: exit status 0-255. */
_Noreturn void process_exit(int status);

#endif
