/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous input and output of Linux (io_setup(2) and its relatives, which libaio calls). A request is carried out when it is submitted,
 * as Linux itself does it for files that are not opened with O_DIRECT, and its result is kept until it is asked for. So there is never a
 * request to cancel.
 *
 *   io_submit --refused--> its error, nothing is kept
 *       \--carried out--> results --io_getevents--> the program
 *
 * A context is known by the address of a page, on Linux the ring of results. Here the page stays empty: without the ring's
 * magic number in it the C libraries take results by the call.
 */
#include "libos/fs/aio.h"

#include "libos/fs/inode.h"
#include "libos/fs/procfs.h"
#include "libos/fs/ready.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"
#include "libos/uapi/aio.h"

#define EVENTS_MAX (0x10000000u / sizeof(struct io_event))
#define EVENTS_MIN 4 /* what Linux makes of fewer on one processor */

struct context {
	struct list link; /* in contexts; on none when io_destroy() was called */
	unsigned refs;    /* one of the list, one of each call under way */
	uptr_t id;
	unsigned asked; /* results asked room for */
	unsigned used;  /* requests under way, and results */
	struct list results;
	struct waitq wait; /* for results */
};

struct result {
	struct list link;
	struct io_event event;
};

static struct list contexts = LIST_INIT(contexts);
static uint64_t asked_total;

int proc_aio_nr(struct text *t, uint64_t n)
{
	text_printf(t, "%lu\n", asked_total);
	return 0;
}

static struct context *context_get(uptr_t id)
{
	for (struct list *l = contexts.next; l != &contexts; l = l->next) {
		struct context *c = container_of(l, struct context, link);

		if (c->id == id) {
			c->refs++;
			return c;
		}
	}
	return NULL;
}

static void context_put(struct context *c)
{
	struct list *node;

	if (--c->refs)
		return;
	while ((node = list_pop(&c->results)))
		kfree(container_of(node, struct result, link));
	kfree(c);
}

static bool context_is_dead(const struct context *c)
{
	return list_empty(&c->link);
}

