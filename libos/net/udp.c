/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP sockets on lwIP. Received datagrams are queued as lwIP hands them up, each with its sender, until the receive buffer is full
 * (then they are dropped, as UDP may). Sent ones are built in one pbuf and go out at once; lwIP cuts those above the MTU into fragments.
 */
#include "libos/net/udp.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/addr.h"
#include "libos/net/stack.h"

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/udp.h>

#define DGRAM_MAX      65507u /* 65535 - IP header - UDP header */
#define DGRAM_OVERHEAD 256u   /* charged to the receive buffer besides the data */

struct dgram {
	struct list link;
	struct pbuf *p;
	uint32_t addr; /* of the sender, network order */
	uint16_t port; /* host order */
};

static struct list sockets = LIST_INIT(sockets);

static struct udp_sock *udp_of(struct sock *s)
{
	return (struct udp_sock *)(void *)s;
}

/* ---- receive */

static void drop_first(struct udp_sock *u)
{
	struct dgram *d = container_of(list_pop(&u->queue), struct dgram, link);

	u->charged -= d->p->tot_len + DGRAM_OVERHEAD;
	pbuf_free(d->p);
	kfree(d);
}

static void on_dgram(
	void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr, u16_t port)
{
	struct udp_sock *u = arg;
	struct dgram *d = NULL;

	if (!u->s.shut_rd && u->charged < u->s.rcvbuf)
		d = kmalloc(sizeof(*d));
	if (!d) {
		pbuf_free(p);
		return;
	}
	d->p = p;
	d->addr = addr->addr;
	d->port = port;
	u->charged += p->tot_len + DGRAM_OVERHEAD;
	list_add_tail(&u->queue, &d->link);
	sock_readable(&u->s, POLLIN);
}

static long dgram_copy(struct dgram *d, struct iter *it)
{
	long done = 0;

	for (struct pbuf *p = d->p; p && it->left > 0; p = p->next) {
		long n = iter_put(it, p->payload, p->len);
		if (n < 0)
			return n;
		done += n;
	}
	return done;
}

static long sock_recv(struct sock *s, struct sock_msg *m)
{
	struct udp_sock *u = udp_of(s);
	uint64_t deadline = 0;

	if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
		return m->flags & MSG_OOB ? -EINVAL : -EAGAIN;
	while (list_empty(&u->queue)) {
		if (s->err)
			return sock_error(s);
		if (s->shut_rd)
			return 0;
		if (deadline == 0)
			deadline = sock_deadline(s->rcvtimeo);
		int rc = sock_wait(&s->rq, m->nonblock, deadline);
		if (rc < 0)
			return rc;
	}
	struct dgram *d = container_of(u->queue.next, struct dgram, link);
	long full = d->p->tot_len, n = dgram_copy(d, m->it);
	if (n >= 0) {
		if (m->addr)
			m->addr_len = (unsigned)addr_put_in(m->addr, d->addr, d->port);
		if (n < full)
			m->out_flags |= MSG_TRUNC;
	}
	if (!(m->flags & MSG_PEEK))
		drop_first(u);
	return n < 0 ? n : (m->flags & MSG_TRUNC) ? full : n;
}

static long sock_inq(struct sock *s)
{
	struct udp_sock *u = udp_of(s);

	return list_empty(&u->queue) ? 0
				     : container_of(u->queue.next, struct dgram, link)->p->tot_len;
}

static long sock_outq(struct sock *s)
{
	return 0;
}

/* ---- send */

static int ensure_bound(struct udp_sock *u)
{
	if (port_bound(&u->bind))
		return 0;
	u->bind.reuseaddr = u->bind.reuseport = false;
	int rc = port_take(&u->bind, 0, 0);
	if (rc < 0)
		return rc;
	return udp_bind(u->pcb, IP_ANY_TYPE, u->bind.port) == ERR_OK ? 0 : -EADDRINUSE;
}

static int errno_of(err_t err)
{
	switch (err) {
	case ERR_OK:
		return 0;
	case ERR_RTE:
		return -ENETUNREACH;
	case ERR_VAL:
		return -EACCES; /* broadcast without SO_BROADCAST */
	default:
		return -ENOBUFS;
	}
}

