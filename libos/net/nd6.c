/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours, addresses and routes of IPv6: see nd6.h. The functions without a prefix of ours are those that lwIP calls. */
#include "libos/net/nd6.h"

#include "libos/klib/string.h"
#include "libos/net/stack.h"
#include "libos/net/tick.h"
#include "libos/sched/thread.h"

#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/ip6.h>
#include <lwip/nd6.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/nd6.h>
#include <netif/ethernet.h>

#define NEIGHBOURS     64u
#define QUEUE_MAX      8u /* packets that wait for one neighbour */
#define TRIES          3u /* MAX_MULTICAST_SOLICIT, RFC 4861 section 10; RETRANS_TIMER is a second */
#define ASK_S          (TRIES + 2u)
#define KNOWN_NS       (30 * NS_PER_SEC) /* REACHABLE_TIME */
#define HOPS_ND        255u              /* nothing that was forwarded is believed */
#define NS_BYTES       24u               /* solicitation and advertisement, without options */
#define OPTION_SLLA    1u
#define OPTION_TLLA    2u
#define OPTION_UNIT    8u
#define MESSAGE_MAX    256u /* of a message with its options: more is not looked at */
#define LOOPBACK_INDEX 1u

enum neighbour_state { FREE, ASKED, KNOWN };

struct neighbour {
	ip6_addr_t addr;
	enum neighbour_state state;
	bool asking; /* a KNOWN one is asked whether it is still there */
	uint8_t mac[ETH_HWADDR_LEN];
	unsigned tries;
	uint64_t at; /* KNOWN: when it was confirmed; ASKED: when it was made */
	struct pbuf *queue[QUEUE_MAX];
	unsigned queued;
};

static struct {
	struct neighbour neighbour[NEIGHBOURS];
	ip6_addr_t gateway;
	unsigned prefix;
	bool have_gateway, is_static;
} nd;

unsigned nd6_prefix(void)
{
	return nd.prefix;
}

const ip6_addr_t *nd6_gateway(void)
{
	return nd.have_gateway ? &nd.gateway : NULL;
}

/* ---- addresses and routes */

static bool same_prefix(const ip6_addr_t *a, const ip6_addr_t *b, unsigned bits)
{
	for (unsigned i = 0; i < 4 && bits > 0; i++) {
		uint32_t mask = bits < 32 ? lwip_htonl(~0u << (32 - bits)) : ~0u;

		if ((a->addr[i] ^ b->addr[i]) & mask)
			return false;
		bits -= bits < 32 ? bits : 32;
	}
	return true;
}

static bool on_link(const struct netif *eth, const ip6_addr_t *dest)
{
	if (ip6_addr_islinklocal(dest))
		return true;
	return ip6_addr_isvalid(netif_ip6_addr_state(eth, 1)) &&
		same_prefix(dest, netif_ip6_addr(eth, 1), nd.prefix);
}

/* Seen by lwIP and the sockets. */
struct netif *ip6_route(const ip6_addr_t *src, const ip6_addr_t *dest)
{
	struct netif *eth = net_eth();

	if (ip6_addr_isloopback(dest) || (src && ip6_addr_isloopback(src)) ||
		ip6_addr_ismulticast_iflocal(dest))
		return netif_get_by_index(LOOPBACK_INDEX);
	if (!eth || !netif_is_up(eth))
		return NULL;
	if (ip6_addr_ismulticast(dest) || on_link(eth, dest) || nd.have_gateway ||
		netif_get_ip6_addr_match(eth, dest) >= 0)
		return eth;
	return NULL;
}

static void set_address(struct netif *eth, s8_t i, const uint8_t bytes[16])
{
	ip6_addr_t a = {0};

	memcpy(a.addr, bytes, sizeof(a.addr));
	netif_ip6_addr_set_state(eth, i, IP6_ADDR_INVALID);
	netif_ip6_addr_set(eth, i, &a); /* resets the connections of an address that goes */
	if (!ip6_addr_isany(&a))
		netif_ip6_addr_set_state(eth, i, IP6_ADDR_PREFERRED);
}