/* ---- io_setup, io_destroy */
static long context_new(unsigned asked)
{
	struct context *c = kzalloc(sizeof(*c));
	long id;

	if (!c)
		return -ENOMEM;
	id = vm_map(0, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
	if (id < 0) {
		kfree(c);
		return id;
	}
	c->refs = 1;
	c->id = (uptr_t)id;
	c->asked = asked;
	list_init(&c->results);
	waitq_init(&c->wait);
	list_add_tail(&contexts, &c->link);
	asked_total += asked;
	return id;
}

static void context_end(struct context *c)
{
	asked_total -= c->asked;
	list_del(&c->link);
	vm_unmap(c->id, PAGE_BYTES);
	waitq_wake_all(&c->wait);
	context_put(c);
}

static long context_destroy(uptr_t id)
{
	struct context *c = context_get(id);

	if (!c)
		return -EINVAL;
	context_end(c);
	context_put(c);
	return 0;
}

long sys_io_setup(const uint64_t a[6])
{
	unsigned asked = (unsigned)a[0];
	uint64_t id;
	long rc;

	if (get_user(&id, a[1]) < 0)
		return -EFAULT;
	if (id || !asked || asked > EVENTS_MAX)
		return -EINVAL;
	if (asked + asked_total > (uint64_t)sysctl_value[SYSCTL_AIO_MAX_NR])
		return -EAGAIN;
	rc = context_new(asked);
	if (rc < 0)
		return rc;
	id = (uint64_t)rc;
	if (put_user(a[1], &id) == 0)
		return 0;
	context_destroy(id);
	return -EFAULT;
}

long sys_io_destroy(const uint64_t a[6])
{
	return context_destroy(a[0]);
}

/* ---- io_submit */
/* Checks the transfer and makes it: 0 and its result, or why it is refused. */
static long transfer(struct file *f, const struct iocb *cb, bool write, bool vector, int64_t *res)
{
	struct kiovec fast[KIOV_FAST] = {{.base = cb->buf, .len = cb->nbytes}}, *iov = fast;
	unsigned access = f->flags & O_ACCMODE;
	uint64_t total = cb->nbytes;
	struct iter it;
	long rc = 0;
	int count = 1;

	if (cb->rw_flags & ~RWF_KNOWN)
		return -EOPNOTSUPP;
	if (write ? access == O_RDONLY : access == O_WRONLY)
		return -EBADF;
	if (!(write ? f->ops->write : f->ops->read) || (f->inode && inode_is(f->inode, S_IFDIR)))
		return -EINVAL;
	if (vector) {
		if (cb->nbytes > KIOV_MAX)
			return -EINVAL;
		count = (int)cb->nbytes;
		rc = iovec_from_user(fast, &iov, cb->buf, count);
		total = (uint64_t)rc;
	}
	if (rc < 0)
		return rc;
	rc = cb->offset < 0 ? -EINVAL : 0;
	if (!rc) {
		iter_user(&it, iov, count, total);
		*res = file_transfer(f, &it, write, cb->offset, cb->rw_flags);
		if (*res == -ERESTARTSYS || *res == -ERESTARTNOINTR)
			*res = -EINTR;
	}
	if (vector)
		iovec_free(fast, iov);
	return rc;
}

static long sync_file(struct file *f, const struct iocb *cb, bool data_only, int64_t *res)
{
	if (cb->buf || cb->offset || cb->nbytes || cb->rw_flags || !f->ops->sync)
		return -EINVAL;
	*res = f->ops->sync(f, data_only);
	return 0;
}

static long carry_out(struct file *f, const struct iocb *cb, int64_t *res)
{
	switch (cb->opcode) {
	case IOCB_CMD_PREAD:
		return transfer(f, cb, false, false, res);
	case IOCB_CMD_PWRITE:
		return transfer(f, cb, true, false, res);
	case IOCB_CMD_PREADV:
		return transfer(f, cb, false, true, res);
	case IOCB_CMD_PWRITEV:
		return transfer(f, cb, true, true, res);
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		return sync_file(f, cb, cb->opcode == IOCB_CMD_FDSYNC, res);
	default:
		return -EINVAL;
	}
}

/* The request's files, each with a reference: the one it is about, and the eventfd that is to be told. */
static long request_files(const struct iocb *cb, struct file **f, struct file **told)
{
	*told = NULL;
	*f = fd_file_get((int)cb->fildes);
	if (!*f)
		return -EBADF;
	if (!(cb->flags & IOCB_FLAG_RESFD))
		return 0;
	*told = fd_file_get((int)cb->resfd);
	if (!*told)
		return -EBADF;
	return is_eventfd(*told) ? 0 : -EINVAL;
}

static long request(struct context *c, const struct iocb *cb, uptr_t at, struct result *result)
{
	const uint32_t key = 0;
	struct file *f, *told;
	long rc = request_files(cb, &f, &told);

	if (!rc)
		rc = put_user(at + offsetof(struct iocb, key), &key);
	if (!rc)
		rc = carry_out(f, cb, &result->event.res);
	if (!rc) {
		list_add_tail(&c->results, &result->link);
		waitq_wake_all(&c->wait);
	}
	if (told) {
		if (!rc)
			eventfd_add(told, 1);
		file_put(told);
	}
	if (f)
		file_put(f);
	return rc;
}

static unsigned room(const struct context *c)
{
	return c->asked < EVENTS_MIN ? EVENTS_MIN : c->asked;
}

static long submit(struct context *c, uptr_t at)
{
	struct result *result;
	struct iocb cb;
	long rc;

	if (get_user(&cb, at) < 0)
		return -EFAULT;
	if (cb.reserved2 || (int64_t)cb.nbytes < 0)
		return -EINVAL;
	result = c->used < room(c) ? kzalloc(sizeof(*result)) : NULL;
	if (!result)
		return -EAGAIN;
	result->event.data = cb.data;
	result->event.obj = at;
	c->used++;
	rc = request(c, &cb, at, result);
	if (rc < 0) {
		c->used--;
		kfree(result);
	}
	return rc;
}

long sys_io_submit(const uint64_t a[6])
{
	int64_t n = (int64_t)a[1], done = 0;
	struct context *c;
	uint64_t at;
	long rc = 0;

	if (n < 0)
		return -EINVAL;
	c = context_get(a[0]);
	if (!c)
		return -EINVAL;
	for (; done < n && !rc && !context_is_dead(c); done += !rc) {
		rc = get_user(&at, a[2] + (uint64_t)done * sizeof(at));
		if (!rc)
			rc = submit(c, at);
	}
	context_put(c);
	return done ? done : rc;
}

/* ---- io_getevents */
/* Hands over results, at most max. */
static long harvest(struct context *c, uptr_t events, int64_t max)
{
	long n = 0;

	while (n < max && !list_empty(&c->results)) {
		struct result *r = container_of(list_pop(&c->results), struct result, link);

		/* which may block: until then it is nobody else's */
		if (put_user(events + (uint64_t)n * sizeof(r->event), &r->event) < 0) {
			list_add_head(&c->results, &r->link);
			return n ? n : -EFAULT;
		}
		kfree(r);
		c->used--;
		n++;
	}
	return n;
}

/* What there is is handed over at once; then the call waits for what is missing to min. */
static long get_events(
	struct context *c, int64_t min, int64_t max, uptr_t events, uint64_t deadline)
{
	long n = 0, rc = 0;

	if (min < 0 || min > max)
		return -EINVAL;
	for (;;) {
		long more = harvest(c, events + (uint64_t)n * sizeof(struct io_event), max - n);

		if (more < 0 || context_is_dead(c))
			return n ? n : more < 0 ? more : -EINVAL;
		n += more;
		if (n >= min || rc || deadline <= clock_mono_ns())
			return n ? n : rc == -EINTR ? rc : 0;
		rc = waitq_wait(&c->wait, deadline);
	}
}

/* A time that is none has passed: Linux does not check it here. */
static long get_deadline(uptr_t at, uint64_t *deadline)
{
	struct timespec t;

	*deadline = TIME_FOREVER;
	if (!at)
		return 0;
	if (get_user(&t, at) < 0)
		return -EFAULT;
	if (deadline_timespec(&t, deadline) < 0)
		*deadline = 0;
	return 0;
}

static long wait_events(const uint64_t a[6], uint64_t deadline)
{
	struct context *c = context_get(a[0]);
	long rc;

	if (!c)
		return -EINVAL;
	rc = get_events(c, (int64_t)a[1], (int64_t)a[2], a[3], deadline);
	context_put(c);
	return rc;
}

long sys_io_getevents(const uint64_t a[6])
{
	uint64_t deadline;
	long rc = get_deadline(a[4], &deadline);

	return rc < 0 ? rc : wait_events(a, deadline);
}

long sys_io_pgetevents(const uint64_t a[6])
{
	struct {
		uptr_t mask;
		uint64_t size;
	} sig = {0, 0};
	uint64_t deadline;
	long rc = get_deadline(a[4], &deadline);

	if (!rc && a[5])
		rc = get_user(&sig, a[5]);
	if (!rc)
		rc = signal_temp_mask(sig.mask, sig.size);
	return rc < 0 ? rc : wait_events(a, deadline);
}

/* ---- io_cancel: what was submitted is done */
long sys_io_cancel(const uint64_t a[6])
{
	uint32_t key;

	return get_user(&key, a[1] + offsetof(struct iocb, key)) < 0 ? -EFAULT : -EINVAL;
}
