/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data of AF_UNIX sockets: messages in the receiver's queue, each one copy of what was sent. Streams are read across messages, but never
 * past one that carries descriptors (so that these arrive with the byte they were sent with). How much may wait is the sender's SO_SNDBUF.
 */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/unix.h"

#define CHUNK_MAX   32768u /* bytes of one message of a stream */
#define DGRAM_QUEUE 512u   /* messages */

bool unix_has_room(const struct unix_sock *from, const struct unix_sock *to)
{
	return to->queued_bytes < from->s.sndbuf &&
		(from->s.type == SOCK_STREAM || to->queued_msgs < DGRAM_QUEUE);
}

static void msg_free(struct unix_msg *msg)
{
	sock_ctl_drop(&msg->ctl);
	kfree(msg->from);
	kfree(msg);
}

static void dequeue(struct unix_sock *u, struct unix_msg *msg)
{
	list_del(&msg->link);
	u->queued_msgs--;
	msg_free(msg);
}

void unix_drop_queue(struct unix_sock *u)
{
	while (!list_empty(&u->queue))
		dequeue(u, container_of(u->queue.next, struct unix_msg, link));
	u->queued_bytes = 0;
}

/* ---- send */

/* Copies n bytes of the message into a new one. */
static int msg_make(struct unix_sock *u, struct sock_msg *m, size_t n, struct unix_msg **out)
{
	struct unix_msg *msg = kmalloc(sizeof(*msg) + n);

	if (!msg)
		return -ENOBUFS;
	*msg = (struct unix_msg){.len = (uint32_t)n};
	if (iter_get(m->it, msg->data, n) != (long)n) {
		kfree(msg);
		return -EFAULT;
	}
	if (u->s.type == SOCK_DGRAM && u->name.len > 0) {
		msg->from = kmalloc(sizeof(*msg->from));
		if (!msg->from) {
			kfree(msg);
			return -ENOBUFS;
		}
		*msg->from = u->name;
	}
	*out = msg;
	return 0;
}

static void deliver(struct unix_sock *to, struct unix_msg *msg, struct sock_msg *m)
{
	if (m->ctl) { /* with the first bytes */
		msg->ctl.nfiles = m->ctl->nfiles;
		msg->ctl.file = m->ctl->file;
		m->ctl->nfiles = 0;
		m->ctl->file = NULL;
		m->ctl = NULL;
	}
	msg->ctl.have_cred = true;
	msg->ctl.cred = (struct ucred){.pid = 1};
	list_add_tail(&to->queue, &msg->link);
	to->queued_bytes += msg->len;
	to->queued_msgs++;
	sock_readable(&to->s, POLLIN);
}

/* Where the message goes, or why it can not. */
static int target(struct unix_sock *u, struct sock_msg *m, struct unix_sock **to)
{
	if (u->s.err)
		return sock_error(&u->s);
	if (u->s.shut_wr)
		return sock_epipe(m);
	if (m->addr && m->addr_len > 0) {
		if (u->s.type == SOCK_DGRAM)
			return unix_find(m->addr, m->addr_len, SOCK_DGRAM, to);
		if (u->s.type == SOCK_STREAM)
			return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	}
	if (u->peer_gone) {
		u->peer_gone = false;
		return -ECONNREFUSED;
	}
	*to = u->peer;
	return u->peer ? 0 : -ENOTCONN;
}

/* Waits until there is somewhere to send to and room in it. */
static int wait_room(struct unix_sock *u, struct sock_msg *m, struct unix_sock **to)
{
	uint64_t deadline = 0;

	for (;;) {
		int rc = target(u, m, to);
		if (rc < 0)
			return rc;
		if ((*to)->s.shut_rd)
			return u->s.type == SOCK_DGRAM ? -EPIPE : sock_epipe(m);
		if (unix_has_room(u, *to))
			return 0;
		if (deadline == 0)
			deadline = sock_deadline(u->s.sndtimeo);
		rc = sock_wait(&(*to)->room, m->nonblock, deadline);
		if (rc < 0)
			return rc;
	}
}

static long send_stream(struct unix_sock *u, struct sock_msg *m)
{
	long done = 0;

	do {
		struct unix_sock *to;
		struct unix_msg *msg;
		int rc = wait_room(u, m, &to);

		if (rc == 0 && m->it->left > 0) {
			size_t room = u->s.sndbuf - to->queued_bytes,
			       n = m->it->left < CHUNK_MAX ? m->it->left : CHUNK_MAX;

			n = n < room ? n : room;
			rc = msg_make(u, m, n, &msg);
			if (rc == 0) {
				deliver(to, msg, m);
				done += (long)n;
			}
		}
		if (rc < 0)
			return done > 0 ? done : rc;
	} while (m->it->left > 0);
	return done;
}

long unix_send(struct sock *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *to;
	size_t len = m->it->left;
	struct unix_msg *msg;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == SOCK_STREAM)
		return send_stream(u, m);
	if (len > s->sndbuf)
		return -EMSGSIZE;
	int rc = wait_room(u, m, &to);
	if (rc == 0)
		rc = msg_make(u, m, len, &msg);
	if (rc < 0)
		return rc;
	deliver(to, msg, m);
	return (long)len;
}

