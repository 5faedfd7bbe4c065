/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all sockets share: the open file on top of a socket, waiting and waking, errors, and the way from an iter to
 * memory. The families are below it (tcp, udp, unix, netlink), the system calls above (sys_socket.c, sys_msg.c).
 */
#include "libos/net/sock.h"

#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

#define SIGPIPE     13
#define O_RDWR      02u
#define S_IFSOCK    0140000u
#define DEFAULT_BUF 212992u /* net.core.rmem_default and wmem_default */
#define SOCKFS_DEV  8u

void sock_init(struct sock *s, const struct sock_ops *ops, int domain, unsigned type, int protocol)
{
	static uint64_t next_ino = 1000;

	s->ops = ops;
	s->domain = domain;
	s->type = type;
	s->protocol = protocol;
	s->ino = next_ino++;
	s->rcvbuf = s->sndbuf = DEFAULT_BUF;
	s->rcvlowat = 1;
	pollable_init(&s->pollable);
	waitq_init(&s->rq);
	waitq_init(&s->wq);
}

/* ---- the file */

static long file_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct sock *s = f->priv;
	struct sock_msg m = {.it = it, .nonblock = nonblock};

	if (it->left == 0)
		return 0;
	return s->ops->recv ? s->ops->recv(s, &m) : -EOPNOTSUPP;
}

static long file_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct sock *s = f->priv;
	struct sock_msg m = {.it = it, .nonblock = nonblock};

	return s->ops->send ? s->ops->send(s, &m) : -EOPNOTSUPP;
}

static uint32_t file_poll_now(struct file *f)
{
	struct sock *s = f->priv;

	return s->ops->poll(s);
}

static struct pollable *file_pollable(struct file *f)
{
	struct sock *s = f->priv;

	return &s->pollable;
}

static long put_int(uptr_t arg, long value)
{
	int v = (int)value;

	if (value < 0)
		return value;
	return copy_to_user(arg, &v, sizeof(v));
}

static long file_ioctl(struct file *f, unsigned cmd, uptr_t arg)
{
	struct sock *s = f->priv;

	switch (cmd) {
	case FIONREAD:
		return put_int(arg, s->ops->inq ? s->ops->inq(s) : -EINVAL);
	case SIOCOUTQ:
		return put_int(arg, s->ops->outq ? s->ops->outq(s) : -EINVAL);
	case SIOCATMARK:
		return s->type == SOCK_STREAM ? put_int(arg, 0) : -ENOTTY;
	default:
		return net_ifreq(cmd, arg);
	}
}

static int file_stat(struct file *f, struct kstat *st)
{
	const struct sock *s = f->priv;

	*st = (struct kstat){.dev = SOCKFS_DEV,
		.ino = s->ino,
		.mode = S_IFSOCK | 0777,
		.nlink = 1,
		.blksize = 4096};
	return 0;
}

static void file_release(struct file *f)
{
	struct sock *s = f->priv;

	s->ops->close(s);
}

static const struct file_ops socket_file_ops = {
	.name = "socket",
	.read = file_read,
	.write = file_write,
	.poll = file_poll_now,
	.pollable = file_pollable,
	.ioctl = file_ioctl,
	.stat = file_stat,
	.release = file_release,
};

int sock_file(struct sock *s, unsigned flags, struct file **file)
{
	struct file *f = file_new(&socket_file_ops, O_RDWR | (flags & SOCK_NONBLOCK), s);

	if (!f) {
		s->ops->close(s);
		return -ENOMEM;
	}
	*file = f;
	return 0;
}

int sock_install(struct sock *s, unsigned sock_flags)
{
	struct file *f;
	int fd, rc = sock_file(s, sock_flags, &f);

	if (rc < 0)
		return rc;
	fd = fd_install(f, (sock_flags & SOCK_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

struct sock *sock_of(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}

int sock_get(int fd, struct file **f, struct sock **s)
{
	*f = fd_file_get(fd);
	if (!*f)
		return -EBADF;
	*s = sock_of(*f);
	if (*s)
		return 0;
	file_put(*f);
	return -ENOTSOCK;
}

/* ---- waiting */

void sock_readable(struct sock *s, uint32_t events)
{
	waitq_wake_all(&s->rq);
	poll_notify(&s->pollable, events);
}

void sock_writable(struct sock *s, uint32_t events)
{
	waitq_wake_all(&s->wq);
	poll_notify(&s->pollable, events);
}

int sock_error(struct sock *s)
{
	int err = s->err;

	s->err = 0;
	return -err;
}

uint64_t sock_deadline(uint64_t timeo)
{
	return timeo == 0 ? TIME_FOREVER : clock_mono_ns() + timeo;
}

int sock_wait(struct waitq *q, bool nonblock, uint64_t deadline)
{
	if (nonblock)
		return -EAGAIN;
	int rc = waitq_wait(q, deadline);
	if (rc == -EINTR && deadline == TIME_FOREVER)
		return -ERESTARTSYS; /* a call with a time-out is not started again (signal(7)) */
	return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

int sock_epipe(const struct sock_msg *m)
{
	if (!(m->flags & MSG_NOSIGNAL))
		signal_thread_sync(SIGPIPE);
	return -EPIPE;
}

/* ---- data */

void *sock_span(struct iter *it, size_t max, bool write, size_t *n)
{
	size_t len = it->left < max ? it->left : max;

	if (!it->iov) {
		*n = len;
		return it->kbuf + it->at;
	}
	while (it->niov > 0 && it->at >= it->iov->len) {
		it->at = 0;
		it->iov++;
		it->niov--;
	}
	if (it->niov == 0)
		return NULL;
	if (len > it->iov->len - it->at)
		len = it->iov->len - it->at;
	*n = len;
	return user_range(it->iov->base + it->at, len, write);
}

void sock_advance(struct iter *it, size_t n)
{
	it->at += n;
	it->left -= n;
}

void sock_ctl_drop(struct sock_ctl *ctl)
{
	for (unsigned i = 0; i < ctl->nfiles; i++)
		file_put(ctl->file[i]);
	kfree(ctl->file);
	ctl->file = NULL;
	ctl->nfiles = 0;
}