static void forget(struct neighbour *n)
{
	for (unsigned i = 0; i < n->queued; i++)
		pbuf_free(n->queue[i]);
	n->queued = 0;
	n->state = FREE;
	n->asking = false;
}

void nd6_configure(struct netif *netif, const struct net_config *config)
{
	const uint8_t *m = netif->hwaddr;
	const uint8_t link_local[16] = {
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};

	for (unsigned i = 0; i < NEIGHBOURS; i++)
		forget(&nd.neighbour[i]);
	memcpy(nd.gateway.addr, config->gateway6, sizeof(nd.gateway.addr));
	nd.have_gateway = !ip6_addr_isany(&nd.gateway);
	nd.prefix = config->prefix6;
	nd.is_static = config->static6;
	set_address(netif, 0, link_local);
	set_address(netif, 1, config->ip6);
}

/* ---- neighbours */

/* The MAC that an interface identifier was made of. */
static bool mac_of(const ip6_addr_t *addr, uint8_t mac[ETH_HWADDR_LEN])
{
	const uint8_t *b = (const uint8_t *)addr->addr;

	if (b[11] != 0xff || b[12] != 0xfe || (b[8] & 1))
		return false;
	mac[0] = b[8] ^ 2;
	memcpy(mac + 1, b + 9, 2);
	memcpy(mac + 3, b + 13, 3);
	return true;
}

static struct neighbour *find(const ip6_addr_t *addr)
{
	for (unsigned i = 0; i < NEIGHBOURS; i++)
		if (nd.neighbour[i].state != FREE && ip6_addr_cmp(&nd.neighbour[i].addr, addr))
			return &nd.neighbour[i];
	return NULL;
}

/* A place for another one: a free one, or that of the one that was confirmed longest ago. */
static struct neighbour *make(const ip6_addr_t *addr)
{
	struct neighbour *n = &nd.neighbour[0];

	for (unsigned i = 0; i < NEIGHBOURS && n->state != FREE; i++) {
		struct neighbour *other = &nd.neighbour[i];

		if (other->state == FREE || other->at < n->at)
			n = other;
	}
	forget(n);
	n->addr = *addr;
	n->tries = 0;
	n->at = clock_mono_ns();
	return n;
}

static err_t ether(struct netif *eth, struct pbuf *p, const uint8_t *mac)
{
	return ethernet_output(eth, p, (const struct eth_addr *)(const void *)eth->hwaddr,
		(const struct eth_addr *)(const void *)mac, ETHTYPE_IPV6);
}

/* A message to `to`, from the source that fits the target. mac: where to, NULL: as nd6_output() finds it. */
static void send_message(struct netif *eth, unsigned type, uint32_t flags, const ip6_addr_t *target,
	const ip6_addr_t *src, const ip6_addr_t *to, const uint8_t *mac)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, NS_BYTES + OPTION_UNIT, PBUF_RAM);

	if (!p)
		return;
	uint8_t *b = p->payload;
	memset(b, 0, NS_BYTES);
	b[0] = (uint8_t)type;
	b[4] = (uint8_t)flags;
	memcpy(b + 8, target->addr, 16);
	b[NS_BYTES] = type == ICMP6_TYPE_NS ? OPTION_SLLA : OPTION_TLLA;
	b[NS_BYTES + 1] = 1;
	memcpy(b + NS_BYTES + 2, eth->hwaddr, ETH_HWADDR_LEN);
	uint16_t sum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->tot_len, src, to);
	memcpy(b + 2, &sum, sizeof(sum));
	if (!mac) {
		ip6_output_if_src(p, src, to, HOPS_ND, 0, IP6_NEXTH_ICMP6, eth);
	} else if (pbuf_add_header(p, IP6_HLEN) == 0) {
		struct ip6_hdr *h = p->payload;

		IP6H_VTCFL_SET(h, 6, 0, 0);
		IP6H_PLEN_SET(h, NS_BYTES + OPTION_UNIT);
		IP6H_NEXTH_SET(h, IP6_NEXTH_ICMP6);
		IP6H_HOPLIM_SET(h, HOPS_ND);
		ip6_addr_copy_to_packed(h->src, *src);
		ip6_addr_copy_to_packed(h->dest, *to);
		ether(eth, p, mac);
	}
	pbuf_free(p);
}

