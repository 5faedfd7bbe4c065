/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_NETLINK, NETLINK_ROUTE: dumps of links, addresses and routes, which is what getifaddrs(3), getaddrinfo(3) with AI_ADDRCONFIG and
 * node's os.networkInterfaces() ask for. Everything else is answered with an error message. Nothing is ever announced.
 */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/iface.h"
#include "libos/net/netlink.h"
#include "libos/net/sock.h"
#include "libos/uapi/netlink.h"

#define REQUEST_MAX 4096u
#define ANSWER_MAX  3072u
#define QUEUE_MAX   64u

struct answer {
	struct list link;
	uint32_t len;
	char data[ANSWER_MAX];
};

struct netlink_sock {
	struct sock s;
	uint32_t pid, groups;
	struct list queue;
	unsigned queued;
};

static uint32_t next_pid = 1;

static struct netlink_sock *netlink_of(struct sock *s)
{
	return (struct netlink_sock *)(void *)s;
}

/* ---- building messages; ANSWER_MAX has room for a dump of IFACE_MAX interfaces */

static void *append(struct answer *a, size_t n)
{
	void *at = a->data + a->len;

	memset(at, 0, (n + 3) & ~3ull);
	a->len += (uint32_t)((n + 3) & ~3ull);
	return at;
}

static void attr(struct answer *a, unsigned type, const void *data, size_t n)
{
	struct rtattr *at = append(a, sizeof(*at) + n);

	at->len = (uint16_t)(sizeof(*at) + n);
	at->type = (uint16_t)type;
	memcpy(at + 1, data, n);
}

static struct nlmsghdr *begin(
	struct answer *a, const struct nlmsghdr *req, uint32_t pid, unsigned type)
{
	struct nlmsghdr *h = append(a, sizeof(*h));

	*h = (struct nlmsghdr){
		.type = (uint16_t)type, .flags = NLM_F_MULTI, .seq = req->seq, .pid = pid};
	return h;
}

static void end(struct answer *a, struct nlmsghdr *h)
{
	h->len = (uint32_t)(a->data + a->len - (char *)h);
}

/* Linux 6.1 has as many; the first six are frames, bytes and errors, each received and sent; then what was dropped. */
#define STATS   24
#define STATS64 25

static void put_stats(struct answer *a, const struct iface *f)
{
	const struct vnet_stats *s = iface_stats(f);
	uint64_t all[STATS64] = {s->rx_frames, s->tx_frames, s->rx_bytes, s->tx_bytes, 0, 0,
		s->rx_dropped, s->tx_dropped};
	uint32_t low[STATS];

	for (unsigned i = 0; i < STATS; i++)
		low[i] = (uint32_t)all[i];
	attr(a, IFLA_STATS64, all, sizeof(all));
	attr(a, IFLA_STATS, low, sizeof(low));
}

static void put_link(struct answer *a, const struct iface *f)
{
	struct ifinfomsg *m = append(a, sizeof(*m));
	uint8_t oper = f->index == 1 ? IF_OPER_UNKNOWN : IF_OPER_UP,
		all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t qlen = 1000;

	*m = (struct ifinfomsg){.type = f->type, .index = f->index, .flags = f->flags};
	attr(a, IFLA_IFNAME, f->name, strlen(f->name) + 1);
	attr(a, IFLA_TXQLEN, &qlen, sizeof(qlen));
	attr(a, IFLA_OPERSTATE, &oper, sizeof(oper));
	attr(a, IFLA_MTU, &f->mtu, sizeof(f->mtu));
	attr(a, IFLA_ADDRESS, f->mac, sizeof(f->mac));
	attr(a, IFLA_BROADCAST, f->index == 1 ? f->mac : all, sizeof(all));
	put_stats(a, f);
}

static uint8_t prefix_of(uint32_t mask)
{
	uint8_t n = 0;

	for (; mask != 0; mask &= mask - 1)
		n++;
	return n;
}

