/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sockets: birth, names, connect, shutdown, death, readiness. Data is in tcp_io.c, listening in tcp_listen.c, options in tcp_opt.c.
 *
 * Teardown: lwIP frees a pcb on its own in TIME_WAIT and tells nobody, so a socket lets go of its pcb as soon as both directions have
 * ended (CLOSING, TIME_WAIT); in all other states a pcb that goes away says so by tsock_died(), or close() has cleared its callbacks.
 */
#include "libos/net/tcp.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/addr.h"
#include "libos/net/demux.h"
#include "libos/net/stack.h"
#include "libos/net/tcp_ack.h"

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>

#define DEFAULT_RCVBUF 262144u
#define DEFAULT_SNDBUF 262144u
#define WINDOW_MIN     4096u

struct tcp_sock *tsock_alloc(int domain)
{
	struct tcp_sock *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	sock_init(&t->s, &tcp_ops, domain, SOCK_STREAM, IPPROTO_TCP);
	t->laddr = t->raddr = addr_any(domain, false);
	t->s.rcvbuf = DEFAULT_RCVBUF;
	t->s.sndbuf = DEFAULT_SNDBUF;
	port_init(&t->bind, IPPROTO_TCP);
	list_init(&t->queue);
	list_init(&t->deferring);
	list_init(&t->link);
	list_init(&t->acking);
	t->quickack = true;
	t->keepidle = TCP_KEEPIDLE_DEFAULT / 1000;
	t->keepintvl = TCP_KEEPINTVL_DEFAULT / 1000;
	t->keepcnt = TCP_KEEPCNT_DEFAULT;
	t->syncnt = TCP_SYNMAXRTX;
	ipopt_init(&t->ip);
	return t;
}

int tcp_sock_new(int domain, struct sock **s)
{
	struct tcp_sock *t = tsock_alloc(domain);

	if (!t)
		return -ENOMEM;
	*s = &t->s;
	return 0;
}

/* ---- the pcb */

void tsock_limit_window(const struct tcp_sock *t, struct tcp_pcb *pcb)
{
	uint32_t limit = t->s.rcvbuf > WINDOW_MIN ? t->s.rcvbuf : WINDOW_MIN;

	if (limit >= TCP_WND_MAX(pcb))
		return;
	pcb->rcv_wnd = pcb->rcv_ann_wnd = limit;
	pcb->rcv_ann_right_edge = pcb->rcv_nxt + limit;
}

void tsock_apply_options(struct tcp_sock *t)
{
	struct tcp_pcb *pcb = t->pcb;

	if (!pcb || t->state == TCP_S_LISTENING)
		return;
	if (t->nodelay)
		tcp_nagle_disable(pcb);
	else
		tcp_nagle_enable(pcb);
	if (t->s.keepalive)
		ip_set_option(pcb, SOF_KEEPALIVE);
	else
		ip_reset_option(pcb, SOF_KEEPALIVE);
	pcb->keep_idle = t->keepidle * 1000;
	pcb->keep_intvl = t->keepintvl * 1000;
	pcb->keep_cnt = t->keepcnt;
	pcb->tos = IP_IS_V6(&pcb->remote_ip) ? t->ip.tclass : t->ip.tos;
	pcb->ttl = IP_IS_V6(&pcb->remote_ip) ? ipopt_hops(&t->ip) : ipopt_ttl(&t->ip);
	net_tick_need();
}

static int errno_of_death(struct tcp_sock *t, err_t err)
{
	if (err == ERR_RST)
		return t->state == TCP_S_CONNECTING ? ECONNREFUSED : t->fin ? EPIPE : ECONNRESET;
	if (err == ERR_CLSD)
		return 0;
	if (err == ERR_RTE)
		return EHOSTUNREACH;
	return ETIMEDOUT; /* lwIP gave up: retransmissions, probes */
}

/* After a connection: the name that the program gave, or none, though getsockname() goes on to tell the port, as on Linux. */
static void restore_name(struct tcp_sock *t)
{
	if (t->autobound)
		port_drop(&t->bind);
	t->autobound = false;
	t->laddr = port_bound(&t->bind) ? t->bind.addr : addr_any(t->s.domain, t->ip.v6only);
	t->raddr = addr_any(t->s.domain, false);
	t->rport = 0;
}

