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
#include "libos/net/group6.h"
#include "libos/net/stack.h"

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/udp.h>

#define DGRAM_MAX      65507u /* 65535 - IP header - UDP header */
#define DGRAM_OVERHEAD 256u   /* charged to the receive buffer besides the data */

struct dgram {
	struct list link;
	struct pbuf *p;
	ip_addr_t addr; /* of the sender */
	uint16_t port;  /* host order */
	ip_addr_t to;   /* where it was sent */
	uint8_t hops, tclass, ifindex;
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

static void note_header(struct dgram *d)
{
	d->to = *ip_current_dest_addr();
	d->ifindex = netif_get_index(ip_current_input_netif());
	if (ip_current_is_v6()) {
		d->hops = IP6H_HOPLIM(ip6_current_header());
		d->tclass = (uint8_t)IP6H_TC(ip6_current_header());
	} else {
		d->hops = IPH_TTL(ip4_current_header());
		d->tclass = IPH_TOS(ip4_current_header());
	}
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
	d->addr = *addr;
	d->port = port;
	note_header(d);
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

/* What the program has asked to be told with each datagram. */
static void tell_header(const struct udp_sock *u, const struct dgram *d, struct cmsg_ip *ip)
{
	const struct ip_options *o = &u->ip;

	if (IP_IS_V4(&d->to))
		ip->have |= (o->pktinfo ? CMSG_PKTINFO4 : 0) | (o->recvttl ? CMSG_TTL4 : 0) |
			(o->recvtos ? CMSG_TOS4 : 0);
	else
		ip->have |= (o->recvhops ? CMSG_HOPS6 : 0) | (o->recvtclass ? CMSG_TCLASS6 : 0);
	if (o->recvpktinfo6)
		ip->have |= CMSG_PKTINFO6;
	addr_bytes6(&d->to, ip->addr);
	ip->ifindex = d->ifindex;
	ip->hops = d->hops;
	ip->tclass = d->tclass;
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
			m->addr_len = (unsigned)addr_put(m->addr, s->domain, &d->addr, d->port);
		if (m->ctl)
			tell_header(u, d, &m->ctl->ip);
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

static int bind_to(struct udp_sock *u, const ip_addr_t *ip, uint16_t port)
{
	int rc = port_take(&u->bind, ip, port);

	if (rc < 0)
		return rc;
	if (udp_bind(u->pcb, ip, u->bind.port) == ERR_OK)
		return 0;
	port_drop(&u->bind);
	return -EADDRINUSE;
}

static int ensure_bound(struct udp_sock *u)
{
	if (port_bound(&u->bind))
		return 0;
	ip_addr_t any = addr_any(u->s.domain, u->ip.v6only);
	u->bind.reuseaddr = u->bind.reuseport = false;
	u->autobound = true;
	return bind_to(u, &any, 0);
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

static int destination(const struct udp_sock *u, const struct sock_msg *m, struct endpoint *to)
{
	const union sockaddr_any *a = m->addr;
	unsigned len = a ? m->addr_len : 0;

	if (len >= sizeof(a->family) && a->family == AF_UNSPEC && u->s.domain == AF_INET6)
		len = 0;
	if (len == 0) {
		if (!u->rport)
			return -EDESTADDRREQ;
		*to = (struct endpoint){.ip = u->raddr, .port = u->rport};
		return 0;
	}
	union sockaddr_any v4;
	if (u->s.domain == AF_INET && len >= sizeof(a->in) && a->family == AF_UNSPEC) {
		v4 = *a;
		v4.family = AF_INET;
		a = &v4;
	}
	int rc = addr_of_peer(a, len, u->s.domain, u->ip.v6only, &u->bind.addr, ADDR_MIXED, to);
	if (rc == -EAFNOSUPPORT && u->s.domain == AF_INET6 && a->family != AF_INET6)
		return -EINVAL;
	return rc < 0 ? rc : to->port == 0 ? -EINVAL : 0;
}

/* The interface that a datagram goes out by: as a control message, the scope, the option for groups, or the route says. */
static struct netif *way_of(
	const struct udp_sock *u, const struct endpoint *to, const struct cmsg_ip *ctl)
{
	int index = ctl && (ctl->have & (CMSG_PKTINFO4 | CMSG_PKTINFO6)) ? ctl->ifindex : 0;

	if (IP_IS_V6(&to->ip)) {
		if (index == 0)
			index = (int)to->scope;
		if (index == 0 && ip_addr_ismulticast(&to->ip))
			index = u->ip.mc_if6;
	}
	if (index > 0)
		return index <= (int)UINT8_MAX ? netif_get_by_index((u8_t)index) : NULL;
	return addr_route(&u->bind.addr, &to->ip);
}

static int way_allowed(struct udp_sock *u, const struct netif *nif, const ip_addr_t *ip)
{
	if (!nif || (IP_IS_V6(ip) && ip_addr_ismulticast(ip) && nif != net_eth()))
		return -ENETUNREACH; /* loopback is no interface for groups */
	return ip_addr_isbroadcast(ip, nif) && !u->s.broadcast ? -EACCES : 0;
}

/* The source that a control message asks for; false: none. */
static bool asked_source(const struct cmsg_ip *ctl, const ip_addr_t *to, ip_addr_t *src)
{
	if (!ctl || !(ctl->have & (IP_IS_V6(to) ? CMSG_PKTINFO6 : CMSG_PKTINFO4 | CMSG_PKTINFO6)))
		return false;
	if (IP_IS_V6(to)) {
		*src = addr_any(AF_INET6, true);
		memcpy(ip_2_ip6(src)->addr, ctl->addr, sizeof(ip_2_ip6(src)->addr));
	} else {
		*src = addr_any(AF_INET, false);
		memcpy(&ip_2_ip4(src)->addr, ctl->addr + 12, 4);
	}
	return !addr_is_any(src);
}

static void apply_options(
	struct udp_sock *u, const ip_addr_t *to, const struct cmsg_ip *ctl, struct pbuf *p)
{
	const struct ip_options *o = &u->ip;
	bool v6 = IP_IS_V6(to), group = ip_addr_ismulticast(to);
	unsigned have = ctl ? ctl->have : 0;

	if (v6)
		u->pcb->ttl = group ? ipopt_mc_hops(o) : ipopt_hops(o);
	else
		u->pcb->ttl = group ? o->mc_ttl : ipopt_ttl(o);
	u->pcb->mcast_ttl = u->pcb->ttl;
	u->pcb->tos = v6 ? o->tclass : o->tos;
	if ((have & (v6 ? CMSG_HOPS6 : CMSG_TTL4)) && ctl->hops >= 0)
		u->pcb->ttl = u->pcb->mcast_ttl = (u8_t)ctl->hops;
	if ((have & (v6 ? CMSG_TCLASS6 : CMSG_TOS4)) && ctl->tclass >= 0)
		u->pcb->tos = (u8_t)ctl->tclass;
	if (v6 && group && o->mc_loop6)
		p->flags |= PBUF_FLAG_MCASTLOOP;
}

static long transmit(struct udp_sock *u, const struct endpoint *to, struct netif *nif,
	const struct cmsg_ip *ctl, struct pbuf *p)
{
	ip_addr_t src;

	apply_options(u, &to->ip, ctl, p);
	if (asked_source(ctl, &to->ip, &src)) {
		if (!addr_is_local(&src))
			return IP_IS_V6(&src) ? -EINVAL : -ENETUNREACH;
		return errno_of(udp_sendto_if_src(u->pcb, p, &to->ip, to->port, nif, &src));
	}
	return errno_of(udp_sendto_if(u->pcb, p, &to->ip, to->port, nif));
}

static long sock_send(struct sock *s, struct sock_msg *m)
{
	struct udp_sock *u = udp_of(s);
	const struct cmsg_ip *ctl = m->ctl ? &m->ctl->ip : NULL;
	size_t len = m->it->left;
	struct endpoint to;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (len > DGRAM_MAX)
		return -EMSGSIZE;
	if (s->err)
		return sock_error(s);
	if (s->shut_wr)
		return sock_epipe(m);
	int rc = destination(u, m, &to);
	if (rc < 0)
		return rc;
	struct netif *nif = way_of(u, &to, ctl);
	rc = way_allowed(u, nif, &to.ip);
	if (rc == 0)
		rc = ensure_bound(u);
	if (rc < 0)
		return rc;
	struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
	if (!p)
		return -ENOBUFS;
	long n = iter_get(m->it, p->payload, len);
	n = n == (long)len ? transmit(u, &to, nif, ctl, p) : -EFAULT;
	pbuf_free(p);
	return n < 0 ? n : (long)len;
}

/* ---- names */

static int sock_bind(struct sock *s, const union sockaddr_any *addr, unsigned len)
{
	struct udp_sock *u = udp_of(s);
	struct endpoint to;
	int rc = addr_of_bind(addr, len, s->domain, u->ip.v6only, &to);

	if ((rc == 0 || rc == -EADDRNOTAVAIL) && port_bound(&u->bind))
		return -EINVAL;
	if (rc < 0)
		return rc;
	u->bind.reuseaddr = s->reuseaddr;
	u->bind.reuseport = s->reuseport;
	rc = bind_to(u, &to.ip, to.port);
	if (rc < 0)
		return rc;
	if (IP_IS_V6(&to.ip) && !addr_is_any(&to.ip))
		u->ip.v6only = true;
	u->laddr = to.ip;
	return 0;
}

/* The port that connect() or a send has taken is given back; what comes for it is nobody's. */
static void unbind(struct udp_sock *u)
{
	ip_addr_t none = addr_any(u->s.domain, false);

	u->autobound = false;
	port_drop(&u->bind);
	for (struct udp_pcb **at = &udp_pcbs; *at; at = &(*at)->next) {
		if (*at == u->pcb) {
			*at = u->pcb->next;
			break;
		}
	}
	u->pcb->next = NULL;
	u->pcb->local_port = 0;
	u->pcb->local_ip = u->bind.addr = none;
}

static int sock_connect(struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock)
{
	struct udp_sock *u = udp_of(s);
	struct endpoint to;

	if (len >= sizeof(addr->family) && addr->family == AF_UNSPEC) {
		udp_disconnect(u->pcb);
		u->raddr = addr_any(s->domain, false);
		u->rport = 0;
		if (u->autobound)
			unbind(u);
		u->laddr = port_bound(&u->bind) ? u->bind.addr : addr_any(s->domain, false);
		return 0;
	}
	int rc = addr_of_peer(
		addr, len, s->domain, u->ip.v6only, &u->bind.addr, ADDR_MIXED | ADDR_SCOPED, &to);
	if (rc < 0)
		return rc;
	struct netif *nif = way_of(u, &to, NULL);
	rc = way_allowed(u, nif, &to.ip);
	if (rc == 0)
		rc = ensure_bound(u);
	if (rc < 0)
		return rc;
	u->raddr = to.ip;
	u->rport = to.port;
	if (addr_is_any(&u->bind.addr))
		u->laddr = addr_source(nif, &to.ip);
	return errno_of(udp_connect(u->pcb, &to.ip, u->rport));
}

static int sock_getname(struct sock *s, bool peer, union sockaddr_any *addr)
{
	struct udp_sock *u = udp_of(s);

	if (peer && !u->rport)
		return -ENOTCONN;
	return peer ? addr_put(addr, s->domain, &u->raddr, u->rport)
		    : addr_put(addr, s->domain, &u->laddr, u->bind.port);
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
	struct udp_sock *u = udp_of(s);

	if (level == SOL_IP)
		return ipopt_set(&u->ip, name, val, len);
	if (level != SOL_IPV6 || s->domain != AF_INET6)
		return -ENOPROTOOPT;
	if (name == IPV6_JOIN_GROUP)
		return group6_join(&u->groups, val, len);
	if (name == IPV6_LEAVE_GROUP)
		return group6_leave(&u->groups, val, len);
	return ip6opt_set(&u->ip, name, val, len, port_bound(&u->bind));
}

static int sock_getopt_ip(struct sock *s, int level, int name, void *val, unsigned *len)
{
	struct udp_sock *u = udp_of(s);

	if (level == SOL_IP)
		return ipopt_get(&u->ip, name, val, len);
	if (level == SOL_IPV6 && s->domain != AF_INET6)
		return -EOPNOTSUPP;
	if (level != SOL_IPV6)
		return -ENOPROTOOPT;
	if (name == IPV6_MTU)
		return u->rport
			? opt_put_int(val, len, ip_addr_isloopback(&u->raddr) ? 65536 : 1500)
			: -ENOTCONN;
	return ip6opt_get(&u->ip, name, val, len);
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
	group6_leave_all(&u->groups);
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

int udp_sock_new(int domain, struct sock **s)
{
	struct udp_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->pcb = udp_new_ip_type(domain == AF_INET6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4);
	if (!u->pcb) {
		kfree(u);
		return -ENOMEM;
	}
	sock_init(&u->s, &udp_ops, domain, SOCK_DGRAM, IPPROTO_UDP);
	u->laddr = u->raddr = addr_any(domain, false);
	port_init(&u->bind, IPPROTO_UDP);
	u->bind.addr = u->laddr;
	ipopt_init(&u->ip);
	list_init(&u->queue);
	list_init(&u->groups);
	list_add_tail(&sockets, &u->link);
	ip_set_option(u->pcb, SOF_REUSEADDR); /* net/ports.c has decided */
	udp_recv(u->pcb, on_dgram, u);
	*s = &u->s;
	return 0;
}

void udp_unreachable(uint16_t lport, const ip_addr_t *raddr, uint16_t rport, int err)
{
	list_for_each (u, &sockets, struct udp_sock, link) {
		if (u->bind.port != lport || u->rport != rport || !addr_same(&u->raddr, raddr))
			continue;
		u->s.err = err;
		sock_readable(&u->s, POLLERR);
	}
}

struct udp_sock *udp_next(const struct udp_sock *u)
{
	struct list *next = u ? u->link.next : sockets.next;

	return next == &sockets ? NULL : container_of(next, struct udp_sock, link);
}
