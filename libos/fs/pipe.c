/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and fifos: a ring of page frames, taken when data comes and given back when a page is drained, so that an idle pipe costs no
 * frame. A pipe is the `bound` object of a fifo inode; pipe(2) makes such an inode without a name. Writes of at most
 * PIPE_BUF bytes go in whole or not at all. The two ends have a pollable each, so that edges of one do not wake the other.
 */
#include "libos/fs/pipe_impl.h"

#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"

#define PIPE_BYTES 65536u
#define SLOTS_MAX  65536ull /* of Linux, whose array of them is one allocation of 4 MiB at most */
#define SIGPIPE    13

static const struct file_ops pipe_ops;

struct pipe *pipe_of(const struct file *f)
{
	return f->ops == &pipe_ops ? f->priv : NULL;
}

static struct pipe *pipe_new(void)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->refs = 1;
	p->bytes = PIPE_BYTES;
	p->page = kzalloc(PIPE_BYTES / PAGE_BYTES * sizeof(char *));
	if (!p->page) {
		kfree(p);
		return NULL;
	}
	waitq_init(&p->rd);
	waitq_init(&p->wr);
	waitq_init(&p->opens);
	pollable_init(&p->rd_poll);
	pollable_init(&p->wr_poll);
	return p;
}

static void pages_free(struct pipe *p)
{
	for (unsigned i = 0; i < p->bytes / PAGE_BYTES; i++) {
		if (p->page[i])
			page_put(p->page[i]);
		p->page[i] = NULL;
	}
}

static void pipe_put(struct pipe *p)
{
	if (--p->refs)
		return;
	pages_free(p);
	kfree(p->page);
	kfree(p);
}

void fifo_forget(struct inode *inode)
{
	pipe_put(inode->bound);
	inode->bound = NULL;
}

void pipe_can_read(struct pipe *p)
{
	waitq_wake_all(&p->rd);
	poll_notify(&p->rd_poll, POLLIN);
}

void pipe_can_write(struct pipe *p)
{
	waitq_wake_all(&p->wr);
	poll_notify(&p->wr_poll, POLLOUT);
}

long pipe_take(struct pipe *p, struct iter *it)
{
	uint64_t done = 0;

	while (it->left && pipe_used(p)) {
		uint64_t at = p->tail % p->bytes, in = at & PAGE_MASK, n = PAGE_BYTES - in;
		char **page = &p->page[at / PAGE_BYTES];
		long got;

		if (n > pipe_used(p))
			n = pipe_used(p);
		got = iter_put(it, *page + in, n);
		if (got < 0)
			return done ? (long)done : got;
		done += (uint64_t)got;
		p->tail += (uint64_t)got;
		/* not while the writer, a whole ring ahead, is in the same page */
		if (!pipe_used(p) ||
			(!(p->tail & PAGE_MASK) && pipe_used(p) <= p->bytes - PAGE_BYTES)) {
			page_put(*page);
			*page = NULL;
		}
		if (!pipe_used(p))
			p->head = p->tail = 0;
	}
	return (long)done;
}

static long give(struct pipe *p, struct iter *it)
{
	uint64_t done = 0;

	while (it->left && pipe_room(p)) {
		uint64_t at = p->head % p->bytes, in = at & PAGE_MASK, n = PAGE_BYTES - in;
		char **page = &p->page[at / PAGE_BYTES];
		long got;

		if (n > pipe_room(p))
			n = pipe_room(p);
		if (!*page)
			*page = page_alloc_raw();
		if (!*page)
			return done ? (long)done : -ENOMEM;
		got = iter_get(it, *page + in, n);
		if (got < 0) {
			if (!in && !pipe_used(p)) {
				page_put(*page);
				*page = NULL;
			}
			return done ? (long)done : got;
		}
		done += (uint64_t)got;
		p->head += (uint64_t)got;
	}
	return (long)done;
}

int pipe_wait_data(struct pipe *p, bool nonblock)
{
	while (!pipe_used(p) || p->held) {
		int rc;

		if (!pipe_used(p) && !p->writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		rc = waitq_wait_restart(&p->rd);
		if (rc < 0)
			return rc;
	}
	return 1;
}

static long pipe_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct pipe *p = f->priv;
	bool was_full;
	long got;

	if (!it->left)
		return 0;
	got = pipe_wait_data(p, nonblock);
	if (got <= 0)
		return got;
	was_full = pipe_room(p) < PIPE_BUF;
	got = pipe_take(p, it);
	if (got > 0 && (was_full || !list_empty(&p->wr.waiters)))
		pipe_can_write(p);
	return got;
}

