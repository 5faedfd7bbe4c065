/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data of TCP sockets. Received pbufs are queued as they come and copied once, into the program's memory; the window opens as the
 * program reads. Sent data is copied once, from the program's memory into lwIP's segments, up to the socket's buffer size.
 */
#include "libos/klib/errno.h"
#include "libos/net/stack.h"
#include "libos/net/tcp.h"
#include "libos/net/tcp_ack.h"
#include "libos/net/tcp_large.h"

#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>

#define INITIAL_CWND_SEGMENTS 10u    /* RFC 6928 */
#define WRITE_MAX             32768u /* bytes per tcp_write(): its lengths are 16 bits */

/* ---- receive */

static void rx_pop(struct tcp_sock *t)
{
	struct pbuf *p = t->rx_head;

	t->rx_head = p->next;
	if (!t->rx_head)
		t->rx_tail = NULL;
	p->next = NULL;
	p->tot_len = p->len;
	pbuf_free(p);
}

void tsock_rx_drop(struct tcp_sock *t)
{
	while (t->rx_head)
		rx_pop(t);
	t->rx_bytes = 0;
}

static void on_fin(struct tcp_sock *t, struct tcp_pcb *pcb)
{
	t->fin = true;
	if (pcb->state == CLOSING || pcb->state == TIME_WAIT) { /* both ends have finished */
		tsock_detach(t);
		t->state = TCP_S_DONE;
	}
	sock_readable(&t->s, POLLIN | POLLRDHUP | (t->s.shut_wr ? POLLHUP : 0));
	if (t->s.shut_wr)
		sock_writable(&t->s, POLLOUT);
}

err_t tsock_on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct tcp_sock *t = arg;

	if (!p) {
		on_fin(t, pcb);
	} else if (t->s.shut_rd) {
		tcp_ack_read(t, p->tot_len);
		pbuf_free(p);
		return ERR_OK;
	} else {
		t->rx_bytes += p->tot_len;
		if (t->rx_tail)
			t->rx_tail->next = p;
		else
			t->rx_head = p;
		for (t->rx_tail = p; t->rx_tail->next; t->rx_tail = t->rx_tail->next)
			;
		sock_readable(&t->s, POLLIN);
	}
	if (t->parent)
		tsock_listen_ready(t);
	return ERR_OK;
}

/* Copies up to n bytes from the front; peek leaves them. Bytes, or -EFAULT when none. */
static long rx_copy(struct tcp_sock *t, struct iter *it, uint64_t n, unsigned flags)
{
	struct pbuf *p = t->rx_head;
	uint64_t done = 0;

	while (p && done < n) {
		struct pbuf *next = p->next;
		uint64_t part = p->len < n - done ? p->len : n - done;

		if (!(flags & MSG_TRUNC)) { /* TCP: drop instead of copying */
			long rc = iter_put(it, p->payload, part);
			if (rc < 0)
				return done > 0 ? (long)done : rc;
			part = (uint64_t)rc;
			if (part == 0)
				break;
		} else {
			it->left -= part;
		}
		done += part;
		if (!(flags & MSG_PEEK)) {
			p->payload = (char *)p->payload + part;
			p->len = (u16_t)(p->len - part);
			if (p->len == 0)
				rx_pop(t);
			t->rx_bytes -= (uint32_t)part;
		}
		p = next;
	}
	return (long)done;
}

/* Why there is nothing to read: 0 the end, -errno, or 1: wait. */
static int rx_end(struct tcp_sock *t)
{
	if (t->s.err)
		return sock_error(&t->s);
	if (t->fin || t->s.shut_rd)
		return 0;
	if (t->state == TCP_S_CLOSED || t->state == TCP_S_LISTENING)
		return -ENOTCONN;
	return t->state == TCP_S_DONE ? 0 : 1;
}

long tsock_recv(struct sock *s, struct sock_msg *m)
{
	struct tcp_sock *t = tcp_of(s);
	uint64_t deadline = 0, want = m->it->left, got = 0;
	bool all = (m->flags & MSG_WAITALL) && !(m->flags & MSG_PEEK);

	if (m->flags & MSG_OOB)
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	m->addr_len = 0;
	while (got < want) {
		if (t->rx_bytes > 0) {
			long n = rx_copy(t, m->it, want - got, m->flags);
			if (n <= 0)
				return got > 0 ? (long)got : n < 0 ? n : -EFAULT;
			got += (uint64_t)n;
			if (!(m->flags & MSG_PEEK)) {
				net_tick_need();
				tcp_ack_read(t, (uint32_t)n);
			}
			if (!all)
				break;
			continue;
		}
		if (got > 0 && !all)
			break;
		int rc = rx_end(t);
		if (rc <= 0)
			return got > 0 ? (long)got : rc;
		if (deadline == 0)
			deadline = sock_deadline(s->rcvtimeo);
		rc = sock_wait(&s->rq, m->nonblock, deadline);
		if (rc < 0)
			return got > 0 ? (long)got : rc;
	}
	return (long)got;
}