static void put_addr(struct answer *a, const struct iface *f)
{
	struct ifaddrmsg *m = append(a, sizeof(*m));

	*m = (struct ifaddrmsg){
		.family = AF_INET,
		.prefixlen = prefix_of(f->mask),
		.flags = IFA_F_PERMANENT,
		.scope = f->index == 1 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
		.index = (uint32_t)f->index,
	};
	attr(a, IFA_ADDRESS, &f->ip, 4);
	attr(a, IFA_LOCAL, &f->ip, 4);
	if (f->broadcast)
		attr(a, IFA_BROADCAST, &f->broadcast, 4);
	attr(a, IFA_LABEL, f->name, strlen(f->name) + 1);
}

static void put_route(struct answer *a, const struct iface *f, bool dflt)
{
	struct rtmsg *m = append(a, sizeof(*m));
	uint32_t net = f->ip & f->mask, oif = (uint32_t)f->index;

	*m = (struct rtmsg){
		.family = AF_INET,
		.dst_len = dflt ? 0 : prefix_of(f->mask),
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_BOOT,
		.scope = dflt ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.type = RTN_UNICAST,
	};
	if (dflt)
		attr(a, RTA_GATEWAY, &f->gateway, 4);
	else
		attr(a, RTA_DST, &net, 4);
	attr(a, RTA_OIF, &oif, 4);
	if (!dflt)
		attr(a, RTA_PREFSRC, &f->ip, 4);
}

static void put_addr6(struct answer *a, const struct iface *f, const struct iface_ip6 *ip)
{
	struct ifaddrmsg *m = append(a, sizeof(*m));
	uint32_t flags = IFA_F_PERMANENT | IFA_F_NODAD;

	*m = (struct ifaddrmsg){
		.family = AF_INET6,
		.prefixlen = ip->prefix,
		.flags = (uint8_t)flags,
		.scope = ip->scope,
		.index = (uint32_t)f->index,
	};
	attr(a, IFA_ADDRESS, ip->addr, sizeof(ip->addr));
	attr(a, IFA_FLAGS, &flags, sizeof(flags));
}

/* To the network of an address, or with NULL to everywhere else. */
static void put_route6(struct answer *a, const struct iface *f, const struct iface_ip6 *ip)
{
	struct rtmsg *m = append(a, sizeof(*m));
	uint32_t oif = (uint32_t)f->index, metric = 256;
	uint8_t net[16] = {0};

	*m = (struct rtmsg){
		.family = AF_INET6,
		.dst_len = ip ? ip->prefix : 0,
		.table = RT_TABLE_MAIN,
		.protocol = ip ? RTPROT_KERNEL : RTPROT_BOOT,
		.scope = RT_SCOPE_UNIVERSE,
		.type = RTN_UNICAST,
	};
	for (unsigned bit = 0; ip && bit < ip->prefix; bit++)
		net[bit / 8] = (uint8_t)(net[bit / 8] | (ip->addr[bit / 8] & 0x80u >> bit % 8));
	if (ip)
		attr(a, RTA_DST, net, sizeof(net));
	else
		attr(a, RTA_GATEWAY, f->gateway6, sizeof(f->gateway6));
	attr(a, RTA_OIF, &oif, sizeof(oif));
	attr(a, RTA_PRIORITY, &metric, sizeof(metric));
}

static bool has_gateway6(const struct iface *f)
{
	for (unsigned i = 0; i < sizeof(f->gateway6); i++)
		if (f->gateway6[i])
			return true;
	return false;
}

static void dump6(struct answer *a, const struct nlmsghdr *req, uint32_t pid, const struct iface *f)
{
	for (unsigned i = 0; i <= f->nip6; i++) {
		const struct iface_ip6 *ip = i < f->nip6 ? &f->ip6[i] : NULL;
		bool route = req->type == RTM_GETROUTE;

		if (!ip && (!route || !has_gateway6(f)))
			continue;
		struct nlmsghdr *h = begin(a, req, pid, route ? RTM_NEWROUTE : RTM_NEWADDR);
		if (route)
			put_route6(a, f, ip);
		else
			put_addr6(a, f, ip);
		end(a, h);
	}
}