static long broken(long done)
{
	if (done)
		return done;
	signal_thread_sync(SIGPIPE);
	return -EPIPE;
}

static long pipe_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct pipe *p = f->priv;
	uint64_t need = it->left <= PIPE_BUF ? it->left : 1;
	long done = 0, got;
	int rc;

	if (!it->left)
		return 0;
	while (it->left) {
		if (!p->readers)
			return broken(done);
		if (pipe_room(p) >= need) {
			got = give(p, it);
			if (got < 0)
				return done ? done : got;
			done += got;
			pipe_can_read(p);
			continue;
		}
		if (nonblock)
			return done ? done : -EAGAIN;
		rc = waitq_wait_restart(&p->wr);
		if (rc < 0)
			return done ? done : rc;
	}
	return done;
}

static bool end_reads(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool end_writes(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

static uint32_t pipe_poll(struct file *f)
{
	struct pipe *p = f->priv;
	uint32_t ev = 0;

	if (end_reads(f)) {
		ev |= pipe_used(p) ? POLLIN : 0;
		ev |= !p->writers && (!end_writes(f)) && p->writer_opens ? POLLHUP : 0;
	}
	if (end_writes(f)) {
		ev |= pipe_room(p) >= PIPE_BUF ? POLLOUT : 0;
		ev |= !p->readers ? POLLERR : 0;
	}
	return ev;
}

static struct pollable *pipe_pollable(struct file *f)
{
	struct pipe *p = f->priv;

	return end_reads(f) ? &p->rd_poll : &p->wr_poll;
}

static long pipe_ioctl(struct file *f, unsigned cmd, uptr_t arg)
{
	struct pipe *p = f->priv;
	int n = (int)pipe_used(p);

	return cmd == FIONREAD ? put_user(arg, &n) : -ENOTTY;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;

	if (end_reads(f) && !--p->readers) {
		waitq_wake_all(&p->wr);
		poll_notify(&p->wr_poll, POLLERR | POLLOUT);
	}
	if (end_writes(f) && !--p->writers) {
		waitq_wake_all(&p->rd);
		poll_notify(&p->rd_poll, POLLHUP | POLLIN);
	}
	if (!p->readers && !p->writers) { /* what a fifo held is lost with its last end */
		pages_free(p);
		p->head = p->tail = 0;
	}
	pipe_put(p);
}

static const struct file_ops pipe_ops = {
	.name = "pipe",
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.pollable = pipe_pollable,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

/* Makes f an end of the pipe. */
static void attach(struct pipe *p, struct file *f)
{
	f->ops = &pipe_ops;
	f->priv = p;
	p->refs++;
	if (end_reads(f)) {
		p->readers++;
		p->reader_opens++;
	}
	if (end_writes(f)) {
		p->writers++;
		p->writer_opens++;
	}
	waitq_wake_all(&p->opens);
}

/* Waits until the other side has been opened since `seen`. */
static int wait_other(struct pipe *p, const unsigned *opens, const unsigned *now)
{
	unsigned seen = *opens;
	int rc;

	while (!*now && *opens == seen) {
		rc = waitq_wait_restart(&p->opens);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int fifo_open(struct inode *inode, struct file *f)
{
	bool nonblock = f->flags & O_NONBLOCK;
	struct pipe *p = inode->bound;
	int rc = 0;

	if (!p)
		p = inode->bound = pipe_new();
	if (!p)
		return -ENOMEM;
	if ((f->flags & O_ACCMODE) == O_WRONLY && nonblock && !p->readers)
		return -ENXIO;
	attach(p, f);
	if ((f->flags & O_ACCMODE) == O_RDONLY && !nonblock)
		rc = wait_other(p, &p->writer_opens, &p->writers);
	else if ((f->flags & O_ACCMODE) == O_WRONLY && !nonblock)
		rc = wait_other(p, &p->reader_opens, &p->readers);
	return rc;
}

long pipe_get_size(struct file *f)
{
	return f->ops == &pipe_ops ? (long)((struct pipe *)f->priv)->bytes : -EBADF;
}

long pipe_set_size(struct file *f, unsigned bytes)
{
	struct pipe *p = f->priv;
	unsigned size = PAGE_BYTES;
	char **page;

	if (f->ops != &pipe_ops)
		return -EBADF;
	if (bytes > 1u << 31)
		return -EINVAL;
	if (bytes > sysctl_value[SYSCTL_PIPE_MAX_SIZE] && !cred_has(CAP_SYS_RESOURCE))
		return -EPERM;
	if (bytes > SLOTS_MAX * PAGE_BYTES)
		return -ENOMEM;
	while (size < bytes)
		size *= 2;
	if (size < pipe_used(p) || (p->tail & PAGE_MASK) + pipe_used(p) > p->bytes)
		return -EBUSY;
	page = kzalloc(size / PAGE_BYTES * sizeof(char *));
	if (!page)
		return -ENOMEM;
	/* Pages keep their order; the tail's page comes first. */
	for (uint64_t at = page_round_down(p->tail), i = 0; at < p->head; at += PAGE_BYTES, i++) {
		if (i * PAGE_BYTES >=
			size) { /* it would fit, but for the drained part of the first page */
			kfree(page);
			return -EBUSY;
		}
		page[i] = p->page[at % p->bytes / PAGE_BYTES];
	}
	kfree(p->page);
	p->page = page;
	p->head -= page_round_down(p->tail);
	p->tail &= PAGE_MASK;
	p->bytes = size;
	pipe_can_write(p);
	return size;
}

/* ---- pipe(2): the inode has no name and no file system of its own */
static void pipe_inode_release(struct inode *inode)
{
	kfree(inode);
}

static const struct inode_ops pipe_inode_ops = {
	.open = fifo_open,
	.release = pipe_inode_release,
};

static struct super pipe_super = {.type = "pipefs", .dev = 13, .magic = 0x50495045};

static int pipe_dentry(struct dentry **d)
{
	struct inode *inode = kzalloc(sizeof(*inode));
	char name[32];

	if (!inode)
		return -ENOMEM;
	inode_init(inode, &pipe_inode_ops, &pipe_super, S_IFIFO | 0600);
	inode->ino = ++pipe_super.next_ino;
	inode_born(inode, NULL);
	snprintf(name, sizeof(name), "pipe:[%lu]", (unsigned long)inode->ino);
	*d = dentry_new(NULL, name, (unsigned)strlen(name), inode);
	inode_put(inode);
	return *d ? 0 : -ENOMEM;
}

static int pipe_files(unsigned flags, struct file **rd, struct file **wr)
{
	struct dentry *d;
	int rc = pipe_dentry(&d);

	if (rc < 0)
		return rc;
	/* The read end without blocking, as there is no writer yet. */
	rc = dentry_open(d, O_RDONLY | O_NONBLOCK, rd);
	if (!rc) {
		rc = dentry_open(d, O_WRONLY | flags, wr);
		if (rc < 0)
			file_put(*rd);
		else
			(*rd)->flags = O_RDONLY | flags;
	}
	dentry_put(d);
	return rc;
}

static long pipe_user(uptr_t fds, unsigned flags)
{
	struct file *rd, *wr;
	int fd[2], rc;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	rc = pipe_files(flags & (O_NONBLOCK | O_DIRECT), &rd, &wr);
	if (rc < 0)
		return rc;
	fd[0] = fd_install_new(rd, flags & O_CLOEXEC);
	if (fd[0] < 0) {
		file_put(wr);
		return fd[0];
	}
	fd[1] = fd_install_new(wr, flags & O_CLOEXEC);
	if (fd[1] < 0 || copy_to_user(fds, fd, sizeof(fd)) < 0) {
		rc = fd[1] < 0 ? fd[1] : -EFAULT;
		fd_close(fd[0]);
		if (fd[1] >= 0)
			fd_close(fd[1]);
		return rc;
	}
	return 0;
}

long sys_pipe(const uint64_t a[6])
{
	return pipe_user(a[0], 0);
}

long sys_pipe2(const uint64_t a[6])
{
	return pipe_user(a[0], (unsigned)a[1]);
}
