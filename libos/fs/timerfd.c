/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd(2). Times are kept on CLOCK_MONOTONIC; a timer of CLOCK_REALTIME with an absolute time is armed anew when that clock steps, and
 * one with TFD_TIMER_CANCEL_ON_SET then answers ECANCELED once.
 */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/timerfd.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

struct timerfd {
	struct list all;
	bool real; /* times are CLOCK_REALTIME's */
	bool absolute, cancel_on_set, canceled;
	uint64_t target; /* of an absolute CLOCK_REALTIME timer, on that clock */
	uint64_t next;   /* expiry on CLOCK_MONOTONIC; 0: disarmed */
	uint64_t interval;
	uint64_t ticks; /* expiries that nobody has read */
	struct ktimer timer;
	struct waitq wait;
	struct pollable pollable;
};

static struct list timers = LIST_INIT(timers);

static void tell(struct timerfd *t)
{
	waitq_wake_all(&t->wait);
	poll_notify(&t->pollable, POLLIN);
}

/* Counts what has expired by now and arms for the next. */
static void advance(struct timerfd *t)
{
	uint64_t now = clock_mono_ns(), n = 1;

	if (!t->next || t->next > now)
		return;
	if (t->interval) {
		n += (now - t->next) / t->interval;
		t->next += n * t->interval;
		t->target += n * t->interval;
		ktimer_set(&t->timer, t->next);
	} else {
		t->next = 0;
	}
	t->ticks += n;
}

static void expired(struct ktimer *k)
{
	struct timerfd *t = container_of(k, struct timerfd, timer);

	advance(t);
	if (t->ticks)
		tell(t);
	else if (t->next)
		ktimer_set(k, t->next);
}

static long timerfd_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct timerfd *t = f->priv;
	uint64_t ticks;
	long rc;

	if (it->left < sizeof(ticks))
		return -EINVAL;
	for (;;) {
		advance(t);
		if (t->canceled) {
			t->canceled = false;
			t->ticks = 0;
			return -ECANCELED;
		}
		if (t->ticks)
			break;
		rc = nonblock ? -EAGAIN : waitq_wait_restart(&t->wait);
		if (rc < 0)
			return rc;
	}
	ticks = t->ticks;
	t->ticks = 0;
	rc = iter_put(it, &ticks, sizeof(ticks));
	return rc == (long)sizeof(ticks) ? rc : -EFAULT;
}

static uint32_t timerfd_poll(struct file *f)
{
	struct timerfd *t = f->priv;

	advance(t);
	return t->ticks || t->canceled ? POLLIN : 0;
}

static struct pollable *timerfd_pollable(struct file *f)
{
	return &((struct timerfd *)f->priv)->pollable;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;

	ktimer_cancel(&t->timer);
	list_del(&t->all);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
	.name = "timerfd",
	.seek = file_seek_stream,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.pollable = timerfd_pollable,
	.release = timerfd_release,
};

static int clock_kind(int clock, bool *real)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		*real = true;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*real = false;
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_timerfd_create(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[1];
	struct timerfd *t;
	struct file *f;
	bool real;

	if (clock_kind((int)a[0], &real) < 0 || (flags & ~(O_NONBLOCK | O_CLOEXEC)))
		return -EINVAL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->real = real;
	ktimer_init(&t->timer, expired);
	waitq_init(&t->wait);
	pollable_init(&t->pollable);
	f = file_new(&timerfd_ops, O_RDWR | (flags & O_NONBLOCK), t);
	if (!f) {
		kfree(t);
		return -ENOMEM;
	}
	list_add_tail(&timers, &t->all);
	return fd_install_new(f, flags & O_CLOEXEC);
}

/* The time on CLOCK_MONOTONIC at which CLOCK_REALTIME shows target. */
static uint64_t mono_of_real(uint64_t target)
{
	uint64_t real = clock_real_ns(), now = clock_mono_ns();

	return target > real ? now + (target - real) : now;
}

void timerfd_clock_changed(void)
{
	list_for_each (t, &timers, struct timerfd, all) {
		if (!t->real || !t->absolute || !t->next)
			continue;
		t->next = mono_of_real(t->target);
		ktimer_set(&t->timer, t->next);
		if (t->cancel_on_set) {
			t->canceled = true;
			tell(t);
		}
	}
}

static struct timespec ns_to_timespec(uint64_t ns)
{
	return (struct timespec){(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC)};
}

static int timespec_to_ns(const struct timespec *t, uint64_t *ns)
{
	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	if ((uint64_t)t->tv_sec > UINT64_MAX / 4 / NS_PER_SEC)
		*ns = UINT64_MAX / 4;
	else
		*ns = (uint64_t)t->tv_sec * NS_PER_SEC + (uint64_t)t->tv_nsec;
	return 0;
}

static struct itimerspec timerfd_left(struct timerfd *t)
{
	uint64_t now = clock_mono_ns();

	advance(t);
	return (struct itimerspec){.it_interval = ns_to_timespec(t->interval),
		.it_value = ns_to_timespec(t->next > now ? t->next - now : 0)};
}

static struct timerfd *timerfd_of(int fd, long *error)
{
	struct file *f = fd_file(fd);

	*error = !f ? -EBADF : f->ops != &timerfd_ops ? -EINVAL : 0;
	return *error ? NULL : f->priv;
}

static void arm(struct timerfd *t, uint64_t value, uint64_t interval, unsigned flags)
{
	ktimer_cancel(&t->timer);
	t->absolute = flags & TFD_TIMER_ABSTIME;
	t->cancel_on_set = t->real && t->absolute && (flags & TFD_TIMER_CANCEL_ON_SET);
	t->canceled = false;
	t->ticks = 0;
	t->interval = interval;
	t->target = value;
	t->next = 0;
	if (!value)
		return;
	if (!t->absolute)
		t->next = clock_mono_ns() + value;
	else
		t->next = t->real ? mono_of_real(value) : value;
	ktimer_set(&t->timer, t->next);
}

long sys_timerfd_settime(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[1];
	struct itimerspec set, old;
	uint64_t value, interval;
	struct timerfd *t;
	long rc;

	if (get_user(&set, a[2]) < 0)
		return -EFAULT;
	if ((flags & ~(unsigned)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
		timespec_to_ns(&set.it_value, &value) < 0 ||
		timespec_to_ns(&set.it_interval, &interval) < 0)
		return -EINVAL;
	t = timerfd_of((int)a[0], &rc);
	if (!t)
		return rc;
	old = timerfd_left(t);
	arm(t, value, interval, flags);
	return a[3] ? put_user(a[3], &old) : 0;
}

long sys_timerfd_gettime(const uint64_t a[6])
{
	struct itimerspec left;
	struct timerfd *t;
	long rc;

	t = timerfd_of((int)a[0], &rc);
	if (!t)
		return rc;
	left = timerfd_left(t);
	return put_user(a[1], &left);
}