static void dump4(struct answer *a, const struct nlmsghdr *req, uint32_t pid, const struct iface *f)
{
	if (f->ip == 0)
		return;
	if (req->type == RTM_GETADDR) {
		struct nlmsghdr *h = begin(a, req, pid, RTM_NEWADDR);
		put_addr(a, f);
		end(a, h);
		return;
	}
	for (int dflt = 0; f->index != 1 && dflt < (f->gateway ? 2 : 1); dflt++) {
		struct nlmsghdr *h = begin(a, req, pid, RTM_NEWROUTE);
		put_route(a, f, dflt);
		end(a, h);
	}
}

/* By family first, as Linux does it. */
static void dump(struct answer *a, const struct nlmsghdr *req, uint32_t pid, unsigned family)
{
	struct iface f;

	for (int i = 1; i <= IFACE_MAX && req->type == RTM_GETLINK; i++) {
		if (!iface_get(i, &f))
			continue;
		struct nlmsghdr *h = begin(a, req, pid, RTM_NEWLINK);
		put_link(a, &f);
		end(a, h);
	}
	if (req->type == RTM_GETLINK)
		return;
	for (int i = 1; i <= IFACE_MAX && (family == AF_UNSPEC || family == AF_INET); i++)
		if (iface_get(i, &f))
			dump4(a, req, pid, &f);
	for (int i = 1; i <= IFACE_MAX && (family == AF_UNSPEC || family == AF_INET6); i++)
		if (iface_get(i, &f))
			dump6(a, req, pid, &f);
}

static void put_status(
	struct answer *a, const struct nlmsghdr *req, uint32_t pid, unsigned type, int status)
{
	struct nlmsghdr *h = begin(a, req, pid, type);
	int *s = append(a, sizeof(*s));

	*s = status;
	if (type == NLMSG_ERROR) {
		h->flags = 0;
		memcpy(append(a, sizeof(*req)), req, sizeof(*req));
	}
	end(a, h);
}

static struct answer *answer_new(struct netlink_sock *n)
{
	struct answer *a = n->queued < QUEUE_MAX ? kmalloc(sizeof(*a)) : NULL;

	if (a)
		a->len = 0;
	return a;
}

static void answer_queue(struct netlink_sock *n, struct answer *a)
{
	list_add_tail(&n->queue, &a->link);
	n->queued++;
	sock_readable(&n->s, POLLIN);
}

static int queue_answer(struct netlink_sock *n, const struct nlmsghdr *req, unsigned family)
{
	struct answer *a = answer_new(n);
	bool known =
		req->type == RTM_GETLINK || req->type == RTM_GETADDR || req->type == RTM_GETROUTE;

	if (!a)
		return -ENOBUFS;
	if (known && (req->flags & NLM_F_DUMP) == NLM_F_DUMP) {
		dump(a, req, n->pid, family);
		put_status(a, req, n->pid, NLMSG_DONE, 0);
	} else {
		put_status(a, req, n->pid, NLMSG_ERROR, -EOPNOTSUPP);
	}
	answer_queue(n, a);
	return 0;
}

/* ---- socket */

static int autobind(struct netlink_sock *n)
{
	if (n->pid == 0)
		n->pid = next_pid++;
	return 0;
}

static int sock_bind(struct sock *s, const union sockaddr_any *addr, unsigned len)
{
	struct netlink_sock *n = netlink_of(s);

	if (len < sizeof(addr->nl) || addr->family != AF_NETLINK)
		return -EINVAL;
	if (n->pid != 0 && addr->nl.nl_pid != n->pid && addr->nl.nl_pid != 0)
		return -EINVAL;
	if (addr->nl.nl_pid != 0)
		n->pid = addr->nl.nl_pid;
	n->groups = addr->nl.nl_groups;
	return autobind(n);
}

static int sock_connect(struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock)
{
	if (len < sizeof(addr->nl))
		return -EINVAL;
	if (addr->nl.nl_pid != 0)
		return -ECONNREFUSED; /* there is only the kernel */
	return autobind(netlink_of(s));
}

static int sock_getname(struct sock *s, bool peer, union sockaddr_any *addr)
{
	struct netlink_sock *n = netlink_of(s);

	addr->nl = (struct sockaddr_nl){.nl_family = AF_NETLINK,
		.nl_pid = peer ? 0 : n->pid,
		.nl_groups = peer ? 0 : n->groups};
	return sizeof(addr->nl);
}

