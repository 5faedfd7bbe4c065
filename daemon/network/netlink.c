/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>

#define NL_BYTES                                                                                   \
	32768 /* one message; dumps come in parts of at most this, which is the kernel's own limit */
#define DUMP_TURNS                                                                                 \
	100 /* in a row that something changed meanwhile; a turn takes less than a millisecond */

/* libmnl's mnl_attr_for_each() does not pass -Wconversion. */
static bool attr_there(const struct nlattr *attr, const struct nlmsghdr *nlh)
{
	return mnl_attr_ok(
		attr, (int)((char *)mnl_nlmsg_get_payload_tail(nlh) - (const char *)attr));
}

#define for_each_attr(attr, nlh, offset)                                                           \
	for ((attr) = mnl_nlmsg_get_payload_offset(nlh, offset); attr_there(attr, nlh);            \
		(attr) = mnl_attr_next(attr))

struct netlink {
	struct mnl_socket *sock;
	uint32_t seq;
	char buf[NL_BYTES];
};

static int open_here(struct netlink **out)
{
	struct netlink *nl = calloc(1, sizeof(*nl));
	int r;

	if (!nl)
		return -ENOMEM;
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		netlink_free(nl);
		return r;
	}
	*out = nl;
	return 0;
}

int netlink_new(const struct netns *ns, struct netlink **out)
{
	int r = netns_enter(ns);

	if (r < 0)
		return r;
	r = open_here(out);
	netns_leave(ns);
	return r;
}

int netlink_new_in(const struct netns *home, int netns_fd, struct netlink **out)
{
	struct netns ns = {.home = home->home, .fd = netns_fd};

	return netlink_new(&ns, out);
}

void netlink_free(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

static struct nlmsghdr *request(struct netlink *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(nl->buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++nl->seq;
	return h;
}

static struct nlmsghdr *link_request(struct netlink *nl, uint16_t type, uint16_t flags, int index)
{
	struct nlmsghdr *h = request(nl, type, flags);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = index;
	return h;
}

/* Whether the kernel says that something changed between two parts of the dump. The mark goes away: libmnl would stop at it,
 * with the rest of the dump still to come, where each later request would find it in place of its own answer. */
static bool take_interrupted(char *buf, size_t n)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	bool interrupted = false;

	for (int left = (int)n; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_flags & NLM_F_DUMP_INTR) {
			h->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
			interrupted = true;
		}
	}
	return interrupted;
}

/* The rest of an answer whose reception failed (-ENOBUFS). */
static bool stale(const char *buf, ssize_t n, uint32_t seq)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

	return mnl_nlmsg_ok(h, (int)n) && h->nlmsg_seq != seq;
}

/* Sends and takes all answers up to the acknowledgement or the end of the dump. -EINTR: the dump is not one of a single moment,
 * so it may lack something or hold it twice. */
static int talk(struct netlink *nl, struct nlmsghdr *h, mnl_cb_t fn, void *arg)
{
	unsigned port = mnl_socket_get_portid(nl->sock);
	uint32_t seq = h->nlmsg_seq;
	bool interrupted = false;
	ssize_t n;
	int r;

	if (mnl_socket_sendto(nl->sock, h, h->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (n < 0)
			return -errno;
		interrupted |= take_interrupted(nl->buf, (size_t)n);
		r = stale(nl->buf, n, seq) ? MNL_CB_OK
					   : mnl_cb_run(nl->buf, (size_t)n, seq, port, fn, arg);
	} while (r > MNL_CB_STOP);
	if (r < 0)
		return -errno;
	return interrupted ? -EINTR : 0;
}

static int change(struct netlink *nl, struct nlmsghdr *h)
{
	h->nlmsg_flags |= NLM_F_ACK;
	return talk(nl, h, NULL, NULL);
}

static int take_index(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);

	*(int *)arg = ifi->ifi_index;
	return MNL_CB_OK;
}

int netlink_index(struct netlink *nl, const char *name)
{
	struct nlmsghdr *h = link_request(nl, RTM_GETLINK, NLM_F_ACK, 0);
	int index = 0, r;

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	r = talk(nl, h, take_index, &index);
	return r < 0 ? r : index;
}

int netlink_bridge_add(struct netlink *nl, const char *name, const uint8_t mac[MAC_BYTES])
{
	struct nlmsghdr *h = link_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data;

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, MAC_BYTES, mac);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0); /* no queries of its own into idle guests */
	mnl_attr_put_u32(h, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return change(nl, h);
}

int netlink_veth_add(struct netlink *nl, const char *name, const char *peer,
	const uint8_t peer_mac[MAC_BYTES], int peer_netns)
{
	struct nlmsghdr *h = link_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data, *end;

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	end = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memset(mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg)), 0,
		sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, peer);
	mnl_attr_put(h, IFLA_ADDRESS, MAC_BYTES, peer_mac);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)peer_netns);
	mnl_attr_nest_end(h, end);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return change(nl, h);
}