/* Asks all, or a known one itself. */
static void ask(struct netif *eth, struct neighbour *n)
{
	const ip_addr_t *src = ip6_select_source_address(eth, &n->addr);
	ip6_addr_t group;

	n->tries++;
	if (!src)
		return;
	if (n->state == KNOWN) {
		send_message(eth, ICMP6_TYPE_NS, 0, &n->addr, ip_2_ip6(src), &n->addr, n->mac);
	} else {
		ip6_addr_set_solicitednode(&group, n->addr.addr[3]);
		send_message(eth, ICMP6_TYPE_NS, 0, &n->addr, ip_2_ip6(src), &group, NULL);
	}
	net_tick_aux(ASK_S);
}

void nd6_second(void)
{
	struct netif *eth = net_eth();

	for (unsigned i = 0; eth && i < NEIGHBOURS; i++) {
		struct neighbour *n = &nd.neighbour[i];

		if (n->state != ASKED && !n->asking)
			continue;
		if (n->tries < TRIES)
			ask(eth, n);
		else
			forget(n);
	}
}

static void confirmed(struct netif *eth, struct neighbour *n, const uint8_t *mac)
{
	memcpy(n->mac, mac, sizeof(n->mac));
	n->state = KNOWN;
	n->asking = false;
	n->tries = 0;
	n->at = clock_mono_ns();
	for (unsigned i = 0; i < n->queued; i++) {
		ether(eth, n->queue[i], n->mac);
		pbuf_free(n->queue[i]);
	}
	n->queued = 0;
}

/* Keeps a packet until the neighbour has answered; the oldest goes when there are too many. */
static err_t wait_for(struct neighbour *n, struct pbuf *p)
{
	struct pbuf *kept = p;
	bool copy = false;

	for (struct pbuf *q = p; q; q = q->next)
		copy |= PBUF_NEEDS_COPY(q) != 0;
	if (copy) {
		kept = pbuf_clone(PBUF_LINK, PBUF_RAM, p);
		if (!kept)
			return ERR_MEM;
	} else {
		pbuf_ref(p);
	}
	if (n->queued == QUEUE_MAX) {
		pbuf_free(n->queue[0]);
		n->queued--;
		for (unsigned i = 0; i < n->queued; i++)
			n->queue[i] = n->queue[i + 1];
	}
	n->queue[n->queued++] = kept;
	return ERR_OK;
}

static err_t to_neighbour(struct netif *eth, struct pbuf *p, const ip6_addr_t *hop)
{
	uint8_t mac[ETH_HWADDR_LEN];

	if (nd.is_static && mac_of(hop, mac))
		return ether(eth, p, mac);
	struct neighbour *n = find(hop);
	if (!n) {
		n = make(hop);
		n->state = ASKED;
		err_t err = wait_for(n, p);
		ask(eth, n);
		return err;
	}
	if (n->state == ASKED)
		return wait_for(n, p);
	if (!n->asking && clock_mono_ns() - n->at > KNOWN_NS) {
		n->asking = true;
		n->tries = 0;
		ask(eth, n);
	}
	return ether(eth, p, n->mac);
}

