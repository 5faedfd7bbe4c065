/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll, ppoll, select, pselect6. A call watches all its files, looks at each, and waits on one queue until a watcher was told; then it looks
 * again at all. The files are held by references while it waits, so descriptors may be closed meanwhile.
 */
#include "libos/fs/inode.h"
#include "libos/fs/ready.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/epoll.h"

#define FAST_FDS 4u

/* POLLIN and its kind, with the bits that mean the same here. */
#define POLLRDNORM 0x040u
#define POLLWRNORM 0x100u
#define POLLRDBAND 0x080u

struct poll_call {
	struct waitq wait;
	bool told;
};

struct poll_item {
	struct poll_watch watch;
	struct poll_call *call;
	struct file *file; /* NULL: no such descriptor, or not asked for */
	int fd;
	uint32_t events, revents;
};

uint64_t deadline_ms(int64_t ms)
{
	return ms < 0 ? TIME_FOREVER : clock_mono_ns() + (uint64_t)ms * 1000000u;
}

int deadline_timespec(const struct timespec *t, uint64_t *deadline)
{
	uint64_t now = clock_mono_ns();

	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	if ((uint64_t)t->tv_sec > (TIME_FOREVER - now) / NS_PER_SEC - 1)
		*deadline = TIME_FOREVER;
	else
		*deadline = now + (uint64_t)t->tv_sec * NS_PER_SEC + (uint64_t)t->tv_nsec;
	return 0;
}

static bool poll_told(struct poll_watch *w, uint32_t events)
{
	struct poll_item *it = container_of(w, struct poll_item, watch);

	if (!(events & (it->events | POLLERR | POLLHUP)))
		return false;
	it->call->told = true;
	return waitq_wake_all(&it->call->wait);
}

/* Events of poll(2) in those that files speak of. */
static uint32_t poll_wanted(uint32_t events)
{
	if (events & (POLLRDNORM | POLLRDBAND))
		events |= POLLIN;
	if (events & POLLWRNORM)
		events |= POLLOUT;
	return events;
}

static uint32_t poll_answer(uint32_t ready, uint32_t events)
{
	if (ready & POLLIN)
		ready |= POLLRDNORM;
	if (ready & POLLOUT)
		ready |= POLLWRNORM;
	return ready & (events | POLLERR | POLLHUP);
}

static int scan(struct poll_item *items, unsigned n)
{
	int count = 0;

	for (unsigned i = 0; i < n; i++) {
		struct poll_item *it = &items[i];

		if (it->file)
			it->revents = poll_answer(file_poll(it->file), it->events);
		count += it->revents != 0;
	}
	return count;
}

static void watch_all(struct poll_item *items, unsigned n, struct poll_call *call)
{
	for (unsigned i = 0; i < n; i++) {
		struct poll_item *it = &items[i];

		it->call = call;
		it->watch = (struct poll_watch){.notify = poll_told};
		list_init(&it->watch.link);
		if (it->file && it->file->ops->pollable)
			poll_watch_add(it->file->ops->pollable(it->file), &it->watch);
	}
}

/* Fills file and revents; how many are ready. Files are given back. */
static long poll_items(struct poll_item *items, unsigned n, uint64_t deadline)
{
	struct poll_call call = {.wait = WAITQ_INIT(call.wait)};
	long rc;

	thread_turn();
	for (unsigned i = 0; i < n; i++) {
		items[i].file = items[i].fd < 0 ? NULL : fd_file_get(items[i].fd);
		items[i].revents = items[i].fd >= 0 && !items[i].file ? POLLNVAL : 0;
	}
	watch_all(items, n, &call);
	for (;;) {
		call.told = false;
		rc = scan(items, n);
		if (!rc && signal_pending())
			rc = -EINTR; /* also without a wait, as on Linux */
		if (rc || deadline <= clock_mono_ns())
			break;
		rc = call.told ? 0 : waitq_wait(&call.wait, deadline);
		if (rc == -EINTR && scan(items, n))
			rc = 0;
		if (rc == -EINTR)
			break;
	}
	for (unsigned i = 0; i < n; i++) {
		poll_watch_del(&items[i].watch);
		if (items[i].file)
			file_put(items[i].file);
	}
	return rc;
}

