/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open file descriptions: their references, the iterator that carries data between files and the program, and readiness.
 * Not preemptible, so nothing here is locked; a file that a blocking call uses is held by a reference of that call.
 */
#include "libos/fs/file.h"

#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

struct file *file_new(const struct file_ops *ops, unsigned flags, void *priv)
{
	struct file *f = kzalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->ops = ops;
	f->refs = 1;
	f->flags = flags;
	f->priv = priv;
	list_init(&f->epitems);
	return f;
}

struct file *file_get(struct file *f)
{
	f->refs++;
	return f;
}

void file_put(struct file *f)
{
	if (--f->refs)
		return;
	epoll_forget(f);
	if (f->inode) {
		if (!(f->flags & O_PATH))
			notify(f->dentry,
				(f->flags & O_ACCMODE) == O_RDONLY ? IN_CLOSE_NOWRITE
								   : IN_CLOSE_WRITE);
		flock_release(f);
		ofd_release(f);
	}
	if (f->ops && f->ops->release)
		f->ops->release(f);
	dentry_put(f->dentry);
	kfree(f);
}

/* ---- iter */
void iter_user(struct iter *it, const struct kiovec *iov, int niov, uint64_t total)
{
	*it = (struct iter){.iov = iov, .niov = niov, .left = total};
}

void iter_kernel(struct iter *it, void *buf, uint64_t len)
{
	*it = (struct iter){.kbuf = buf, .left = len};
}

enum iter_op { ITER_PUT, ITER_GET, ITER_ZERO };

static int iter_copy_user(uptr_t user, void *buf, uint64_t n, enum iter_op op)
{
	switch (op) {
	case ITER_PUT:
		return copy_to_user(user, buf, n);
	case ITER_GET:
		return copy_from_user(buf, user, n);
	case ITER_ZERO:
		return clear_user(user, n);
	}
	return -EFAULT;
}

static void iter_copy_kernel(struct iter *it, void *buf, uint64_t n, enum iter_op op)
{
	char *at = it->kbuf + it->at;

	if (op == ITER_PUT)
		memcpy(at, buf, n);
	else if (op == ITER_GET)
		memcpy(buf, at, n);
	else
		memset(at, 0, n);
	it->at += n;
	it->left -= n;
}

/* One piece of the program's memory; a bad address is narrowed down to the page, so that what lies before it still counts. */
static uint64_t iter_piece(uptr_t user, char *buf, uint64_t n, enum iter_op op)
{
	uint64_t done = 0;

	if (!iter_copy_user(user, buf, n, op))
		return n;
	while (done < n) {
		uint64_t step = 4096 - ((user + done) & 4095);

		if (step > n - done)
			step = n - done;
		if (iter_copy_user(user + done, buf ? buf + done : NULL, step, op))
			break;
		done += step;
	}
	return done;
}

static long iter_run(struct iter *it, char *buf, uint64_t n, enum iter_op op)
{
	uint64_t done = 0;

	if (n > it->left)
		n = it->left;
	if (!it->iov) {
		iter_copy_kernel(it, buf, n, op);
		return (long)n;
	}
	while (done < n) {
		uint64_t step = it->iov->len - it->at, got;

		if (!step) {
			it->iov++;
			it->niov--;
			it->at = 0;
			continue;
		}
		if (step > n - done)
			step = n - done;
		got = iter_piece(it->iov->base + it->at, buf ? buf + done : NULL, step, op);
		it->at += got;
		it->left -= got;
		done += got;
		if (got < step)
			return done ? (long)done : -EFAULT;
	}
	return (long)done;
}

long iter_put(struct iter *it, const void *src, uint64_t n)
{
	union {
		const void *in;
		char *out;
	} u = {.in = src}; /* ITER_PUT only reads it */

	return iter_run(it, u.out, n, ITER_PUT);
}

long iter_get(struct iter *it, void *dst, uint64_t n)
{
	return iter_run(it, dst, n, ITER_GET);
}

long iter_zero(struct iter *it, uint64_t n)
{
	return iter_run(it, NULL, n, ITER_ZERO);
}

/* ---- readiness */
void pollable_init(struct pollable *p)
{
	list_init(&p->watchers);
}

void poll_watch_add(struct pollable *p, struct poll_watch *w)
{
	list_add_tail(&p->watchers, &w->link);
}

void poll_watch_del(struct poll_watch *w)
{
	list_del(&w->link);
}

void poll_notify(struct pollable *p, uint32_t events)
{
	bool served = false;

	list_for_each_safe (w, &p->watchers, struct poll_watch, link) {
		if (w->exclusive && served)
			continue;
		if (w->notify(w, events) && w->exclusive) {
			served = true;
			/* the next event goes to somebody else */
			list_del(&w->link);
			list_add_tail(&p->watchers, &w->link);
		}
	}
}

uint32_t file_poll(struct file *f)
{
	return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT;
}

/* ---- for the libOS itself */
long file_pread(struct file *f, void *buf, size_t n, uint64_t off)
{
	struct iter it;

	if (!f->ops->read)
		return -EINVAL;
	iter_kernel(&it, buf, n);
	return f->ops->read(f, &it, &off, false);
}

int file_size(struct file *f, uint64_t *bytes)
{
	if (!f->inode)
		return -EINVAL;
	*bytes = f->inode->size;
	return 0;
}

size_t file_path(struct file *f, char *buf, size_t size)
{
	bool deleted = false;
	long n;

	if (!f->dentry)
		return (size_t)snprintf(buf, size, "anon_inode:[%s]", f->ops->name);
	n = dentry_path(f->dentry, buf, size, &deleted);
	if (n < 0)
		return strlcpy(buf, "(unreachable)", size);
	if (deleted && f->dentry->parent != f->dentry)
		n += (long)strlcpy(buf + n, " (deleted)", size - (size_t)n);
	return strnlen(buf, size);
}

bool file_sealed(const struct file *f)
{
	return f->inode && f->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}

int file_punch(struct file *f, uint64_t off, uint64_t len)
{
	if (!f->inode || !f->inode->ops->fallocate)
		return -EINVAL;
	return f->inode->ops->fallocate(
		f->inode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len);
}