/* The pcb is gone: reset, timed out, or finished. */
static void tsock_died(void *arg, err_t err)
{
	struct tcp_sock *t = arg;

	t->s.err = errno_of_death(t, err);
	tcp_ack_forget(t);
	t->pcb = NULL;
	if (t->state == TCP_S_CONNECTING)
		restore_name(t);
	t->state = t->state == TCP_S_CONNECTING ? TCP_S_CLOSED : TCP_S_DONE;
	t->s.shut_rd = t->s.shut_wr = true;
	sock_readable(&t->s, POLLIN | POLLRDHUP | POLLHUP | (t->s.err ? POLLERR : 0));
	sock_writable(&t->s, POLLOUT);
	if (t->parent)
		tsock_listen_ready(t);
}

void tsock_attach(struct tcp_sock *t, struct tcp_pcb *pcb)
{
	t->pcb = pcb;
	tcp_arg(pcb, t);
	tcp_recv(pcb, tsock_on_recv);
	tcp_sent(pcb, tsock_on_sent);
	tcp_err(pcb, tsock_died);
	tsock_apply_options(t);
}

void tsock_detach(struct tcp_sock *t)
{
	struct tcp_pcb *pcb = t->pcb;

	tcp_ack_forget(t);
	t->pcb = NULL;
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
}

static err_t tcp_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct tcp_sock *t = arg;

	t->state = TCP_S_CONNECTED;
	t->laddr = pcb->local_ip;
	tsock_limit_window(t, pcb);
	sock_writable(&t->s, POLLOUT);
	return ERR_OK;
}

struct tcp_sock *tsock_born(struct tcp_sock *parent, struct tcp_pcb *pcb)
{
	struct tcp_sock *t = tsock_alloc(parent->s.domain);

	if (!t)
		return NULL;
	t->s.reuseaddr = parent->s.reuseaddr;
	t->s.reuseport = parent->s.reuseport;
	t->s.keepalive = parent->s.keepalive;
	t->s.linger = parent->s.linger;
	t->s.rcvbuf = parent->s.rcvbuf;
	t->s.sndbuf = parent->s.sndbuf;
	t->s.rcvlowat = parent->s.rcvlowat;
	t->s.priority = parent->s.priority;
	t->nodelay = parent->nodelay;
	t->cork = parent->cork;
	t->keepidle = parent->keepidle;
	t->keepintvl = parent->keepintvl;
	t->keepcnt = parent->keepcnt;
	t->user_timeout = parent->user_timeout;
	t->ip = parent->ip;
	t->state = TCP_S_CONNECTED;
	t->laddr = pcb->local_ip;
	t->lport = pcb->local_port;
	t->raddr = pcb->remote_ip;
	t->rport = pcb->remote_port;
	tsock_attach(t, pcb);
	tsock_limit_window(t, t->pcb);
	return t;
}

/* ---- names */

static int sock_bind(struct sock *s, const union sockaddr_any *addr, unsigned len)
{
	struct tcp_sock *t = tcp_of(s);
	struct endpoint to;
	int rc = addr_of_bind(addr, len, s->domain, t->ip.v6only, &to);

	/* As Linux: a socket that is bound already says so before its new address is looked at. */
	if (rc == -EADDRNOTAVAIL || rc == 0) {
		if (port_bound(&t->bind) || t->state != TCP_S_CLOSED)
			return -EINVAL;
		if (IP_IS_V6(&to.ip) && ip_addr_ismulticast(&to.ip))
			return -EINVAL;
	}
	if (rc < 0)
		return rc;
	t->bind.reuseaddr = s->reuseaddr;
	t->bind.reuseport = s->reuseport;
	rc = port_take(&t->bind, &to.ip, to.port);
	if (rc < 0)
		return rc;
	if (IP_IS_V6(&to.ip) && !addr_is_any(&to.ip))
		t->ip.v6only = true;
	t->laddr = t->bind.addr;
	t->lport = t->bind.port;
	return 0;
}