static int destination(struct udp_sock *u, const struct sock_msg *m, ip_addr_t *ip, uint16_t *port)
{
	if (!m->addr || m->addr_len == 0) {
		if (!u->rport)
			return -EDESTADDRREQ;
		ip->addr = u->raddr;
		*port = u->rport;
		return 0;
	}
	int rc = addr_check_in(m->addr, m->addr_len, true);
	if (rc < 0)
		return rc;
	if (m->addr->in.sin_port == 0)
		return -EINVAL;
	ip->addr = m->addr->in.sin_addr.s_addr ? m->addr->in.sin_addr.s_addr
					       : PP_HTONL(IPADDR_LOOPBACK);
	*port = lwip_ntohs(m->addr->in.sin_port);
	return 0;
}

static int broadcast_allowed(struct udp_sock *u, const ip_addr_t *ip)
{
	struct netif *nif = ip_route(NULL, ip);

	if (!nif)
		return -ENETUNREACH;
	return ip_addr_isbroadcast(ip, nif) && !u->s.broadcast ? -EACCES : 0;
}

static long sock_send(struct sock *s, struct sock_msg *m)
{
	struct udp_sock *u = udp_of(s);
	size_t len = m->it->left;
	ip_addr_t ip;
	uint16_t port;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (len > DGRAM_MAX)
		return -EMSGSIZE;
	if (s->err)
		return sock_error(s);
	if (s->shut_wr)
		return sock_epipe(m);
	int rc = destination(u, m, &ip, &port);
	if (rc == 0)
		rc = broadcast_allowed(u, &ip);
	if (rc == 0)
		rc = ensure_bound(u);
	if (rc < 0)
		return rc;
	struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
	if (!p)
		return -ENOBUFS;
	long n = iter_get(m->it, p->payload, len);
	if (n == (long)len) {
		u->pcb->ttl = ip_addr_ismulticast(&ip) ? u->ip.mc_ttl : ipopt_ttl(&u->ip);
		u->pcb->tos = u->ip.tos;
		n = errno_of(udp_sendto(u->pcb, p, &ip, port));
	} else {
		n = -EFAULT;
	}
	pbuf_free(p);
	return n < 0 ? n : (long)len;
}

/* ---- names */

static int sock_bind(struct sock *s, const union sockaddr_any *addr, unsigned len)
{
	struct udp_sock *u = udp_of(s);
	int rc = addr_check_in(addr, len, true);

	if (rc < 0)
		return rc;
	if (port_bound(&u->bind))
		return -EINVAL;
	ip_addr_t ip = {addr->in.sin_addr.s_addr};
	if (!addr_is_local(ip.addr))
		return -EADDRNOTAVAIL;
	u->bind.reuseaddr = s->reuseaddr;
	u->bind.reuseport = s->reuseport;
	rc = port_take(&u->bind, ip.addr, lwip_ntohs(addr->in.sin_port));
	if (rc < 0)
		return rc;
	u->laddr = ip.addr;
	if (udp_bind(u->pcb, &ip, u->bind.port) == ERR_OK)
		return 0;
	port_drop(&u->bind);
	return -EADDRINUSE;
}

static int sock_connect(struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock)
{
	struct udp_sock *u = udp_of(s);

	if (len >= sizeof(addr->family) && addr->family == AF_UNSPEC) {
		udp_disconnect(u->pcb);
		u->raddr = 0;
		u->rport = 0;
		u->laddr = u->bind.addr;
		return 0;
	}
	int rc = addr_check_in(addr, len, false);
	if (rc < 0)
		return rc;
	ip_addr_t ip = {
		addr->in.sin_addr.s_addr ? addr->in.sin_addr.s_addr : PP_HTONL(IPADDR_LOOPBACK)};
	struct netif *nif = ip_route(NULL, &ip);
	if (!nif)
		return -ENETUNREACH;
	rc = broadcast_allowed(u, &ip);
	if (rc == 0)
		rc = ensure_bound(u);
	if (rc < 0)
		return rc;
	u->raddr = ip.addr;
	u->rport = lwip_ntohs(addr->in.sin_port);
	if (u->laddr == 0)
		u->laddr = netif_ip4_addr(nif)->addr;
	return errno_of(udp_connect(u->pcb, &ip, u->rport));
}

