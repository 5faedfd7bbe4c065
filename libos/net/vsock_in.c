/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which port, which connections there are, and the packets between: from the device, and from sockets of the instance to each
 * other, which wait on a list for the next turn of the pollers so that nobody is called from within his own call. A packet is
 * borrowed and believed nothing: a header that fits no connection is answered by RST.
 */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/vsock.h"
#include "libos/net/vsock_init.h"

#define LOOP_BUDGET 64u /* packets at one go, so that threads get their turn */

static struct list bound = LIST_INIT(bound), known = LIST_INIT(known);
static struct list loop = LIST_INIT(loop); /* of packets to ourselves */

/* ---- tables */

bool vsock_is_local(uint32_t cid)
{
	return cid == VMADDR_CID_LOCAL || (cid == vvsock_cid() && cid != 0);
}

struct vsock *vsock_bound(uint32_t cid, uint32_t port)
{
	list_for_each (v, &bound, struct vsock, bound)
		if (v->port == port &&
			(v->cid == cid || v->cid == VMADDR_CID_ANY || cid == VMADDR_CID_ANY))
			return v;
	return NULL;
}

void vsock_bind_to(struct vsock *v, uint32_t cid, uint32_t port)
{
	v->cid = cid;
	v->port = port;
	list_add_tail(&bound, &v->bound);
}

void vsock_know(struct vsock *v)
{
	list_add_tail(&known, &v->known);
}

static struct vsock *find(const struct virtio_vsock_hdr *h)
{
	list_for_each (v, &known, struct vsock, known)
		if (v->port == h->dst_port && v->peer_port == h->src_port &&
			v->peer_cid == h->src_cid)
			return v;
	return NULL;
}

/* ---- out */

static void route(struct vsock_packet *p)
{
	p->hdr.type = VIRTIO_VSOCK_TYPE_STREAM;
	if (vsock_is_local((uint32_t)p->hdr.dst_cid)) {
		p->hdr.src_cid = p->hdr.dst_cid;
		list_add_tail(&loop, &p->link);
	} else if (vvsock_cid()) {
		p->hdr.src_cid = vvsock_cid();
		vvsock_send(p);
	} else {
		vsock_packet_free(p);
	}
}

bool vsock_sendable(struct vsock *v)
{
	return vsock_is_local(v->peer_cid) || vvsock_room();
}

void vsock_transmit(struct vsock *v, struct vsock_packet *p)
{
	p->hdr.dst_cid = v->peer_cid;
	p->hdr.src_port = v->port;
	p->hdr.dst_port = v->peer_port;
	p->hdr.buf_alloc = (uint32_t)v->buf_bytes;
	p->hdr.fwd_cnt = v->fwd;
	v->fwd_told = v->fwd;
	route(p);
}

void vsock_tell(struct vsock *v, uint16_t op, uint32_t flags)
{
	struct vsock_packet *p = vsock_packet_new(0);

	if (!p)
		return;
	p->hdr = (struct virtio_vsock_hdr){.op = op, .flags = flags};
	vsock_transmit(v, p);
}

static void answer_reset(const struct virtio_vsock_hdr *h)
{
	struct vsock_packet *p = h->op == VIRTIO_VSOCK_OP_RST ? NULL : vsock_packet_new(0);

	if (!p)
		return;
	p->hdr = (struct virtio_vsock_hdr){.dst_cid = h->src_cid,
		.src_port = h->dst_port,
		.dst_port = h->src_port,
		.op = VIRTIO_VSOCK_OP_RST};
	route(p);
}

/* ---- in */

void vsock_over(struct vsock *v)
{
	list_del(&v->known);
	v->peer_shut = VIRTIO_VSOCK_SHUTDOWN_BOTH;
	v->state = VSOCK_OVER;
	sock_readable(&v->s, POLLIN | POLLRDHUP | POLLHUP);
	sock_writable(&v->s, POLLOUT);
}

/* The listener that a request is for, or NULL. */
static struct vsock *listener_of(const struct virtio_vsock_hdr *h)
{
	struct vsock *l = vsock_bound((uint32_t)h->dst_cid, h->dst_port);

	return l && l->state == VSOCK_LISTENING && l->nconns <= l->backlog ? l : NULL;
}

static void on_request(const struct virtio_vsock_hdr *h)
{
	struct vsock *l = listener_of(h), *v = l ? vsock_alloc() : NULL;

	if (!v) {
		answer_reset(h);
		return;
	}
	v->cid = (uint32_t)h->dst_cid;
	v->port = h->dst_port;
	v->peer_cid = (uint32_t)h->src_cid;
	v->peer_port = h->src_port;
	v->peer_alloc = h->buf_alloc;
	v->peer_fwd = h->fwd_cnt;
	v->buf_bytes = l->buf_bytes;
	v->ring_bytes = (uint32_t)l->buf_bytes;
	v->buf_min = l->buf_min;
	v->buf_max = l->buf_max;
	v->connect_ns = l->connect_ns;
	v->state = VSOCK_OPEN;
	v->phase = PHASE_CONNECTED;
	vsock_know(v);
	list_add_tail(&l->conns, &v->conn_link);
	l->nconns++;
	vsock_tell(v, VIRTIO_VSOCK_OP_RESPONSE, 0);
	waitq_wake(&l->s.rq, 1);
	poll_notify(&l->s.pollable, POLLIN);
}

