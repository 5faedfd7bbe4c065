/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_create(2) and its family. A timer has at most one signal in a queue: a periodic one rests from its expiry until that signal is
 * taken, and what it missed meanwhile is the overrun. So a program that blocks the signal costs nothing.
 * Times are kept on the timer's clock, relative ones of CLOCK_REALTIME on CLOCK_MONOTONIC, because steps do not concern them.
 */
#include "libos/sched/posix_timer.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/clock.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define TIMERS_MAX    256
#define OVERRUN_MAX   INT32_MAX
#define TIMER_ABSTIME 1

#define SIGEV_SIGNAL    0
#define SIGEV_NONE      1
#define SIGEV_THREAD    2
#define SIGEV_THREAD_ID 4

struct sigevent {
	uint64_t value;
	int32_t signo, notify, tid, pad[11];
};

struct posix_timer {
	struct ktimer timer;
	int id, clock, tid; /* tid 0: the process */
	int signo;          /* 0: none */
	uint64_t value;
	int run_clock;         /* that `at` is on */
	uint64_t at, interval; /* ns; at 0: not armed */
	bool queued;           /* the signal waits to be taken */
	int32_t overrun;       /* at the last signal that was taken */
};

static struct posix_timer *timers[TIMERS_MAX];

static uint64_t now_of(const struct posix_timer *t)
{
	uint64_t ns = 0;

	clock_read_any(t->run_clock, &ns);
	return ns;
}

static void run_from_now(struct posix_timer *t)
{
	uint64_t now = now_of(t);

	ktimer_set(&t->timer, clock_mono_ns() + (t->at > now ? t->at - now : 0));
}

static void send(struct posix_timer *t)
{
	struct siginfo info = {.signo = t->signo, .code = SI_TIMER};
	struct thread *to = t->tid ? thread_by_tid(t->tid) : NULL;

	if (!t->signo || (t->tid && !to))
		return;
	info.sender.pid = t->id; /* si_tid; si_overrun follows when it is taken */
	info.sender.value = t->value;
	t->queued = true;
	if (to)
		signal_send_thread(to, &info);
	else
		signal_send_process(&info);
}

static void expired(struct ktimer *k)
{
	struct posix_timer *t = container_of(k, struct posix_timer, timer);

	if (now_of(t) < t->at) { /* CPU time stood still, or the clock went back */
		run_from_now(t);
		return;
	}
	if (!t->interval)
		t->at = 0;
	if (!t->queued)
		send(t);
	if (t->interval && !t->queued) { /* nobody to tell */
		t->at += (1 + (now_of(t) - t->at) / t->interval) * t->interval;
		run_from_now(t);
	}
}

void posix_timer_taken(struct siginfo *info)
{
	struct posix_timer *t = NULL;
	uint64_t missed, now;

	if (info->sender.pid >= 0 && info->sender.pid < TIMERS_MAX)
		t = timers[info->sender.pid];
	info->sender.uid = 0;
	if (!t || !t->queued)
		return;
	t->queued = false;
	t->overrun = 0;
	if (!t->at || !t->interval)
		return;
	now = now_of(t);
	missed = now > t->at ? (now - t->at) / t->interval : 0;
	t->overrun = missed < OVERRUN_MAX ? (int32_t)missed : OVERRUN_MAX;
	info->sender.uid = (uint32_t)t->overrun;
	t->at += (missed + 1) * t->interval;
	run_from_now(t);
}

void posix_timers_clock_changed(void)
{
	for (unsigned i = 0; i < TIMERS_MAX; i++) {
		struct posix_timer *t = timers[i];

		if (t && t->at && t->run_clock == CLOCK_REALTIME && !t->queued)
			run_from_now(t);
	}
}

/* ---- the calls */

static struct posix_timer *find(uint64_t id)
{
	return (int)id >= 0 && (int)id < TIMERS_MAX ? timers[(int)id] : NULL;
}