static long sock_send(struct sock *s, struct sock_msg *m)
{
	struct netlink_sock *n = netlink_of(s);
	size_t len = m->it->left, at = 0;
	long rc = 0;

	if (len > REQUEST_MAX)
		return -EMSGSIZE;
	char *buf = kmalloc(len + 1);
	if (!buf)
		return -ENOBUFS;
	if (iter_get(m->it, buf, len) != (long)len)
		rc = -EFAULT;
	autobind(n);
	while (rc == 0 && len - at >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr req;
		unsigned family = AF_UNSPEC;

		memcpy(&req, buf + at, sizeof(req));
		if (req.len < sizeof(req) || req.len > len - at)
			break;
		if (req.len > sizeof(req))
			family = (uint8_t)buf[at +
				sizeof(req)]; /* first byte of rtgenmsg, ifinfomsg, ifaddrmsg, rtmsg */
		if ((req.flags & NLM_F_REQUEST) && req.type >= RTM_NEWLINK)
			rc = queue_answer(n, &req, family);
		size_t step = (req.len + 3ull) & ~3ull;
		if (step >= len - at)
			break;
		at += step;
	}
	kfree(buf);
	return rc < 0 ? rc : (long)len;
}

static long sock_recv(struct sock *s, struct sock_msg *m)
{
	struct netlink_sock *n = netlink_of(s);
	uint64_t deadline = sock_deadline(s->rcvtimeo);

	while (list_empty(&n->queue)) {
		int rc = sock_wait(&s->rq, m->nonblock, deadline);
		if (rc < 0)
			return rc;
	}
	struct answer *a = container_of(n->queue.next, struct answer, link);
	long full = a->len, got = iter_put(m->it, a->data, a->len);
	if (got < 0)
		return got;
	if (got < full)
		m->out_flags |= MSG_TRUNC;
	if (m->addr) {
		m->addr->nl = (struct sockaddr_nl){.nl_family = AF_NETLINK};
		m->addr_len = sizeof(m->addr->nl);
	}
	if (!(m->flags & MSG_PEEK)) {
		list_del(&a->link);
		n->queued--;
		kfree(a);
	}
	return m->flags & MSG_TRUNC ? full : got;
}

static uint32_t sock_poll(struct sock *s)
{
	return POLLOUT | (list_empty(&netlink_of(s)->queue) ? 0 : POLLIN);
}

static int sock_option(struct sock *s, int level, int name, const void *val, unsigned len)
{
	return level == SOL_NETLINK
		? 0
		: -ENOPROTOOPT; /* memberships, strict checks: nothing depends on them */
}

static void sock_close(struct sock *s)
{
	struct netlink_sock *n = netlink_of(s);
	struct list *l;

	while ((l = list_pop(&n->queue)) != NULL)
		kfree(container_of(l, struct answer, link));
	kfree(n);
}

static const struct sock_ops netlink_ops = {
	.bind = sock_bind,
	.connect = sock_connect,
	.getname = sock_getname,
	.send = sock_send,
	.recv = sock_recv,
	.setopt = sock_option,
	.poll = sock_poll,
	.close = sock_close,
};

int netlink_sock_new(unsigned type, int protocol, struct sock **s)
{
	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != NETLINK_ROUTE)
		return -EPROTONOSUPPORT;
	struct netlink_sock *n = kzalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	sock_init(&n->s, &netlink_ops, AF_NETLINK, type, protocol);
	list_init(&n->queue);
	*s = &n->s;
	return 0;
}

int netlink_is(const struct file *f)
{
	struct sock *s = sock_of(f);

	return !s ? -ENOTSOCK : s->ops == &netlink_ops ? 0 : -EINVAL;
}

void netlink_post(struct file *f, const void *data, size_t len)
{
	struct netlink_sock *n = netlink_of(sock_of(f));
	struct answer *a = len <= ANSWER_MAX ? answer_new(n) : NULL;

	if (!a)
		return;
	memcpy(a->data, data, len);
	a->len = (uint32_t)len;
	answer_queue(n, a);
}