/* ---- receive */

/* The queue has shrunk: senders may go on. */
static void made_room(struct unix_sock *u)
{
	waitq_wake_all(&u->room);
	list_for_each (from, &u->pointing, struct unix_sock, link)
		if (unix_has_room(from, u))
			poll_notify(&from->s.pollable, POLLOUT);
}

static int wait_data(struct unix_sock *u, struct sock_msg *m, uint64_t *deadline)
{
	while (list_empty(&u->queue)) {
		if (u->s.err && u->s.type != SOCK_DGRAM)
			return sock_error(&u->s);
		if (u->s.shut_rd)
			return 0;
		if (u->s.type != SOCK_DGRAM && u->state != UNIX_CONNECTED)
			return u->s.type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
		if (*deadline == 0)
			*deadline = sock_deadline(u->s.rcvtimeo);
		int rc = sock_wait(&u->s.rq, m->nonblock, *deadline);
		if (rc < 0)
			return rc;
	}
	return 1;
}

/* The files stay with the message, and the reader gets them too (MSG_PEEK). Without memory it gets none. */
static void share_files(const struct sock_ctl *from, struct sock_ctl *to)
{
	to->file = kmalloc(from->nfiles * sizeof(struct file *));
	if (!to->file)
		return;
	for (unsigned i = 0; i < from->nfiles; i++)
		to->file[i] = file_get(from->file[i]);
	to->nfiles = from->nfiles;
}

static void give_ctl(struct unix_sock *u, struct unix_msg *msg, struct sock_msg *m)
{
	if (!m->ctl)
		return;
	if (u->s.passcred) {
		m->ctl->have_cred = msg->ctl.have_cred;
		m->ctl->cred = msg->ctl.cred;
	}
	if (msg->ctl.nfiles > 0 && (m->flags & MSG_PEEK)) {
		share_files(&msg->ctl, m->ctl);
	} else if (msg->ctl.nfiles > 0) {
		m->ctl->nfiles = msg->ctl.nfiles;
		m->ctl->file = msg->ctl.file;
		msg->ctl.nfiles = 0;
		msg->ctl.file = NULL;
	}
}

static long recv_packet(struct unix_sock *u, struct sock_msg *m)
{
	uint64_t deadline = 0;
	int rc = wait_data(u, m, &deadline);

	if (rc <= 0)
		return rc;
	struct unix_msg *msg = container_of(u->queue.next, struct unix_msg, link);
	long full = msg->len, n = msg->len > 0 ? iter_put(m->it, msg->data, msg->len) : 0;
	if (n < 0)
		return n;
	if (n < full)
		m->out_flags |= MSG_TRUNC;
	if (u->s.type == SOCK_SEQPACKET)
		m->out_flags |= MSG_EOR;
	if (m->addr && msg->from)
		m->addr_len = (unsigned)unix_put_name(msg->from, m->addr);
	give_ctl(u, msg, m);
	if (!(m->flags & MSG_PEEK)) {
		u->queued_bytes -= msg->len;
		dequeue(u, msg);
		made_room(u);
	}
	return m->flags & MSG_TRUNC ? full : n;
}

/* Copies from the messages that may be read together. Bytes, or -EFAULT. */
static long read_stream(struct unix_sock *u, struct sock_msg *m)
{
	long done = 0;

	list_for_each_safe (msg, &u->queue, struct unix_msg, link) {
		if (done > 0 && msg->ctl.nfiles > 0 && msg->off == 0)
			break;
		bool files = msg->ctl.nfiles > 0;
		long n = iter_put(m->it, msg->data + msg->off, msg->len - msg->off);
		if (n < 0)
			return done > 0 ? done : n;
		give_ctl(u, msg, m);
		done += n;
		if (!(m->flags & MSG_PEEK)) {
			msg->off += (uint32_t)n;
			u->queued_bytes -= (uint32_t)n;
			if (msg->off == msg->len)
				dequeue(u, msg);
		}
		if (m->it->left == 0 || files)
			break;
	}
	return done;
}

static long recv_stream(struct unix_sock *u, struct sock_msg *m)
{
	uint64_t deadline = 0;
	bool all = (m->flags & MSG_WAITALL) && !(m->flags & MSG_PEEK);
	long got = 0;

	do {
		int rc = wait_data(u, m, &deadline);
		if (rc <= 0)
			return got > 0 ? got : rc;
		long n = read_stream(u, m);
		if (n < 0)
			return got > 0 ? got : n;
		got += n;
		if (!(m->flags & MSG_PEEK))
			made_room(u);
	} while (all && m->it->left > 0);
	return got;
}

long unix_recv(struct sock *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	m->addr_len = 0;
	if (s->type == SOCK_STREAM)
		return m->it->left > 0 ? recv_stream(u, m) : 0;
	return recv_packet(u, m);
}

long unix_inq(struct sock *s)
{
	struct unix_sock *u = unix_of(s);

	if (u->state == UNIX_LISTENING)
		return -EINVAL;
	if (s->type == SOCK_STREAM)
		return u->queued_bytes;
	return list_empty(&u->queue) ? 0 : container_of(u->queue.next, struct unix_msg, link)->len;
}