err_t nd6_output(struct netif *netif, struct pbuf *p, const ip6_addr_t *dest)
{
	const uint8_t *b = (const uint8_t *)dest->addr;

	if (ip6_addr_ismulticast(dest)) {
		const uint8_t mac[ETH_HWADDR_LEN] = {0x33, 0x33, b[12], b[13], b[14], b[15]};

		return ether(netif, p, mac);
	}
	if (on_link(netif, dest))
		return to_neighbour(netif, p, dest);
	return nd.have_gateway ? to_neighbour(netif, p, &nd.gateway) : ERR_RTE;
}

/* ---- messages */

/* The link-layer address of an option of this type, NULL: there is none. *bad: the options are not right. */
static const uint8_t *find_mac(const uint8_t *b, size_t len, unsigned type, bool *bad)
{
	const uint8_t *mac = NULL;

	*bad = false;
	for (size_t at = NS_BYTES; at < len;) {
		size_t n = len - at >= OPTION_UNIT ? b[at + 1] * (size_t)OPTION_UNIT : 0;

		if (n == 0 || n > len - at) {
			*bad = true;
			return NULL;
		}
		if (b[at] == type && n == OPTION_UNIT && !(b[at + 2] & 1))
			mac = b + at + 2;
		at += n;
	}
	return mac;
}

static void on_solicitation(struct netif *eth, const uint8_t *b, size_t len)
{
	const ip6_addr_t *from = ip6_current_src_addr();
	ip6_addr_t target, to = *from;
	uint32_t flags = ND6_FLAG_SOLICITED | ND6_FLAG_OVERRIDE;
	bool bad;

	memcpy(target.addr, b + 8, sizeof(target.addr));
	const uint8_t *mac = find_mac(b, len, OPTION_SLLA, &bad);
	if (bad || netif_get_ip6_addr_match(eth, &target) < 0)
		return;
	if (ip6_addr_isany(from)) { /* somebody wants to have our address */
		ip6_addr_set_allnodes_linklocal(&to);
		flags = ND6_FLAG_OVERRIDE;
	} else if (mac && on_link(eth, from)) {
		struct neighbour *n = find(from);

		confirmed(eth, n ? n : make(from), mac);
	}
	send_message(eth, ICMP6_TYPE_NA, flags, &target, &target, &to, NULL);
}

static void on_advertisement(struct netif *eth, const uint8_t *b, size_t len)
{
	ip6_addr_t target;
	bool bad;

	memcpy(target.addr, b + 8, sizeof(target.addr));
	const uint8_t *mac = find_mac(b, len, OPTION_TLLA, &bad);
	struct neighbour *n = find(&target);
	if (bad || !n)
		return; /* nobody was asked */
	if (!mac && n->state == KNOWN && n->asking)
		mac = n->mac; /* the answer to a unicast question may leave it out */
	if (mac &&
		(n->state == ASKED || n->asking || (b[4] & ND6_FLAG_OVERRIDE) ||
			memcmp(mac, n->mac, sizeof(n->mac)) == 0))
		confirmed(eth, n, mac);
}

/* Called by lwIP's icmp6.c, the checksum is right: neighbour discovery, and a packet that was too big for the way, which is not looked at:
 * there is one link. */
void nd6_input(struct pbuf *p, struct netif *inp)
{
	uint8_t b[MESSAGE_MAX];
	size_t len = pbuf_copy_partial(p, b, sizeof(b), 0);
	bool good = inp == net_eth() && len >= NS_BYTES && p->tot_len == len && b[1] == 0 &&
		IP6H_HOPLIM(ip6_current_header()) == HOPS_ND && b[8] != 0xff;

	pbuf_free(p);
	if (good && b[0] == ICMP6_TYPE_NS)
		on_solicitation(inp, b, len);
	else if (good && b[0] == ICMP6_TYPE_NA)
		on_advertisement(inp, b, len);
}

u16_t nd6_get_destination_mtu(const ip6_addr_t *dest, struct netif *netif)
{
	return netif ? netif_mtu6(netif) : IP6_MIN_MTU_LENGTH;
}

void nd6_cleanup_netif(struct netif *netif) {}

void nd6_restart_netif(struct netif *netif) {}
