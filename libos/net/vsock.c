/* SPDX-License-Identifier: Apache-2.0 */
/* AF_VSOCK: birth, names, connect, accept, end, readiness. Packets are in vsock_in.c, data in vsock_io.c. */
#include "libos/net/vsock.h"

#include "libos/drv/platform.h"
#include "libos/klib/errno.h"
#include "libos/klib/random.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

#define BUF_BYTES       262144u /* Linux's defaults */
#define BUF_MIN         128u
#define CONNECT_NS      (2 * NS_PER_SEC)
#define PORT_AUTO_FIRST 1024u
#define PORT_TRIES      1024u

static const struct sock_ops vsock_ops;
static void connect_timeout(struct ktimer *t);

struct vsock *vsock_alloc(void)
{
	struct vsock *v = kzalloc(sizeof(*v));

	if (!v)
		return NULL;
	sock_init(&v->s, &vsock_ops, AF_VSOCK, SOCK_STREAM, 0);
	v->cid = v->peer_cid = VMADDR_CID_ANY;
	v->port = v->peer_port = VMADDR_PORT_ANY;
	v->buf_bytes = v->buf_max = v->ring_bytes = BUF_BYTES;
	v->buf_min = BUF_MIN;
	v->connect_ns = CONNECT_NS;
	list_init(&v->bound);
	list_init(&v->known);
	list_init(&v->conns);
	list_init(&v->conn_link);
	ktimer_init(&v->timer, connect_timeout);
	return v;
}