static int check_event(const struct sigevent *e)
{
	switch (e->notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_THREAD_ID:
		if (e->tid <= 0 || !thread_by_tid(e->tid))
			return -EINVAL;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default: /* outside numbers */
		return -EINVAL;
	}
	return e->signo > 0 && e->signo <= SIGNALS ? 0 : -EINVAL;
}

static int free_id(void)
{
	for (int i = 0; i < TIMERS_MAX; i++) {
		if (!timers[i])
			return i;
	}
	return -EAGAIN;
}

static bool may_time(int clock)
{
	uint64_t ns;

	if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
		clock == CLOCK_MONOTONIC_COARSE)
		return false;
	return clock_read_any(clock, &ns) == 0;
}

/* A thread's own CPU clock is named by its number, because the timer may run on behalf of another. */
static int own_clock(int clock)
{
	return clock == CLOCK_THREAD_CPUTIME_ID ? clock_of_thread(current_thread->tid) : clock;
}

long sys_timer_create(const uint64_t a[6])
{
	struct sigevent e = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
	struct posix_timer *t;
	int id;

	if (a[1] && get_user(&e, a[1]))
		return -EFAULT;
	if (!may_time((int)a[0]) || check_event(&e))
		return -EINVAL;
	id = free_id();
	if (id < 0)
		return id;
	if (put_user(a[2], &id))
		return -EFAULT;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -EAGAIN;
	ktimer_init(&t->timer, expired);
	t->id = id;
	t->clock = own_clock((int)a[0]);
	t->tid = e.notify == SIGEV_THREAD_ID ? e.tid : 0;
	t->signo = e.notify == SIGEV_NONE ? 0 : e.signo;
	t->value = a[1] ? e.value : (uint64_t)id;
	timers[id] = t;
	return 0;
}

static struct itimerspec left_of(const struct posix_timer *t)
{
	uint64_t now = now_of(t), left = 0;

	if (t->at > now)
		left = t->at - now;
	else if (t->at && t->interval)
		left = t->interval - (now - t->at) % t->interval;
	else if (t->at)
		left = 1; /* due, not yet told: never 0 */
	return (struct itimerspec){timespec_of(t->interval), timespec_of(left)};
}

static void arm(struct posix_timer *t, uint64_t value, uint64_t interval, bool absolute)
{
	ktimer_cancel(&t->timer);
	t->queued = false;
	t->overrun = 0;
	t->interval = interval;
	t->at = 0;
	t->run_clock = t->clock;
	if (!value)
		return;
	if (!absolute && t->clock >= 0 && t->clock != CLOCK_PROCESS_CPUTIME_ID)
		t->run_clock = CLOCK_MONOTONIC;
	t->at = absolute ? value : now_of(t) + value;
	run_from_now(t);
}

long sys_timer_settime(const uint64_t a[6])
{
	struct itimerspec set, old;
	uint64_t value, interval;
	struct posix_timer *t;

	if (!a[2])
		return -EINVAL;
	if (get_user(&set, a[2]))
		return -EFAULT;
	t = find(a[0]);
	if (!t || timespec_read(&set.it_value, &value) ||
		timespec_read(&set.it_interval, &interval))
		return -EINVAL;
	old = left_of(t);
	arm(t, value, interval, a[1] & TIMER_ABSTIME);
	return a[3] && put_user(a[3], &old) ? -EFAULT : 0;
}

long sys_timer_gettime(const uint64_t a[6])
{
	const struct posix_timer *t = find(a[0]);
	struct itimerspec left;

	if (!t)
		return -EINVAL;
	left = left_of(t);
	return put_user(a[1], &left) ? -EFAULT : 0;
}

long sys_timer_getoverrun(const uint64_t a[6])
{
	const struct posix_timer *t = find(a[0]);

	return t ? t->overrun : -EINVAL;
}

long sys_timer_delete(const uint64_t a[6])
{
	struct posix_timer *t = find(a[0]);

	if (!t)
		return -EINVAL;
	ktimer_cancel(&t->timer);
	timers[t->id] = NULL;
	kfree(t);
	return 0;
}