int tsock_bind_any(struct tcp_sock *t)
{
	if (port_bound(&t->bind))
		return 0;
	ip_addr_t any = addr_any(t->s.domain, t->ip.v6only);
	int rc = port_take(&t->bind, &any, 0);
	t->laddr = any;
	t->lport = t->bind.port;
	return rc;
}

static int sock_getname(struct sock *s, bool peer, union sockaddr_any *addr)
{
	struct tcp_sock *t = tcp_of(s);

	if (peer && t->state != TCP_S_CONNECTED)
		return -ENOTCONN;
	return peer ? addr_put(addr, s->domain, &t->raddr, t->rport)
		    : addr_put(addr, s->domain, &t->laddr, t->lport);
}

/* ---- connect */

static int start_connect(struct tcp_sock *t, const struct endpoint *to)
{
	struct netif *nif = addr_route(&t->laddr, &to->ip);
	struct tcp_pcb *pcb;

	if (!nif)
		return -ENETUNREACH;
	if (ip_addr_isbroadcast(&to->ip, nif))
		return -EACCES;
	if (ip_addr_ismulticast(&to->ip))
		return -ENETUNREACH;
	ip_addr_t laddr = addr_is_any(&t->laddr) ? addr_source(nif, &to->ip) : t->laddr;
	if (!port_bound(&t->bind)) {
		int rc = port_take_for(&t->bind, &laddr, &to->ip, to->port);
		if (rc < 0)
			return rc;
		t->autobound = true;
	} else if (demux_find(&laddr, t->bind.port, &to->ip, to->port)) {
		return -EADDRNOTAVAIL;
	}
	pcb = tcp_new_ip_type(IP_GET_TYPE(&to->ip));
	if (!pcb)
		return -ENOBUFS;
	t->lport = pcb->local_port = t->bind.port;
	t->laddr = pcb->local_ip = laddr;
	t->raddr = to->ip;
	t->rport = to->port;
	demux_reg(&tcp_bound_pcbs, pcb);
	tsock_attach(t, pcb);
	t->state = TCP_S_CONNECTING;
	t->s.shut_rd = t->s.shut_wr = t->fin = false;
	t->s.err = 0;
	if (tcp_connect(pcb, &to->ip, to->port, tcp_connected) != ERR_OK) {
		t->state = TCP_S_CLOSED;
		tsock_detach(t);
		tcp_abort(pcb);
		restore_name(t);
		return -ENOBUFS;
	}
	return 0;
}

static int wait_connected(struct tcp_sock *t, bool nonblock)
{
	uint64_t deadline = sock_deadline(t->s.sndtimeo);

	while (t->state == TCP_S_CONNECTING) {
		int rc = sock_wait(&t->s.wq, nonblock, deadline);
		if (rc < 0)
			return rc == -EAGAIN ? -EINPROGRESS : rc;
	}
	if (t->state == TCP_S_CONNECTED)
		return 0;
	int rc = sock_error(&t->s);
	return rc < 0 ? rc : -ECONNABORTED;
}

/* connect() with AF_UNSPEC: back to a fresh socket, that keeps its bound port. */
static int disconnect(struct tcp_sock *t)
{
	if (t->state == TCP_S_LISTENING)
		return -EINVAL;
	struct tcp_pcb *pcb = t->pcb;
	if (pcb) {
		tsock_detach(t);
		tcp_abort(pcb);
	}
	tsock_rx_drop(t);
	t->state = TCP_S_CLOSED;
	t->s.shut_rd = t->s.shut_wr = t->fin = false;
	restore_name(t);
	sock_readable(&t->s, POLLHUP);
	sock_writable(&t->s, POLLOUT);
	return 0;
}

static int sock_connect(struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock)
{
	struct tcp_sock *t = tcp_of(s);

	if (len < sizeof(addr->family))
		return -EINVAL;
	if (addr->family == AF_UNSPEC)
		return disconnect(t);
	switch (t->state) {
	case TCP_S_CONNECTING:
		return nonblock ? -EALREADY : wait_connected(t, false);
	case TCP_S_CONNECTED:
	case TCP_S_DONE:
	case TCP_S_LISTENING:
		return -EISCONN;
	case TCP_S_CLOSED:
		break;
	}
	struct endpoint to;
	int rc = addr_of_peer(addr, len, s->domain, t->ip.v6only, &t->laddr, ADDR_SCOPED, &to);
	if (rc < 0)
		return rc;
	if (s->err) /* the outcome of an earlier attempt that nobody asked for */
		return sock_error(s);
	net_tick_need();
	rc = start_connect(t, &to);
	return rc < 0 ? rc : wait_connected(t, nonblock);
}

