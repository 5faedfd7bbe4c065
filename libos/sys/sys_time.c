/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and setting clocks, sleeping, interval timers. Times of the program are checked as Linux checks them. */
#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define TIMER_ABSTIME   1
#define COARSE_RES_NS   4000000
#define NS_PER_US       1000ull
#define US_PER_SEC      1000000
#define CLOCK_LAST      CLOCK_TAI
#define CPUCLOCK_WHICH  3
#define CPUCLOCK_FD     3
#define CPUCLOCK_SCHED  2
#define CPUCLOCK_THREAD 4
#define MAX_SECONDS     (TIME_FOREVER / NS_PER_SEC / 2)

struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC)};
}

static bool timespec_valid(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (int64_t)NS_PER_SEC;
}

static uint64_t timespec_ns(const struct timespec *ts)
{
	if ((uint64_t)ts->tv_sec >= MAX_SECONDS)
		return MAX_SECONDS * NS_PER_SEC;
	return (uint64_t)ts->tv_sec * NS_PER_SEC + (uint64_t)ts->tv_nsec;
}

/* A negative id names a process's or thread's CPU clock: ~pid in the upper bits (clock_getcpuclockid(3)). */
static int cpu_clock_read(int id, uint64_t *ns)
{
	int pid = ~(id >> 3);
	struct thread *t = thread_current();

	if ((id & CPUCLOCK_WHICH) == CPUCLOCK_FD)
		return -EINVAL;
	if (id & CPUCLOCK_THREAD) {
		if (pid)
			t = thread_by_tid(pid);
		if (!t)
			return -EINVAL;
		*ns = thread_cpu_ns(t);
		return 0;
	}
	if (pid != 0 && pid != 1)
		return -EINVAL;
	*ns = process_cpu_ns();
	return 0;
}

int clock_read_any(int id, uint64_t *ns)
{
	return id < 0 ? cpu_clock_read(id, ns) : clock_read(id, ns);
}

int clock_of_thread(int tid)
{
	return (int)(~(unsigned)tid << 3) | CPUCLOCK_SCHED | CPUCLOCK_THREAD;
}

int timespec_read(const struct timespec *ts, uint64_t *ns)
{
	if (!timespec_valid(ts))
		return -EINVAL;
	*ns = timespec_ns(ts);
	return 0;
}

long sys_clock_gettime(const uint64_t a[6])
{
	struct timespec ts;
	uint64_t ns;
	int r = clock_read_any((int)a[0], &ns);

	if (r < 0)
		return r;
	ts = timespec_of(ns);
	return put_user(a[1], &ts) < 0 ? -EFAULT : 0;
}

