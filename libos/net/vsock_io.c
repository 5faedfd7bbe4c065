/* SPDX-License-Identifier: Apache-2.0 */
/* Data of AF_VSOCK sockets: the ring that is read from, and sending within the peer's credit. */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/vsock.h"

uint32_t vsock_credit(const struct vsock *v)
{
	uint32_t used = v->sent - v->peer_fwd;

	return used < v->peer_alloc ? v->peer_alloc - used : 0;
}

/* ---- the ring */

static void ring_put(struct vsock *v, const char *data, uint32_t n)
{
	uint32_t end = (v->at + v->len) % v->size, first = v->size - end;

	first = n < first ? n : first;
	memcpy(v->ring + end, data, first);
	memcpy(v->ring, data + first, n - first);
	v->len += n;
}

int vsock_grow(struct vsock *v)
{
	uint32_t size = (uint32_t)v->buf_bytes, first;
	char *ring;

	if (size <= v->ring_bytes)
		return 0; /* the peer may have sent as much as it was told before */
	if (v->ring) {
		ring = kmalloc(size);
		if (!ring)
			return -ENOMEM;
		first = v->len < v->size - v->at ? v->len : v->size - v->at;
		memcpy(ring, v->ring + v->at, first);
		memcpy(ring + first, v->ring, v->len - first);
		kfree(v->ring);
		v->ring = ring;
		v->size = size;
		v->at = 0;
	}
	v->ring_bytes = size;
	return 0;
}

bool vsock_take(struct vsock *v, const char *data, uint32_t n)
{
	v->got += n;
	if (v->s.shut_rd) { /* sent before the peer knew */
		v->fwd += n;
		return true;
	}
	if (!v->ring && n > 0) {
		v->size = v->ring_bytes;
		v->ring = kmalloc(v->size);
	}
	if (n > 0 && (!v->ring || n > v->size - v->len))
		return false;
	if (n == 0)
		return true;
	ring_put(v, data, n);
	sock_readable(&v->s, POLLIN);
	return true;
}

/* ---- receive */

/* 1: there is something, 0: the end, or -errno. */
static int wait_data(struct vsock *v, struct sock_msg *m, uint64_t *deadline)
{
	while (v->len == 0) {
		int rc;

		if (v->s.err)
			return sock_error(&v->s);
		if (v->s.shut_rd || (v->peer_shut & VIRTIO_VSOCK_SHUTDOWN_SEND))
			return 0;
		if (v->state != VSOCK_OPEN)
			return v->state == VSOCK_OVER ? 0 : -ENOTCONN;
		if (*deadline == 0)
			*deadline = sock_deadline(v->s.rcvtimeo);
		rc = sock_wait(&v->s.rq, m->nonblock, *deadline);
		if (rc < 0)
			return rc;
	}
	return v->s.shut_rd ? 0 : 1;
}

/* Copies from the ring; its bytes stay there for MSG_PEEK. */
static long ring_get(struct vsock *v, struct sock_msg *m)
{
	uint32_t at = v->at, left = v->len;
	long done = 0;

	while (left > 0 && m->it->left > 0) {
		uint32_t part = left < v->size - at ? left : v->size - at;
		long n = iter_put(m->it, v->ring + at, part);

		if (n < 0)
			return done > 0 ? done : n;
		at = (at + (uint32_t)n) % v->size;
		left -= (uint32_t)n;
		done += n;
	}
	return done;
}

/* The peer hears of room when it is half of all; everything that is sent tells it too. */
static void consumed(struct vsock *v, uint32_t n)
{
	v->at = (v->at + n) % v->size;
	v->len -= n;
	v->fwd += n;
	if (v->state != VSOCK_OPEN)
		return;
	if (v->fwd - v->fwd_told >= v->buf_bytes / 2)
		vsock_tell(v, VIRTIO_VSOCK_OP_CREDIT, 0);
	if (v->len == 0 && v->peer_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH) {
		vsock_tell(v, VIRTIO_VSOCK_OP_RST, 0);
		vsock_over(v);
	}
}

long vsock_recv(struct sock *s, struct sock_msg *m)
{
	struct vsock *v = vsock_of(s);
	bool all = (m->flags & MSG_WAITALL) && !(m->flags & MSG_PEEK);
	uint64_t deadline = 0;
	long done = 0;

	m->addr_len = 0;
	if (v->state == VSOCK_CLOSED || v->state == VSOCK_LISTENING || v->state == VSOCK_CONNECTING)
		return v->s.err ? sock_error(&v->s) : -ENOTCONN;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	do {
		int rc = m->it->left > 0 ? wait_data(v, m, &deadline) : 0;
		long n;

		if (rc <= 0)
			return done > 0 ? done : rc;
		n = ring_get(v, m);
		if (n < 0)
			return done > 0 ? done : n;
		if (!(m->flags & MSG_PEEK))
			consumed(v, (uint32_t)n);
		done += n;
	} while (all && m->it->left > 0);
	return done;
}

/* ---- send */

static int can_send(struct vsock *v, struct sock_msg *m)
{
	if (v->s.err)
		return sock_error(&v->s);
	if (v->s.shut_wr || (v->peer_shut & VIRTIO_VSOCK_SHUTDOWN_RECV))
		return sock_epipe(m);
	return v->state == VSOCK_OPEN ? 0 : -ENOTCONN;
}

/* Waits until something may be sent. */
static int wait_credit(struct vsock *v, struct sock_msg *m, uint64_t *deadline)
{
	for (;;) {
		int rc = can_send(v, m);

		if (rc < 0)
			return rc;
		if (vsock_credit(v) > 0 && vsock_sendable(v))
			return 0;
		if (*deadline == 0)
			*deadline = sock_deadline(v->s.sndtimeo);
		rc = sock_wait(&v->s.wq, m->nonblock, *deadline);
		if (rc < 0)
			return rc;
	}
}

/* One packet. Bytes, or -errno. */
static long send_some(struct vsock *v, struct sock_msg *m)
{
	uint64_t n = m->it->left;
	struct vsock_packet *p;
	long got;

	n = n < vsock_credit(v) ? n : vsock_credit(v);
	n = n < VVSOCK_DATA_MAX ? n : VVSOCK_DATA_MAX;
	p = vsock_packet_new((uint32_t)n);
	if (!p)
		return -ENOBUFS;
	got = iter_get(m->it, p->data, n);
	if (got <= 0) {
		vsock_packet_free(p);
		return got < 0 ? got : -EFAULT;
	}
	p->hdr = (struct virtio_vsock_hdr){.op = VIRTIO_VSOCK_OP_RW, .len = (uint32_t)got};
	v->sent += (uint32_t)got;
	vsock_transmit(v, p);
	return got;
}

long vsock_send(struct sock *s, struct sock_msg *m)
{
	struct vsock *v = vsock_of(s);
	uint64_t deadline = 0;
	long done = 0;
	int rc;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->addr && m->addr_len > 0)
		return v->state == VSOCK_OPEN ? -EISCONN : -EOPNOTSUPP;
	rc = can_send(v, m);
	while (rc == 0 && m->it->left > 0) {
		long n;

		rc = wait_credit(v, m, &deadline);
		n = rc < 0 ? rc : send_some(v, m);
		if (n < 0)
			return done > 0 ? done : n;
		done += n;
	}
	return rc < 0 && done == 0 ? rc : done;
}