static int sock_getname(struct sock *s, bool peer, union sockaddr_any *addr)
{
	struct udp_sock *u = udp_of(s);

	if (peer && !u->rport)
		return -ENOTCONN;
	return peer ? addr_put_in(addr, u->raddr, u->rport)
		    : addr_put_in(addr, u->laddr, u->bind.port);
}

static int sock_shutdown(struct sock *s, int how)
{
	struct udp_sock *u = udp_of(s);

	if (how != SHUT_WR)
		s->shut_rd = true;
	if (how != SHUT_RD)
		s->shut_wr = true;
	sock_readable(s, POLLIN | POLLRDHUP | (s->shut_rd && s->shut_wr ? POLLHUP : 0));
	return u->rport ? 0 : -ENOTCONN;
}

static int sock_setopt_ip(struct sock *s, int level, int name, const void *val, unsigned len)
{
	return level == SOL_IP ? ipopt_set(&udp_of(s)->ip, name, val, len) : -ENOPROTOOPT;
}

static int sock_getopt_ip(struct sock *s, int level, int name, void *val, unsigned *len)
{
	return level == SOL_IP ? ipopt_get(&udp_of(s)->ip, name, val, len) : -ENOPROTOOPT;
}

static void option_changed(struct sock *s, int name)
{
	struct udp_sock *u = udp_of(s);

	if (name != SO_BROADCAST)
		return;
	if (s->broadcast)
		ip_set_option(u->pcb, SOF_BROADCAST);
	else
		ip_reset_option(u->pcb, SOF_BROADCAST);
}

static uint32_t sock_poll(struct sock *s)
{
	struct udp_sock *u = udp_of(s);
	uint32_t ev = POLLOUT;

	if (!list_empty(&u->queue))
		ev |= POLLIN;
	if (s->shut_rd)
		ev |= POLLIN | POLLRDHUP;
	if (s->shut_rd && s->shut_wr)
		ev |= POLLHUP;
	if (s->err)
		ev |= POLLERR;
	return ev;
}

static void sock_close(struct sock *s)
{
	struct udp_sock *u = udp_of(s);

	udp_remove(u->pcb);
	while (!list_empty(&u->queue))
		drop_first(u);
	port_drop(&u->bind);
	list_del(&u->link);
	kfree(u);
}

static const struct sock_ops udp_ops = {
	.bind = sock_bind,
	.connect = sock_connect,
	.getname = sock_getname,
	.send = sock_send,
	.recv = sock_recv,
	.shutdown = sock_shutdown,
	.setopt = sock_setopt_ip,
	.getopt = sock_getopt_ip,
	.option_changed = option_changed,
	.poll = sock_poll,
	.inq = sock_inq,
	.outq = sock_outq,
	.close = sock_close,
};

int udp_sock_new(struct sock **s)
{
	struct udp_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->pcb = udp_new();
	if (!u->pcb) {
		kfree(u);
		return -ENOMEM;
	}
	sock_init(&u->s, &udp_ops, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	port_init(&u->bind, IPPROTO_UDP);
	ipopt_init(&u->ip);
	list_init(&u->queue);
	list_add_tail(&sockets, &u->link);
	ip_set_option(u->pcb, SOF_REUSEADDR); /* net/ports.c has decided */
	udp_recv(u->pcb, on_dgram, u);
	*s = &u->s;
	return 0;
}

void udp_unreachable(uint32_t laddr, uint16_t lport, uint32_t raddr, uint16_t rport, int err)
{
	list_for_each (u, &sockets, struct udp_sock, link) {
		if (u->bind.port != lport || u->raddr != raddr || u->rport != rport)
			continue;
		u->s.err = err;
		sock_readable(&u->s, POLLERR);
	}
}
