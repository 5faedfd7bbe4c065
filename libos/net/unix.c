/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX sockets: birth, connect, accept, end, readiness. Names are in unix_name.c, data in unix_io.c. */
#include "libos/net/unix.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

static const struct sock_ops unix_ops;

struct unix_sock *unix_alloc(unsigned type)
{
	struct unix_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return NULL;
	sock_init(&u->s, &unix_ops, AF_UNIX, type, 0);
	list_init(&u->pointing);
	list_init(&u->link);
	list_init(&u->named);
	list_init(&u->queue);
	list_init(&u->conns);
	list_init(&u->conn_link);
	waitq_init(&u->room);
	waitq_init(&u->accept_room);
	return u;
}

static unsigned usable_type(unsigned type)
{
	if (type == SOCK_RAW)
		return SOCK_DGRAM; /* as Linux */
	return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET ? type : 0;
}

int unix_sock_new(unsigned type, struct sock **s)
{
	unsigned t = usable_type(type);
	struct unix_sock *u = t ? unix_alloc(t) : NULL;

	if (!u)
		return t ? -ENOMEM : -ESOCKTNOSUPPORT;
	*s = &u->s;
	return 0;
}

void unix_point(struct unix_sock *from, struct unix_sock *to)
{
	from->peer_gone = false;
	from->peer = to;
	list_add_tail(&to->pointing, &from->link);
}

void unix_unpoint(struct unix_sock *from)
{
	from->peer = NULL;
	list_del(&from->link);
}

int unix_sock_pair(unsigned type, struct sock *pair[2])
{
	unsigned t = usable_type(type);
	struct unix_sock *a, *b;

	if (!t)
		return -ESOCKTNOSUPPORT;
	a = unix_alloc(t);
	b = unix_alloc(t);
	if (!a || !b) {
		kfree(a);
		kfree(b);
		return -ENOMEM;
	}
	a->state = b->state = UNIX_CONNECTED;
	unix_point(a, b);
	unix_point(b, a);
	pair[0] = &a->s;
	pair[1] = &b->s;
	return 0;
}

/* ---- connect, accept */

static int connect_dgram(struct unix_sock *u, const union sockaddr_any *addr, unsigned len)
{
	struct unix_sock *to;

	if (addr->family == AF_UNSPEC) {
		if (u->peer)
			unix_unpoint(u);
		u->state = UNIX_NEW;
		return 0;
	}
	int rc = unix_find(addr, len, u->s.type, &to);
	if (rc < 0)
		return rc;
	if (u->peer)
		unix_unpoint(u);
	unix_point(u, to);
	u->state = UNIX_CONNECTED;
	return 0;
}

/* The listener, with room in its queue; waits for that. */
static int find_listener(struct unix_sock *u, const union sockaddr_any *addr, unsigned len,
	bool nonblock, struct unix_sock **l)
{
	uint64_t deadline = sock_deadline(u->s.sndtimeo);

	for (;;) {
		int rc = unix_find(
			addr, len, u->s.type, l); /* again after each wait: it may be gone */
		if (rc < 0)
			return rc;
		if ((*l)->state != UNIX_LISTENING)
			return -ECONNREFUSED;
		if ((*l)->nconns <= (*l)->backlog)
			return 0;
		rc = sock_wait(&(*l)->accept_room, nonblock, deadline);
		if (rc < 0)
			return rc;
	}
}

static int unix_connect(struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *l, *conn;

	if (len < sizeof(addr->family))
		return -EINVAL;
	if (s->type == SOCK_DGRAM)
		return connect_dgram(u, addr, len);
	if (u->state == UNIX_LISTENING)
		return -EINVAL;
	if (u->state != UNIX_NEW)
		return -EISCONN;
	int rc = find_listener(u, addr, len, nonblock, &l);
	if (rc < 0)
		return rc;
	conn = unix_alloc(s->type);
	if (!conn)
		return -ENOMEM;
	conn->name = l->name;
	conn->state = u->state = UNIX_CONNECTED;
	unix_point(u, conn);
	unix_point(conn, u);
	list_add_tail(&l->conns, &conn->conn_link);
	l->nconns++;
	waitq_wake(&l->s.rq, 1);
	poll_notify(&l->s.pollable, POLLIN);
	return 0;
}

static int unix_listen(struct sock *s, int backlog)
{
	struct unix_sock *u = unix_of(s);

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (u->name.len == 0 || (u->state != UNIX_NEW && u->state != UNIX_LISTENING))
		return -EINVAL;
	u->backlog = (unsigned)backlog > SOMAXCONN ? SOMAXCONN : (unsigned)backlog;
	u->state = UNIX_LISTENING;
	s->listening = true;
	waitq_wake_all(&u->accept_room);
	return 0;
}