int vsock_sock_new(unsigned type, struct sock **s)
{
	struct vsock *v;

	if (type == SOCK_DGRAM)
		return -ENODEV; /* as Linux, whose virtio transport has none either */
	if (type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	v = vsock_alloc();
	if (!v)
		return -ENOMEM;
	*s = &v->s;
	return 0;
}

/* ---- names */

static int put_name(union sockaddr_any *addr, uint32_t cid, uint32_t port)
{
	memset(&addr->vm, 0, sizeof(addr->vm));
	addr->vm.svm_family = AF_VSOCK;
	addr->vm.svm_cid = cid;
	addr->vm.svm_port = port;
	return sizeof(addr->vm);
}

static bool is_name(const union sockaddr_any *addr, unsigned len)
{
	return len >= sizeof(addr->vm) && addr->family == AF_VSOCK &&
		(addr->vm.svm_flags & ~VMADDR_FLAG_TO_HOST) == 0;
}

/* A port that nobody has: from a random one upwards, so that a peer's memory of an earlier boot does not meet it. */
static int auto_port(uint32_t cid, uint32_t *port)
{
	static uint32_t next;

	if (next == 0)
		random_bytes(&next, sizeof(next));
	for (unsigned i = 0; i < PORT_TRIES; i++) {
		if (next < PORT_AUTO_FIRST || next == VMADDR_PORT_ANY)
			next = PORT_AUTO_FIRST;
		*port = next++;
		if (!vsock_bound(cid, *port))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

static int bind_to(struct vsock *v, uint32_t cid, uint32_t port)
{
	int rc = 0;

	if (v->port != VMADDR_PORT_ANY)
		return -EINVAL;
	if (cid != VMADDR_CID_ANY && !vsock_is_local(cid))
		return -EADDRNOTAVAIL;
	if (port == VMADDR_PORT_ANY)
		rc = auto_port(cid, &port);
	else if (vsock_bound(cid, port))
		rc = -EADDRINUSE;
	if (rc == 0)
		vsock_bind_to(v, cid, port);
	return rc;
}

static int vsock_bind(struct sock *s, const union sockaddr_any *addr, unsigned len)
{
	return is_name(addr, len) ? bind_to(vsock_of(s), addr->vm.svm_cid, addr->vm.svm_port)
				  : -EINVAL;
}

static int vsock_getname(struct sock *s, bool peer, union sockaddr_any *addr)
{
	const struct vsock *v = vsock_of(s);

	if (!peer)
		return put_name(addr, v->cid, v->port);
	return v->phase == PHASE_CONNECTED ? put_name(addr, v->peer_cid, v->peer_port) : -ENOTCONN;
}

/* ---- connect */

static void give_up(struct vsock *v)
{
	ktimer_cancel(&v->timer);
	vsock_tell(v, VIRTIO_VSOCK_OP_RST, 0);
	list_del(&v->known);
	v->state = VSOCK_CLOSED;
	v->phase = PHASE_UNCONNECTED;
}

static void connect_timeout(struct ktimer *t)
{
	struct vsock *v = container_of(t, struct vsock, timer);

	if (v->state != VSOCK_CONNECTING)
		return;
	give_up(v);
	v->s.err = ETIMEDOUT;
	sock_writable(&v->s, POLLOUT | POLLERR);
}

static int connect_wait(struct vsock *v)
{
	uint64_t deadline = clock_mono_ns() + v->connect_ns;

	while (v->state == VSOCK_CONNECTING) {
		int rc = waitq_wait(&v->s.wq, deadline);

		if (v->state != VSOCK_CONNECTING || rc == 0)
			continue;
		give_up(v);
		return rc == -EINTR ? -ERESTARTSYS : rc;
	}
	return v->s.err ? sock_error(&v->s) : 0;
}

static int connect_start(struct vsock *v, uint32_t cid, uint32_t port)
{
	int rc = 0;

	if (!vsock_is_local(cid) && !vvsock_cid())
		return -ENODEV;
	if (v->port == VMADDR_PORT_ANY)
		rc = bind_to(v, VMADDR_CID_ANY, VMADDR_PORT_ANY);
	if (rc < 0)
		return rc;
	v->peer_cid = cid;
	v->peer_port = port;
	v->state = VSOCK_CONNECTING;
	v->phase = PHASE_CONNECTING;
	v->peer_shut = v->got = v->fwd = v->fwd_told = v->sent = v->peer_alloc = v->peer_fwd = 0;
	v->s.err = 0;
	vsock_know(v);
	vsock_tell(v, VIRTIO_VSOCK_OP_REQUEST, 0);
	return 0;
}

static int vsock_connect(
	struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock)
{
	struct vsock *v = vsock_of(s);
	int rc;

	switch (v->phase) {
	case PHASE_CONNECTED:
		return -EISCONN;
	case PHASE_DISCONNECTING:
		return -EINVAL;
	case PHASE_CONNECTING:
		return nonblock ? -EALREADY : connect_wait(v);
	case PHASE_UNCONNECTED:
		break;
	}
	if (v->state == VSOCK_LISTENING || !is_name(addr, len))
		return -EINVAL;
	rc = connect_start(v, addr->vm.svm_cid, addr->vm.svm_port);
	if (rc < 0)
		return rc;
	if (!nonblock)
		return connect_wait(v);
	ktimer_set(&v->timer, clock_mono_ns() + v->connect_ns);
	return -EINPROGRESS;
}

/* ---- listen, accept */

static int vsock_listen(struct sock *s, int backlog)
{
	struct vsock *v = vsock_of(s);
	static bool told;

	if (v->phase != PHASE_UNCONNECTED || v->port == VMADDR_PORT_ANY ||
		(v->state != VSOCK_CLOSED && v->state != VSOCK_LISTENING))
		return -EINVAL;
	v->backlog = (unsigned)backlog > SOMAXCONN ? SOMAXCONN : (unsigned)backlog;
	v->state = VSOCK_LISTENING;
	s->listening = true;
	if (!told)
		platform_milestone(UIG_MS_LISTEN, 0);
	told = true;
	return 0;
}

static int vsock_accept(struct sock *s, bool nonblock, struct sock **conn)
{
	struct vsock *v = vsock_of(s);
	uint64_t deadline = sock_deadline(s->rcvtimeo);

	for (;;) {
		struct list *first;
		int rc;

		if (v->state != VSOCK_LISTENING)
			return -EINVAL;
		first = list_pop(&v->conns);
		if (first) {
			v->nconns--;
			*conn = &container_of(first, struct vsock, conn_link)->s;
			return 0;
		}
		rc = sock_wait(&s->rq, nonblock, deadline);
		if (rc < 0) {
			if (!list_empty(&v->conns))
				waitq_wake(&s->rq, 1);
			return rc;
		}
	}
}

/* ---- end */

static int vsock_shutdown(struct sock *s, int how)
{
	struct vsock *v = vsock_of(s);
	uint32_t flags;

	if (v->phase == PHASE_UNCONNECTED)
		return -ENOTCONN;
	v->phase = PHASE_DISCONNECTING;
	s->shut_rd |= how != SHUT_WR;
	s->shut_wr |= how != SHUT_RD;
	flags = (s->shut_rd ? VIRTIO_VSOCK_SHUTDOWN_RECV : 0) |
		(s->shut_wr ? VIRTIO_VSOCK_SHUTDOWN_SEND : 0);
	if (v->state == VSOCK_OPEN)
		vsock_tell(v, VIRTIO_VSOCK_OP_SHUTDOWN, flags);
	sock_readable(s, POLLIN | POLLRDHUP | (s->shut_rd && s->shut_wr ? POLLHUP : 0));
	sock_writable(s, POLLOUT);
	return 0;
}

void vsock_close(struct sock *s)
{
	struct vsock *v = vsock_of(s);
	struct list *l;

	while ((l = list_pop(&v->conns)) != NULL)
		vsock_close(&container_of(l, struct vsock, conn_link)->s);
	if (v->state == VSOCK_CONNECTING)
		give_up(v);
	else if (v->state == VSOCK_OPEN && v->peer_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH)
		vsock_tell(v, VIRTIO_VSOCK_OP_RST, 0);
	else if (v->state == VSOCK_OPEN)
		vsock_tell(v, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	list_del(&v->bound);
	list_del(&v->known);
	list_del(&v->conn_link);
	ktimer_cancel(&v->timer);
	kfree(v->ring);
	kfree(v);
}

/* ---- readiness */

static uint32_t vsock_poll(struct sock *s)
{
	struct vsock *v = vsock_of(s);
	bool peer_ended = v->peer_shut & VIRTIO_VSOCK_SHUTDOWN_SEND;
	uint32_t ev = 0;

	if (s->err)
		ev |= POLLERR;
	if (v->state == VSOCK_LISTENING)
		return ev | (list_empty(&v->conns) ? 0 : POLLIN);
	if (s->shut_wr && (s->shut_rd || peer_ended))
		ev |= POLLHUP;
	if (s->shut_rd || peer_ended)
		ev |= POLLRDHUP | POLLIN;
	if (v->len > 0)
		ev |= POLLIN;
	if (v->state == VSOCK_OPEN)
		ev |= !s->shut_wr && vsock_credit(v) > 0 && vsock_sendable(v) ? POLLOUT : 0;
	else if (v->state != VSOCK_CONNECTING && !s->shut_wr)
		ev |= POLLOUT;
	return ev;
}

static long vsock_inq(struct sock *s)
{
	return vsock_of(s)->state == VSOCK_LISTENING ? -EINVAL : (long)vsock_of(s)->len;
}

static const struct sock_ops vsock_ops = {
	.bind = vsock_bind,
	.connect = vsock_connect,
	.listen = vsock_listen,
	.accept = vsock_accept,
	.getname = vsock_getname,
	.send = vsock_send,
	.recv = vsock_recv,
	.shutdown = vsock_shutdown,
	.setopt = vsock_setopt,
	.getopt = vsock_getopt,
	.poll = vsock_poll,
	.inq = vsock_inq,
	.close = vsock_close,
};