static void on_connecting(struct vsock *v, const struct virtio_vsock_hdr *h)
{
	ktimer_cancel(&v->timer);
	if (h->op == VIRTIO_VSOCK_OP_RESPONSE) {
		v->state = VSOCK_OPEN;
		v->phase = PHASE_CONNECTED;
		sock_writable(&v->s, POLLOUT);
		return;
	}
	if (h->op != VIRTIO_VSOCK_OP_RST)
		answer_reset(h);
	list_del(&v->known);
	v->state = VSOCK_CLOSED;
	v->phase = PHASE_UNCONNECTED;
	v->s.err = h->op == VIRTIO_VSOCK_OP_RST ? ECONNRESET : EPROTO;
	sock_writable(&v->s, POLLOUT | POLLERR);
}

static void on_shutdown(struct vsock *v, uint32_t flags)
{
	v->peer_shut |= flags & VIRTIO_VSOCK_SHUTDOWN_BOTH;
	if (v->peer_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH && v->len == 0) {
		vsock_tell(v, VIRTIO_VSOCK_OP_RST, 0);
		vsock_over(v);
		return;
	}
	sock_readable(&v->s, POLLIN | POLLRDHUP);
	sock_writable(&v->s, POLLOUT);
}

static void on_data(struct vsock *v, const struct vsock_packet *p)
{
	if (vsock_take(v, p->data, p->hdr.len))
		return;
	vsock_tell(v, VIRTIO_VSOCK_OP_RST, 0);
	vsock_over(v);
}

static void on_open(struct vsock *v, const struct vsock_packet *p)
{
	switch (p->hdr.op) {
	case VIRTIO_VSOCK_OP_RW:
		on_data(v, p);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		on_shutdown(v, p->hdr.flags);
		break;
	case VIRTIO_VSOCK_OP_RST:
		vsock_over(v);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_ASK:
		vsock_tell(v, VIRTIO_VSOCK_OP_CREDIT, 0);
		break;
	default:
		break;
	}
}

static void deliver(const struct vsock_packet *p)
{
	const struct virtio_vsock_hdr *h = &p->hdr;
	struct vsock *v = h->type == VIRTIO_VSOCK_TYPE_STREAM ? find(h) : NULL;
	bool could;

	if (!v && h->type == VIRTIO_VSOCK_TYPE_STREAM && h->op == VIRTIO_VSOCK_OP_REQUEST) {
		on_request(h);
		return;
	}
	if (!v) {
		answer_reset(h);
		return;
	}
	could = vsock_credit(v) > 0;
	v->peer_alloc = h->buf_alloc;
	v->peer_fwd = h->fwd_cnt;
	if (v->state == VSOCK_CONNECTING) {
		on_connecting(v, h);
		return;
	}
	if (!could && vsock_credit(v) > 0)
		sock_writable(&v->s, POLLOUT);
	on_open(v, p);
}

static void input(const struct vsock_packet *p)
{
	if (p->hdr.dst_cid == vvsock_cid())
		deliver(p);
}

/* The device has room again. */
static void room(void)
{
	list_for_each (v, &known, struct vsock, known)
		sock_writable(&v->s, POLLOUT);
}

/* All connections to the outside are gone (TRANSPORT_RESET). */
static void reset(void)
{
	list_for_each_safe (v, &known, struct vsock, known) {
		if (vsock_is_local(v->peer_cid))
			continue;
		v->s.err = ECONNRESET;
		ktimer_cancel(&v->timer);
		v->phase = PHASE_UNCONNECTED;
		vsock_over(v);
	}
}

/* ---- the instance's packets to itself */

static bool loop_pending(void)
{
	return !list_empty(&loop);
}

static void loop_run(void)
{
	struct list *l;

	for (unsigned n = 0; n < LOOP_BUDGET && (l = list_pop(&loop)) != NULL; n++) {
		struct vsock_packet *p = container_of(l, struct vsock_packet, link);

		deliver(p);
		vsock_packet_free(p);
	}
}

static struct poller loop_poller = {.pending = loop_pending, .run = loop_run};
static const struct vvsock_user user = {.input = input, .room = room, .reset = reset};

int vsock_init(const struct uig_device *dev)
{
	poller_add(&loop_poller);
	return dev ? vvsock_open(dev, &user) : 0;
}