static long poll_user(uptr_t fds, unsigned n, uint64_t deadline)
{
	struct poll_item fast[FAST_FDS], *items = fast;
	struct pollfd p;
	long rc = 0;

	if (n > fd_limit())
		return -EINVAL;
	if (n > FAST_FDS)
		items = kmalloc(n * sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (unsigned i = 0; i < n && !rc; i++) {
		rc = get_user(&p, fds + i * sizeof(p));
		items[i].fd = p.fd;
		items[i].events = poll_wanted((uint16_t)p.events);
	}
	if (!rc)
		rc = poll_items(items, n, deadline);
	for (unsigned i = 0; i < n && rc >= 0; i++) {
		uptr_t at = fds + i * sizeof(p);
		int16_t revents;

		if (get_user(&p, at) < 0) {
			rc = -EFAULT;
			break;
		}
		revents = (int16_t)(items[i].revents &
			((uint16_t)p.events | POLLERR | POLLHUP | POLLNVAL));
		if (copy_to_user(at + offsetof(struct pollfd, revents), &revents, sizeof(revents)) <
			0)
			rc = -EFAULT;
	}
	if (items != fast)
		kfree(items);
	return rc;
}

long sys_poll(const uint64_t a[6])
{
	return poll_user(a[0], (unsigned)a[1], deadline_ms((int)a[2]));
}

/* Linux writes back what is left of the time; unless the time is not writable, which is no error. */
static void time_left(uptr_t user, uint64_t deadline, bool usec)
{
	uint64_t now = clock_mono_ns(), left = deadline > now ? deadline - now : 0;
	struct timespec t = {(int64_t)(left / NS_PER_SEC), (int64_t)(left % NS_PER_SEC)};

	if (usec)
		t.tv_nsec /= 1000;
	if (user && deadline != TIME_FOREVER)
		(void)put_user(user, &t);
}

long sys_ppoll(const uint64_t a[6])
{
	uint64_t deadline = TIME_FOREVER;
	struct timespec t;
	long rc;

	if (a[2]) {
		if (get_user(&t, a[2]) < 0)
			return -EFAULT;
		if (deadline_timespec(&t, &deadline) < 0)
			return -EINVAL;
	}
	rc = signal_temp_mask(a[3], a[4]);
	if (rc < 0)
		return rc;
	rc = poll_user(a[0], (unsigned)a[1], deadline);
	time_left(a[2], deadline, false);
	return rc;
}

/* ---- select: three bit sets */
#define SELECT_MAX 65536u
#define IN_EVENTS  (POLLIN | POLLHUP | POLLERR)
#define OUT_EVENTS (POLLOUT | POLLERR)
#define EX_EVENTS  POLLPRI

struct select_sets {
	uint64_t *in[3]; /* as the program gave them, or empty; one allocation, at in[0] */
	size_t words;
};

static int sets_get(struct select_sets *s, unsigned n, const uptr_t user[3])
{
	s->words = (n + 63) / 64;
	s->in[0] = kzalloc((s->words ? s->words : 1) * 3 * sizeof(uint64_t));
	if (!s->in[0])
		return -ENOMEM;
	for (int k = 0; k < 3; k++) {
		s->in[k] = s->in[0] + (size_t)k * s->words;
		if (user[k] && copy_from_user(s->in[k], user[k], s->words * 8) < 0) {
			kfree(s->in[0]);
			return -EFAULT;
		}
	}
	return 0;
}

static bool bit_get(const uint64_t *set, unsigned i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static uint32_t select_events(const struct select_sets *s, unsigned fd)
{
	return (bit_get(s->in[0], fd) ? POLLIN : 0) | (bit_get(s->in[1], fd) ? POLLOUT : 0) |
		(bit_get(s->in[2], fd) ? POLLPRI : 0);
}

static unsigned select_count(const struct select_sets *s, unsigned n)
{
	unsigned count = 0;

	for (unsigned fd = 0; fd < n; fd++)
		count += select_events(s, fd) != 0;
	return count;
}

static long select_answer(struct select_sets *s, const struct poll_item *items, unsigned n)
{
	static const uint32_t meaning[3] = {IN_EVENTS, OUT_EVENTS, EX_EVENTS};
	long count = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned fd = (unsigned)items[i].fd;

		for (int k = 0; k < 3; k++) {
			uint64_t bit = 1ull << (fd % 64);

			if (!(s->in[k][fd / 64] & bit))
				continue;
			if (items[i].revents & meaning[k])
				count++;
			else
				s->in[k][fd / 64] &= ~bit;
		}
	}
	return count;
}

static long select_run(struct select_sets *s, unsigned n, uint64_t deadline)
{
	unsigned count = select_count(s, n), at = 0;
	struct poll_item *items = kmalloc((count ? count : 1) * sizeof(*items));
	long rc = 0;

	if (!items)
		return -ENOMEM;
	for (unsigned fd = 0; fd < n; fd++) {
		uint32_t events = select_events(s, fd);

		if (!events)
			continue;
		if (!fd_file((int)fd))
			rc = -EBADF;
		items[at++] = (struct poll_item){.fd = (int)fd, .events = events};
	}
	if (!rc)
		rc = poll_items(items, count, deadline);
	if (rc >= 0)
		rc = select_answer(s, items, count);
	kfree(items);
	return rc;
}

static long select_user(int n, const uptr_t sets[3], uint64_t deadline)
{
	struct select_sets s;
	long rc;

	if (n < 0)
		return -EINVAL;
	if ((unsigned)n > SELECT_MAX)
		n = SELECT_MAX;
	if ((unsigned)n > fd_table_size())
		n = (int)fd_table_size();
	rc = sets_get(&s, (unsigned)n, sets);
	if (rc < 0)
		return rc;
	rc = select_run(&s, (unsigned)n, deadline);
	for (int k = 0; k < 3 && rc >= 0; k++) {
		if (sets[k] && copy_to_user(sets[k], s.in[k], s.words * 8) < 0)
			rc = -EFAULT;
	}
	kfree(s.in[0]);
	return rc;
}

long sys_select(const uint64_t a[6])
{
	uint64_t deadline = TIME_FOREVER;
	struct timeval v;
	long rc;

	if (a[4]) {
		struct timespec t;

		if (get_user(&v, a[4]) < 0)
			return -EFAULT;
		t = (struct timespec){v.tv_sec + v.tv_usec / 1000000, v.tv_usec % 1000000 * 1000};
		if (deadline_timespec(&t, &deadline) < 0)
			return -EINVAL;
	}
	rc = select_user((int)a[0], (const uptr_t[3]){a[1], a[2], a[3]}, deadline);
	time_left(a[4], deadline, true);
	return rc;
}

long sys_pselect6(const uint64_t a[6])
{
	uint64_t deadline = TIME_FOREVER, mask[2] = {0};
	struct timespec t;
	long rc;

	if (a[5] && copy_from_user(mask, a[5], sizeof(mask)) < 0)
		return -EFAULT;
	if (a[4]) {
		if (get_user(&t, a[4]) < 0)
			return -EFAULT;
		if (deadline_timespec(&t, &deadline) < 0)
			return -EINVAL;
	}
	rc = signal_temp_mask(mask[0], mask[1]);
	if (rc < 0)
		return rc;
	rc = select_user((int)a[0], (const uptr_t[3]){a[1], a[2], a[3]}, deadline);
	time_left(a[4], deadline, false);
	return rc;
}