long tsock_inq(struct sock *s)
{
	struct tcp_sock *t = tcp_of(s);

	return t->state == TCP_S_LISTENING ? -EINVAL : (long)t->rx_bytes;
}

/* ---- send */

static uint32_t unsent(const struct tcp_sock *t)
{
	return t->pcb ? TCP_SND_BUF - t->pcb->snd_buf : 0;
}

static uint32_t send_limit(const struct tcp_sock *t)
{
	return t->s.sndbuf < TCP_SND_BUF ? t->s.sndbuf : TCP_SND_BUF;
}

static uint32_t send_room(const struct tcp_sock *t)
{
	uint32_t used = unsent(t), limit = send_limit(t);

	return used < limit ? limit - used : 0;
}

bool tsock_writable(const struct tcp_sock *t)
{
	return send_room(t) >= unsent(t) / 2; /* a third is free, as in Linux */
}

long tsock_outq(struct sock *s)
{
	struct tcp_sock *t = tcp_of(s);

	return t->state == TCP_S_LISTENING ? -EINVAL : (long)unsent(t);
}

err_t tsock_on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct tcp_sock *t = arg;

	if (t->nospace && tsock_writable(t)) {
		t->nospace = false;
		sock_writable(&t->s, POLLOUT);
	}
	return ERR_OK;
}

void tsock_push(struct tcp_sock *t)
{
	if (!t->pcb || t->state != TCP_S_CONNECTED)
		return;
	if (t->cork)
		tcp_set_flags(t->pcb, TF_CORK);
	else
		tcp_clear_flags(t->pcb, TF_CORK);
	tcp_output(t->pcb);
}

/* Why data can not be queued now: 0 it can, 1 wait, or -errno. */
static int send_state(struct tcp_sock *t, const struct sock_msg *m)
{
	if (t->s.err)
		return sock_error(&t->s);
	if (t->state == TCP_S_CONNECTING)
		return 1;
	if (t->s.shut_wr || t->state != TCP_S_CONNECTED || !t->pcb)
		return sock_epipe(m);
	if (send_room(t) == 0) {
		t->nospace = true;
		return 1;
	}
	return 0;
}

/* Queues one run of bytes; how many, or -errno. */
static long send_some(struct tcp_sock *t, struct sock_msg *m)
{
	size_t max = send_room(t), n;
	bool more;

	if (max > WRITE_MAX)
		max = WRITE_MAX;
	void *from = sock_span(m->it, max, false, &n);
	if (!from)
		return -EFAULT;
	more = (m->flags & MSG_MORE) || m->it->more || m->it->left > n;
	err_t err = net_tcp_write(t->pcb, from, (u16_t)n,
		(u8_t)(TCP_WRITE_FLAG_COPY | (more ? TCP_WRITE_FLAG_MORE : 0)));
	if (err != ERR_OK)
		return unsent(t) > 0 ? -EAGAIN
				     : -ENOBUFS; /* no memory: what is queued will free some */
	sock_advance(m->it, n);
	return (long)n;
}

static void start_output(struct tcp_sock *t, const struct sock_msg *m)
{
	struct tcp_pcb *pcb = t->pcb;

	if (!pcb || t->state != TCP_S_CONNECTED)
		return;
	if (pcb->cwnd < INITIAL_CWND_SEGMENTS * pcb->mss && pcb->ssthresh >= TCP_SND_BUF)
		pcb->cwnd = INITIAL_CWND_SEGMENTS * pcb->mss; /* nothing was lost yet */
	if (m->flags & MSG_MORE) {
		tcp_set_flags(pcb, TF_CORK);
		tcp_output(pcb);
	} else {
		tsock_push(t);
	}
}

long tsock_send(struct sock *s, struct sock_msg *m)
{
	struct tcp_sock *t = tcp_of(s);
	uint64_t deadline = 0;
	long done = 0;
	int rc = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	net_tick_need();
	if (t->pcb && (t->pcb->flags & TF_ACK_DELAY))
		t->answers = true;
	do {
		rc = send_state(t, m);
		if (rc == 0 && m->it->left > 0) {
			long n = send_some(t, m);
			if (n > 0) {
				done += n;
				continue;
			}
			rc = n == -EAGAIN ? 1 : (int)n;
			t->nospace = true;
		}
		if (rc < 0)
			break;
		if (rc == 1) {
			start_output(t, m);
			if (deadline == 0)
				deadline = sock_deadline(s->sndtimeo);
			rc = sock_wait(&s->wq, m->nonblock, deadline);
			if (rc < 0)
				break;
		}
	} while (m->it->left > 0);
	if (!m->it->more ||
		m->it->left > 0) /* else what follows is sent with it, or makes it be sent */
		start_output(t, m);
	return done > 0 || rc >= 0 ? done : rc;
}