static int unix_accept(struct sock *s, bool nonblock, struct sock **conn)
{
	struct unix_sock *u = unix_of(s);
	uint64_t deadline = sock_deadline(s->rcvtimeo);

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	for (;;) {
		if (u->state != UNIX_LISTENING)
			return -EINVAL;
		struct list *first = list_pop(&u->conns);
		if (first) {
			u->nconns--;
			waitq_wake(&u->accept_room, 1);
			*conn = &container_of(first, struct unix_sock, conn_link)->s;
			return 0;
		}
		int rc = sock_wait(&s->rq, nonblock, deadline);
		if (rc < 0) {
			if (!list_empty(&u->conns))
				waitq_wake(&s->rq, 1);
			return rc;
		}
	}
}

static int unix_getname(struct sock *s, bool peer, union sockaddr_any *addr)
{
	struct unix_sock *u = unix_of(s);

	if (peer && !u->peer)
		return -ENOTCONN;
	return unix_put_name(peer ? &u->peer->name : &u->name, addr);
}

/* ---- end */

static int unix_shutdown(struct sock *s, int how)
{
	struct unix_sock *u = unix_of(s);
	bool rd = how != SHUT_WR, wr = how != SHUT_RD, pair = s->type != SOCK_DGRAM;

	if (pair && u->state != UNIX_CONNECTED && u->state != UNIX_GONE)
		return -ENOTCONN;
	s->shut_rd |= rd;
	s->shut_wr |= wr;
	if (pair && u->peer) { /* a direction has two ends */
		struct sock *p = &u->peer->s;

		p->shut_rd |= wr;
		p->shut_wr |= rd;
		sock_readable(p, POLLIN | POLLRDHUP | (p->shut_rd && p->shut_wr ? POLLHUP : 0));
		sock_writable(p, POLLOUT);
		waitq_wake_all(&u->peer->room);
	}
	sock_readable(s, POLLIN | POLLRDHUP | (s->shut_rd && s->shut_wr ? POLLHUP : 0));
	sock_writable(s, POLLOUT);
	waitq_wake_all(&u->room);
	return 0;
}

/* The socket that `p` is connected to ends. */
static void peer_ends(struct unix_sock *p, bool unread)
{
	unix_unpoint(p);
	if (p->s.type == SOCK_DGRAM) {
		p->peer_gone = true;
		p->state = UNIX_NEW;
	} else {
		if (unread)
			p->s.err = ECONNRESET;
		p->s.shut_rd = p->s.shut_wr = true;
		p->state = UNIX_GONE;
	}
	sock_readable(&p->s, POLLIN | POLLRDHUP | POLLHUP | (p->s.err ? POLLERR : 0));
	sock_writable(&p->s, POLLOUT);
}

static void unix_close(struct sock *s)
{
	struct unix_sock *u = unix_of(s);
	bool unread = !list_empty(&u->queue);
	struct list *l;

	unix_unbind(u);
	while ((l = list_pop(&u->conns)) != NULL) {
		struct unix_sock *conn = container_of(l, struct unix_sock, conn_link);

		if (conn->peer)
			conn->peer->s.err = ECONNRESET;
		conn->s.ops->close(&conn->s);
	}
	while (!list_empty(&u->pointing))
		peer_ends(container_of(u->pointing.next, struct unix_sock, link), unread);
	if (u->peer)
		unix_unpoint(u);
	waitq_wake_all(&u->room); /* they look the name up again */
	waitq_wake_all(&u->accept_room);
	unix_drop_queue(u);
	kfree(u);
}

/* ---- readiness, options */

static uint32_t unix_poll(struct sock *s)
{
	struct unix_sock *u = unix_of(s);
	uint32_t ev = 0;

	if (u->state == UNIX_LISTENING)
		return list_empty(&u->conns) ? 0 : POLLIN;
	if (s->err)
		ev |= POLLERR;
	if (s->shut_rd && s->shut_wr)
		ev |= POLLHUP;
	if (s->shut_rd)
		ev |= POLLRDHUP | POLLIN;
	if (!list_empty(&u->queue))
		ev |= POLLIN;
	if (s->type != SOCK_DGRAM && u->state == UNIX_NEW)
		ev |= POLLHUP;
	if (!u->peer || s->shut_wr || unix_has_room(u, u->peer))
		ev |= POLLOUT;
	return ev;
}

static int unix_getopt(struct sock *s, int level, int name, void *val, unsigned *len)
{
	struct ucred cred = {.pid = 1};

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name != SO_PEERCRED)
		return -ENOPROTOOPT;
	if (!unix_of(s)->peer)
		cred = (struct ucred){0, UINT32_MAX, UINT32_MAX};
	*len = *len < sizeof(cred) ? *len : (unsigned)sizeof(cred);
	memcpy(val, &cred, *len);
	return 0;
}

static void unix_option_changed(struct sock *s, int name)
{
	if (name == SO_SNDBUF)
		sock_writable(s, POLLOUT);
}

static const struct sock_ops unix_ops = {
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.getname = unix_getname,
	.send = unix_send,
	.recv = unix_recv,
	.shutdown = unix_shutdown,
	.getopt = unix_getopt,
	.option_changed = unix_option_changed,
	.poll = unix_poll,
	.inq = unix_inq,
	.close = unix_close,
};