long sys_clock_getres(const uint64_t a[6])
{
	int id = (int)a[0];
	struct timespec ts = {0, 1};
	uint64_t ns;
	int r = clock_read_any(id, &ns);

	if (r < 0)
		return r;
	if (id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
		ts.tv_nsec = COARSE_RES_NS;
	return a[1] && put_user(a[1], &ts) < 0 ? -EFAULT : 0;
}

long sys_clock_settime(const uint64_t a[6])
{
	struct timespec ts;

	if ((int)a[0] != CLOCK_REALTIME)
		return -EINVAL;
	if (get_user(&ts, a[1]) < 0)
		return -EFAULT;
	if (!timespec_valid(&ts) || (uint64_t)ts.tv_sec >= MAX_SECONDS)
		return -EINVAL;
	if (!cred_has(CAP_SYS_TIME))
		return -EPERM;
	clock_set_real(timespec_ns(&ts));
	return 0;
}

/* The time zone is looked at and forgotten. */
long sys_settimeofday(const uint64_t a[6])
{
	struct timeval tv;
	int zone[2];

	if (a[0] && get_user(&tv, a[0]) < 0)
		return -EFAULT;
	if (a[0] && (tv.tv_usec < 0 || tv.tv_usec >= 1000000))
		return -EINVAL;
	if (a[1] && get_user(&zone, a[1]) < 0)
		return -EFAULT;
	if (a[0] && (tv.tv_sec < 0 || (uint64_t)tv.tv_sec >= MAX_SECONDS))
		return -EINVAL;
	if (!cred_has(CAP_SYS_TIME))
		return -EPERM;
	if (a[0])
		clock_set_real((uint64_t)tv.tv_sec * NS_PER_SEC + (uint64_t)tv.tv_usec * 1000);
	return 0;
}

long sys_gettimeofday(const uint64_t a[6])
{
	uint64_t ns = clock_real_ns();
	struct timeval tv = {(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC / NS_PER_US)};
	int32_t zone[2] = {0, 0};

	if (a[0] && put_user(a[0], &tv) < 0)
		return -EFAULT;
	return a[1] && put_user(a[1], &zone) < 0 ? -EFAULT : 0;
}

long sys_time(const uint64_t a[6])
{
	int64_t now = (int64_t)(clock_real_ns() / NS_PER_SEC);

	if (a[0] && put_user(a[0], &now) < 0)
		return -EFAULT;
	return (long)now;
}

/* ---- sleeping */

/* Sleeps to the deadline; what is left goes to urem when a signal ends a relative sleep. */
static long sleep_until(uint64_t deadline, uptr_t urem)
{
	struct timespec left;
	uint64_t now;
	int r;

	do {
		r = thread_block(deadline, true);
	} while (r == 0);
	if (r == -ETIMEDOUT)
		return 0;
	now = clock_mono_ns();
	left = timespec_of(deadline > now ? deadline - now : 0);
	return urem && put_user(urem, &left) < 0 ? -EFAULT : -EINTR;
}

long sys_nanosleep(const uint64_t a[6])
{
	struct timespec ts;

	if (get_user(&ts, a[0]) < 0)
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	return sleep_until(clock_mono_ns() + timespec_ns(&ts), a[1]);
}

long sys_clock_nanosleep(const uint64_t a[6])
{
	int id = (int)a[0];
	bool absolute = (int)a[1] & TIMER_ABSTIME;
	struct timespec ts;
	uint64_t now, deadline;

	if (id < 0 || id > CLOCK_LAST || id == CLOCK_THREAD_CPUTIME_ID || clock_read(id, &now) < 0)
		return -EINVAL;
	if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_MONOTONIC_RAW ||
		id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if (get_user(&ts, a[2]) < 0)
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	deadline = clock_mono_ns();
	if (!absolute)
		deadline += timespec_ns(&ts);
	else if (timespec_ns(&ts) > now)
		deadline += timespec_ns(&ts) - now;
	else
		return 0;
	return sleep_until(deadline, absolute ? 0 : a[3]);
}

/* ---- interval timers: REAL runs on the monotonic clock, VIRTUAL and PROF on the CPU time of the process */

#define ITIMER_REAL 0
#define ITIMERS     3

struct itimer {
	struct ktimer timer;
	uint64_t at, interval; /* ns on its clock; at 0: not armed */
	int signo;
	bool ready;
};

struct itimerval {
	struct timeval interval, value;
};

static struct itimer itimers[ITIMERS];

static uint64_t itimer_now(const struct itimer *it)
{
	return it == &itimers[ITIMER_REAL] ? clock_mono_ns() : process_cpu_ns();
}

static void itimer_arm(struct itimer *it)
{
	uint64_t now = itimer_now(it);

	ktimer_set(&it->timer, clock_mono_ns() + (it->at > now ? it->at - now : 0));
}

static void itimer_expired(struct ktimer *timer)
{
	struct itimer *it = container_of(timer, struct itimer, timer);
	uint64_t now = itimer_now(it);

	if (now < it->at) { /* the CPU was idle meanwhile */
		itimer_arm(it);
		return;
	}
	if (it->interval)
		it->at += (1 + (now - it->at) / it->interval) * it->interval;
	else
		it->at = 0;
	signal_process(it->signo);
	if (it->at)
		itimer_arm(it);
}

static struct itimer *itimer_get(int which)
{
	static const int signals[ITIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};
	struct itimer *it = &itimers[which];

	if (!it->ready) {
		ktimer_init(&it->timer, itimer_expired);
		it->signo = signals[which];
		it->ready = true;
	}
	return it;
}

static uint64_t itimer_left(const struct itimer *it)
{
	uint64_t now = itimer_now(it);

	if (!it->at)
		return 0;
	return it->at > now ? it->at - now
			    : NS_PER_US; /* due, not yet delivered: never 0 (setitimer(2)) */
}

static void itimer_set(struct itimer *it, uint64_t value, uint64_t interval)
{
	ktimer_cancel(&it->timer);
	it->interval = interval;
	it->at = value ? itimer_now(it) + value : 0;
	if (it->at)
		itimer_arm(it);
}

static struct timeval to_timeval(uint64_t ns)
{
	return (struct timeval){(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC / NS_PER_US)};
}

static int timeval_ns(const struct timeval *tv, uint64_t *ns)
{
	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= US_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)tv->tv_sec >= MAX_SECONDS
		? MAX_SECONDS * NS_PER_SEC
		: (uint64_t)tv->tv_sec * NS_PER_SEC + (uint64_t)tv->tv_usec * NS_PER_US;
	return 0;
}

static long itimer_read(const struct itimer *it, uptr_t dst)
{
	struct itimerval val = {to_timeval(it->interval), to_timeval(itimer_left(it))};

	return put_user(dst, &val) < 0 ? -EFAULT : 0;
}

long sys_getitimer(const uint64_t a[6])
{
	int which = (int)a[0];

	if (which < 0 || which >= ITIMERS)
		return -EINVAL;
	return itimer_read(itimer_get(which), a[1]);
}

long sys_setitimer(const uint64_t a[6])
{
	int which = (int)a[0];
	struct itimerval val = {{0, 0}, {0, 0}};
	uint64_t value, interval;
	struct itimer *it;

	if (a[1] && get_user(&val, a[1]) < 0)
		return -EFAULT;
	if (which < 0 || which >= ITIMERS || timeval_ns(&val.value, &value) < 0 ||
		timeval_ns(&val.interval, &interval) < 0)
		return -EINVAL;
	it = itimer_get(which);
	if (a[2] && itimer_read(it, a[2]) < 0)
		return -EFAULT;
	itimer_set(it, value, interval);
	return 0;
}

/* Answers with the seconds that were left, rounded to the nearest and never down to 0 (alarm(2)). */
long sys_alarm(const uint64_t a[6])
{
	struct itimer *it = itimer_get(ITIMER_REAL);
	uint64_t left = itimer_left(it);
	uint64_t seconds = (left + NS_PER_SEC / 2) / NS_PER_SEC;

	itimer_set(it, (uint64_t)(uint32_t)a[0] * NS_PER_SEC, 0);
	return (long)(left && !seconds ? 1 : seconds);
}