int netlink_link_del(struct netlink *nl, int index)
{
	return change(nl, link_request(nl, RTM_DELLINK, 0, index));
}

static struct nlmsghdr *up_request(struct netlink *nl, int index)
{
	struct nlmsghdr *h = link_request(nl, RTM_NEWLINK, 0, index);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);

	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return h;
}

static int take_mac(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *attr;

	for_each_attr(attr, h, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attr) == IFLA_ADDRESS &&
			mnl_attr_get_payload_len(attr) == MAC_BYTES)
			memcpy(arg, mnl_attr_get_payload(attr), MAC_BYTES);
	}
	return MNL_CB_OK;
}

int netlink_link_keep_mac(struct netlink *nl, int index, uint8_t mac[MAC_BYTES])
{
	static const uint8_t none[MAC_BYTES];
	uint8_t now[MAC_BYTES] = {0};
	struct nlmsghdr *h;
	int r = talk(nl, link_request(nl, RTM_GETLINK, NLM_F_ACK, index), take_mac, now);

	if (r < 0)
		return r;
	if (memcmp(now, none, sizeof(now)) != 0)
		memcpy(mac, now, sizeof(now));
	h = link_request(nl, RTM_NEWLINK, 0, index);
	mnl_attr_put(h, IFLA_ADDRESS, MAC_BYTES, mac);
	return change(nl, h);
}

int netlink_link_up(struct netlink *nl, int index)
{
	return change(nl, up_request(nl, index));
}

int netlink_link_join(struct netlink *nl, int index, int bridge)
{
	struct nlmsghdr *h = up_request(nl, index);

	mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)bridge);
	return change(nl, h);
}

/* linux/if_link.h: the bridge's own attributes of a port are set in its own family. */
int netlink_port_proxy_arp(struct netlink *nl, int index)
{
	struct nlmsghdr *h = request(nl, RTM_SETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	struct nlattr *port;

	ifi->ifi_family = AF_BRIDGE;
	ifi->ifi_index = index;
	port = mnl_attr_nest_start(h, IFLA_PROTINFO);
	mnl_attr_put_u8(h, IFLA_BRPORT_PROXYARP, 1);
	mnl_attr_nest_end(h, port);
	return change(nl, h);
}

int netlink_addr_add(struct netlink *nl, int index, uint32_t ip, unsigned prefix)
{
	struct nlmsghdr *h = request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = (uint8_t)prefix;
	ifa->ifa_index = (uint32_t)index;
	mnl_attr_put_u32(h, IFA_LOCAL, htonl(ip));
	mnl_attr_put_u32(h, IFA_ADDRESS, htonl(ip));
	return change(nl, h);
}

int netlink_route_default(struct netlink *nl, uint32_t gateway)
{
	struct nlmsghdr *h = request(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(h, sizeof(*rtm));

	rtm->rtm_family = AF_INET;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(h, RTA_GATEWAY, htonl(gateway));
	return change(nl, h);
}

static struct nlmsghdr *neigh_request(
	struct netlink *nl, uint16_t type, uint16_t flags, int family, int index)
{
	struct nlmsghdr *h = request(nl, type, flags);
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));

	nd->ndm_family = (uint8_t)family;
	nd->ndm_ifindex = index;
	nd->ndm_state = NUD_PERMANENT;
	return h;
}

int netlink_neigh_set(struct netlink *nl, int index, uint32_t ip, const uint8_t mac[MAC_BYTES])
{
	struct nlmsghdr *h =
		neigh_request(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, AF_INET, index);

	mnl_attr_put_u32(h, NDA_DST, htonl(ip));
	mnl_attr_put(h, NDA_LLADDR, MAC_BYTES, mac);
	return change(nl, h);
}

int netlink_neigh_del(struct netlink *nl, int index, uint32_t ip)
{
	struct nlmsghdr *h = neigh_request(nl, RTM_DELNEIGH, 0, AF_INET, index);

	mnl_attr_put_u32(h, NDA_DST, htonl(ip));
	return change(nl, h);
}

int netlink_addr6_add(struct netlink *nl, int index, const uint8_t ip[IPV6_BYTES], unsigned prefix)
{
	struct nlmsghdr *h = request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));

	ifa->ifa_family = AF_INET6;
	ifa->ifa_prefixlen = (uint8_t)prefix;
	ifa->ifa_flags = IFA_F_NODAD;
	ifa->ifa_index = (uint32_t)index;
	mnl_attr_put(h, IFA_LOCAL, IPV6_BYTES, ip);
	mnl_attr_put(h, IFA_ADDRESS, IPV6_BYTES, ip);
	return change(nl, h);
}