/* ---- end */

static int sock_shutdown(struct sock *s, int how)
{
	struct tcp_sock *t = tcp_of(s);

	if (t->state == TCP_S_LISTENING) {
		if (how == SHUT_WR)
			return 0;
		port_drop(&t->bind);
		tsock_listen_close(t);
		t->state = TCP_S_CLOSED;
		sock_readable(s, POLLIN | POLLHUP);
		return 0;
	}
	if (t->state == TCP_S_CLOSED || t->state == TCP_S_DONE)
		return -ENOTCONN;
	if (t->state == TCP_S_CONNECTING)
		return disconnect(t);
	if (how != SHUT_WR) {
		s->shut_rd = true;
		sock_readable(s, POLLIN | POLLRDHUP | (s->shut_wr ? POLLHUP : 0));
	}
	if (how != SHUT_RD && !s->shut_wr) {
		s->shut_wr = true;
		net_tick_need();
		if (t->pcb && t->state == TCP_S_CONNECTED)
			tcp_shutdown(t->pcb, 0, 1); /* out of memory: lwIP tries again */
		sock_writable(s, POLLOUT | (s->shut_rd || t->fin ? POLLHUP : 0));
	}
	return 0;
}

static void sock_close(struct sock *s)
{
	struct tcp_sock *t = tcp_of(s);
	struct tcp_pcb *pcb = t->pcb;
	bool reset = t->rx_bytes > 0 || (s->linger.onoff && s->linger.seconds == 0);

	net_tick_need();
	if (t->state == TCP_S_LISTENING) {
		tsock_listen_close(t);
	} else if (pcb) {
		tsock_detach(t);
		tcp_clear_flags(pcb, TF_CORK);
		pcb->rcv_wnd = TCP_WND_MAX(pcb); /* all was read: lwIP resets otherwise */
		if (reset || tcp_close(pcb) != ERR_OK)
			tcp_abort(pcb);
	}
	tsock_rx_drop(t);
	port_drop(&t->bind);
	kfree(t);
}

/* ---- readiness, as tcp_poll() of Linux tells it */

uint32_t tsock_poll(struct sock *s)
{
	struct tcp_sock *t = tcp_of(s);
	bool rd_end = s->shut_rd || t->fin, wr_end = s->shut_wr;
	uint32_t ev = 0;

	if (t->state == TCP_S_LISTENING)
		return list_empty(&t->queue) ? 0 : POLLIN;
	if ((rd_end && wr_end) || t->state == TCP_S_CLOSED || t->state == TCP_S_DONE)
		ev |= POLLHUP;
	if (rd_end)
		ev |= POLLIN | POLLRDHUP;
	if (t->rx_bytes > 0 && t->rx_bytes >= (t->s.rcvlowat < t->s.rcvbuf ? t->s.rcvlowat : 1))
		ev |= POLLIN;
	if (t->state != TCP_S_CONNECTING) {
		if (wr_end || t->state != TCP_S_CONNECTED || tsock_writable(t))
			ev |= POLLOUT;
		else
			t->nospace = true;
	}
	if (s->err)
		ev |= POLLERR;
	return ev;
}

const struct sock_ops tcp_ops = {
	.bind = sock_bind,
	.connect = sock_connect,
	.listen = tsock_listen,
	.accept = tsock_accept,
	.getname = sock_getname,
	.send = tsock_send,
	.recv = tsock_recv,
	.shutdown = sock_shutdown,
	.setopt = tsock_setopt,
	.getopt = tsock_getopt,
	.option_changed = tsock_option_changed,
	.poll = tsock_poll,
	.inq = tsock_inq,
	.outq = tsock_outq,
	.close = sock_close,
};
