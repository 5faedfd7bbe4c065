/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splice, tee and vmsplice: data between a pipe and another file, two pipes, or a pipe and memory. A pipe's pages are its own here, so the
 * data is copied once, through a page of the libOS; what the other side does not take stays in the pipe, and no other reader gets
 * between (pipe.held).
 */
#include "libos/fs/inode.h"
#include "libos/fs/pipe_impl.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sys/syscall.h"

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL      0xfu
#define SIGPIPE           13

/* One end that has a place of its own: off is *pos, which the caller puts back. */
struct place {
	struct file *file;
	uint64_t *pos; /* NULL: a stream */
};

static bool writable(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

static bool readable(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static int wait_room(struct pipe *p, bool nonblock)
{
	for (;;) {
		int rc;

		if (!p->readers) {
			signal_thread_sync(SIGPIPE);
			return -EPIPE;
		}
		if (pipe_room(p) >= PIPE_BUF)
			return 1;
		if (nonblock)
			return -EAGAIN;
		rc = waitq_wait_restart(&p->wr);
		if (rc < 0)
			return rc;
	}
}

/* Copies up to n bytes of what is at the read position, without taking them. */
static uint64_t peek(const struct pipe *p, char *buf, uint64_t n)
{
	uint64_t done = 0;

	if (n > pipe_used(p))
		n = pipe_used(p);
	while (done < n) {
		uint64_t at = (p->tail + done) % p->bytes, in = at & PAGE_MASK,
			 step = PAGE_BYTES - in;

		if (step > n - done)
			step = n - done;
		memcpy(buf + done, p->page[at / PAGE_BYTES] + in, step);
		done += step;
	}
	return done;
}

/* Takes n bytes away that peek() has copied. */
static void drop(struct pipe *p, char *buf, uint64_t n)
{
	struct iter it;

	iter_kernel(&it, buf, n);
	pipe_take(p, &it);
	pipe_can_write(p);
}

static void let_go(struct pipe *p)
{
	p->held = false;
	waitq_wake_all(&p->rd);
}

/* pipe -> file: what can be had without waiting for more than the first byte. */
static long from_pipe(struct pipe *p, struct place out, uint64_t n, bool nonblock, char *buf)
{
	uint64_t done = 0;
	long rc = pipe_wait_data(p, nonblock);

	if (rc <= 0)
		return rc;
	p->held = true;
	while (done < n && pipe_used(p)) {
		uint64_t step = peek(p, buf, n - done < PAGE_BYTES ? n - done : PAGE_BYTES);
		struct iter it;

		iter_kernel(&it, buf, step);
		rc = out.file->ops->write(out.file, &it, out.pos, out.file->flags & O_NONBLOCK);
		if (rc <= 0)
			break;
		drop(p, buf, (uint64_t)rc);
		done += (uint64_t)rc;
		if ((uint64_t)rc < step)
			break;
	}
	let_go(p);
	return done ? (long)done : rc;
}

/* file -> pipe. Streams are read once, as read(2) does; files until the pipe is full. */
static long to_pipe(struct place in, struct file *end, uint64_t n, bool nonblock, char *buf)
{
	struct pipe *p = pipe_of(end);
	uint64_t done = 0;
	long rc = 0;

	while (done < n) {
		uint64_t step = n - done < PAGE_BYTES ? n - done : PAGE_BYTES;
		struct iter it;
		long got;

		rc = wait_room(p, nonblock || done);
		if (rc < 0)
			break;
		iter_kernel(&it, buf, step);
		got = in.file->ops->read(in.file, &it, in.pos, done || in.file->flags & O_NONBLOCK);
		rc = got;
		if (got <= 0)
			break;
		/* What was read must not be lost: this waits, should another writer have taken the room. */
		iter_kernel(&it, buf, (uint64_t)got);
		rc = end->ops->write(end, &it, NULL, false);
		if (rc <= 0)
			break;
		done += (uint64_t)rc;
		if ((uint64_t)got < step)
			break;
	}
	return done ? (long)done : rc;
}

/* Between two pipes; tee leaves the data in the first one. */
static long pipe_to_pipe(
	struct pipe *p, struct file *end, uint64_t n, bool nonblock, bool tee, char *buf)
{
	struct pipe *to = pipe_of(end);
	uint64_t step;
	struct iter it;
	long rc;

	/* Both at once: either may change while the other is waited for. */
	do {
		rc = pipe_wait_data(p, nonblock);
		if (rc > 0)
			rc = wait_room(to, nonblock);
		if (rc <= 0)
			return rc;
	} while (!pipe_used(p) || p->held);
	step = peek(p, buf, n < PAGE_BYTES ? n : PAGE_BYTES);
	iter_kernel(&it, buf, step);
	rc = end->ops->write(end, &it, NULL, true);
	if (rc > 0 && !tee)
		drop(p, buf, (uint64_t)rc);
	return rc;
}

/* Can this file be spliced at all? Files, devices and sockets can; what else is read has no pages. */
static bool can_splice(struct file *f, bool write)
{
	struct kstat st;

	if (!(write ? f->ops->write : f->ops->read) || vfs_fstat(f, &st) < 0)
		return false;
	return (st.mode & S_IFMT) == S_IFSOCK ||
		(f->inode &&
			(inode_is(f->inode, S_IFREG) || inode_is(f->inode, S_IFCHR) ||
				inode_is(f->inode, S_IFBLK)));
}

/* The other side's position: the call's own, or the file's. */
static int get_place(struct place *pl, struct file *f, uptr_t uoff, uint64_t *pos)
{
	int64_t off;

	if (uoff && !f->ops->seek)
		return -EINVAL;
	if (uoff && get_user(&off, uoff) < 0)
		return -EFAULT;
	if (uoff && off < 0)
		return -EINVAL;
	*pos = uoff ? (uint64_t)off : f->pos;
	*pl = (struct place){f, f->ops->seek ? pos : NULL};
	return 0;
}

static int put_place(const struct place *pl, uptr_t uoff)
{
	if (uoff)
		return put_user(uoff, pl->pos) < 0 ? -EFAULT : 0;
	if (pl->pos)
		pl->file->pos = *pl->pos;
	return 0;
}

struct splice {
	struct file *in, *out;
	uptr_t in_off, out_off;
	uint64_t len;
	unsigned flags;
};

static long splice_with(const struct splice *s, char *buf)
{
	struct pipe *from = pipe_of(s->in), *to = pipe_of(s->out);
	bool nonblock = s->flags & SPLICE_F_NONBLOCK ||
		((from ? s->in->flags : 0) | (to ? s->out->flags : 0)) & O_NONBLOCK;
	uptr_t uoff = from ? s->out_off : s->in_off;
	struct place pl;
	uint64_t pos;
	long rc;

	if ((from && s->in_off) || (to && s->out_off))
		return -ESPIPE;
	if (from && to)
		return from == to ? -EINVAL
				  : pipe_to_pipe(from, s->out, s->len, nonblock, false, buf);
	rc = get_place(&pl, from ? s->out : s->in, uoff, &pos);
	if (rc < 0)
		return rc;
	if (!can_splice(pl.file, from) || (from && s->out->flags & O_APPEND))
		return -EINVAL;
	rc = from ? from_pipe(from, pl, s->len, nonblock, buf)
		  : to_pipe(pl, s->out, s->len, nonblock, buf);
	if (rc > 0 && put_place(&pl, uoff) < 0)
		return -EFAULT;
	return rc;
}

/* With a page to copy through. */
static long splice_files(const struct splice *s, bool tee)
{
	bool nonblock =
		(s->flags & SPLICE_F_NONBLOCK) || ((s->in->flags | s->out->flags) & O_NONBLOCK);
	struct pipe *from = pipe_of(s->in);
	char *buf;
	long rc;

	if (!readable(s->in) || !writable(s->out))
		return -EBADF;
	if (tee ? !from || !pipe_of(s->out) || from == pipe_of(s->out) : !from && !pipe_of(s->out))
		return -EINVAL;
	buf = page_alloc_raw();
	if (!buf)
		return -ENOMEM;
	rc = tee ? pipe_to_pipe(from, s->out, s->len, nonblock, true, buf) : splice_with(s, buf);
	page_put(buf);
	return rc;
}

static long splice_fds(int in, int out, struct splice *s, bool tee)
{
	long rc = -EBADF;

	if (s->flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!s->len)
		return 0;
	if (s->len > RW_MAX)
		s->len = RW_MAX;
	s->in = fd_file_get(in);
	s->out = fd_file_get(out);
	if (s->in && s->out)
		rc = splice_files(s, tee);
	if (s->in)
		file_put(s->in);
	if (s->out)
		file_put(s->out);
	return rc;
}

long sys_splice(const uint64_t a[6])
{
	struct splice s = {.in_off = a[1], .out_off = a[3], .len = a[4], .flags = (unsigned)a[5]};

	return splice_fds((int)a[0], (int)a[2], &s, false);
}

long sys_tee(const uint64_t a[6])
{
	struct splice s = {.len = a[2], .flags = (unsigned)a[3]};

	return splice_fds((int)a[0], (int)a[1], &s, true);
}

/* Into the pipe as much as there is room for, once there is some. */
static long vmsplice(struct file *f, struct iter *it, bool nonblock)
{
	int rc;

	if (!it->left)
		return 0;
	if (!writable(f))
		return f->ops->read(f, it, NULL, nonblock);
	rc = wait_room(pipe_of(f), nonblock);
	return rc < 0 ? rc : f->ops->write(f, it, NULL, true);
}

long sys_vmsplice(const uint64_t a[6])
{
	struct kiovec fast[KIOV_FAST], *iov;
	struct iter it;
	struct file *f;
	long rc;

	if ((unsigned)a[3] & ~SPLICE_F_ALL)
		return -EINVAL;
	f = fd_file_get((int)a[0]);
	if (!f)
		return -EBADF;
	rc = pipe_of(f) ? iovec_from_user(fast, &iov, a[1], (int)a[2]) : -EBADF;
	if (rc >= 0) {
		iter_user(&it, iov, (int)a[2], (uint64_t)rc > RW_MAX ? RW_MAX : (uint64_t)rc);
		rc = vmsplice(f, &it, (unsigned)a[3] & SPLICE_F_NONBLOCK);
		iovec_free(fast, iov);
	}
	file_put(f);
	return rc;
}