int netlink_neigh6_set(
	struct netlink *nl, int index, const uint8_t ip[IPV6_BYTES], const uint8_t mac[MAC_BYTES])
{
	struct nlmsghdr *h =
		neigh_request(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, AF_INET6, index);

	mnl_attr_put(h, NDA_DST, IPV6_BYTES, ip);
	mnl_attr_put(h, NDA_LLADDR, MAC_BYTES, mac);
	return change(nl, h);
}

int netlink_neigh6_del(struct netlink *nl, int index, const uint8_t ip[IPV6_BYTES])
{
	struct nlmsghdr *h = neigh_request(nl, RTM_DELNEIGH, 0, AF_INET6, index);

	mnl_attr_put(h, NDA_DST, IPV6_BYTES, ip);
	return change(nl, h);
}

int netlink_fdb_set(struct netlink *nl, int port, const uint8_t mac[MAC_BYTES])
{
	struct nlmsghdr *h =
		neigh_request(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, AF_BRIDGE, port);
	struct ndmsg *nd = mnl_nlmsg_get_payload(h);

	/* Static, so kept; sticky, because a static entry alone still moves to the port that sends with its address. */
	nd->ndm_flags = NTF_MASTER | NTF_STICKY;
	nd->ndm_state = NUD_NOARP;
	mnl_attr_put(h, NDA_LLADDR, MAC_BYTES, mac);
	return change(nl, h);
}

struct found_link {
	int index;
	char name[IFNAMSIZ];
};

struct link_walk {
	const char *prefix;
	struct found_link *links; /* NULL before the first */
	unsigned count, room;
	int error;
};

static int walk_add(struct link_walk *walk, int index, const char *name)
{
	struct found_link *links = walk->links;
	unsigned room = walk->room ? walk->room * 2 : 64;

	if (walk->count == walk->room) {
		links = reallocarray(links, room, sizeof(*links));
		if (!links)
			return -ENOMEM;
		walk->links = links;
		walk->room = room;
	}
	links += walk->count++;
	links->index = index;
	snprintf(links->name, sizeof(links->name), "%s", name);
	return 0;
}

static int take_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct link_walk *walk = arg;
	const struct nlattr *attr;

	for_each_attr(attr, h, sizeof(*ifi))
	{
		const char *name = mnl_attr_get_str(attr);

		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
			strncmp(name, walk->prefix, strlen(walk->prefix)) == 0 &&
			walk_add(walk, ifi->ifi_index, name) < 0)
			walk->error = -ENOMEM; /* the dump goes on: see talk() */
	}
	return MNL_CB_OK;
}

int netlink_links(struct netlink *nl, const char *prefix, netlink_link_fn *fn, void *arg)
{
	struct link_walk walk = {.prefix = prefix};
	int r = -EINTR;

	for (unsigned turn = 0; r == -EINTR && turn < DUMP_TURNS; turn++) {
		walk.count = 0;
		r = talk(nl, link_request(nl, RTM_GETLINK, NLM_F_DUMP, 0), take_link, &walk);
	}
	r = r < 0 ? r : walk.error;
	for (unsigned i = 0; r == 0 && i < walk.count; i++)
		fn(arg, walk.links[i].index, walk.links[i].name);
	free(walk.links);
	return r;
}

struct route_check {
	const struct subnet *subnet;
	int index;
	int conflict;
};

static int take_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	struct route_check *check = arg;
	const struct nlattr *attr;
	uint32_t dst = 0;
	int oif = 0;

	if (rtm->rtm_table != RT_TABLE_MAIN || rtm->rtm_dst_len == 0)
		return MNL_CB_OK;
	for_each_attr(attr, h, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_DST)
			dst = ntohl(mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) == RTA_OIF)
			oif = (int)mnl_attr_get_u32(attr);
	}
	if (subnet_overlaps(check->subnet, dst, rtm->rtm_dst_len) &&
		(!check->index || oif != check->index))
		check->conflict = 1;
	return MNL_CB_OK;
}

static int dump_routes(struct netlink *nl, struct route_check *check)
{
	struct nlmsghdr *h = request(nl, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(h, sizeof(*rtm));

	rtm->rtm_family = AF_INET;
	check->conflict = 0;
	return talk(nl, h, take_route, check);
}

int netlink_route_conflict(struct netlink *nl, const struct subnet *subnet, int index)
{
	struct route_check check = {.subnet = subnet, .index = index};
	int r = -EINTR;

	for (unsigned turn = 0; r == -EINTR && turn < DUMP_TURNS; turn++)
		r = dump_routes(nl, &check);
	return r < 0 ? r : check.conflict;
}
