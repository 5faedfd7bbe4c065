/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eth0: lwIP's interface on virtio-net. A received frame becomes a pbuf in place: the buffer's headroom holds the pbuf. Small ones
 * are copied instead, so that a program that leaves them unread holds no 2 KiB each. The Ethernet header is taken off before the pbuf is
 * made (a frame of 64 KiB would not fit lwIP's 16-bit lengths with it).
 *
 * Frames to others' addresses are dropped here: a tap on a bridge sees flooded ones.
 */
#include "libos/drv/virtio_net.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/addr.h"
#include "libos/net/demux.h"
#include "libos/net/gone.h"
#include "libos/net/nd6.h"
#include "libos/net/stack.h"
#include "libos/net/tick.h"
#include "libos/sched/event.h"

#include "abi/boot.h"

#include <lwip/etharp.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6.h>
#include <lwip/ip6_frag.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/udp.h>
#include <netif/ethernet.h>

#define MTU_DEFAULT 1500u
#define COPY_BYTES  256u /* frames up to here are copied */

/* For how long lwIP's timers have to look after them: its limits and a second (ARP_MAXPENDING, IP_REASS_MAXAGE, IPV6_REASS_MAXAGE). */
#define ARP_REQUEST_S 6u
#define FRAGMENT_S    16u
#define FRAGMENT6_S   61u

_Static_assert(sizeof(struct pbuf_custom) <= VNET_HEADROOM, "the pbuf lives in the headroom");

static struct netif eth;
static bool eth_exists;
static uint16_t eth_mtu;

struct netif *net_eth(void)
{
	return eth_exists ? &eth : NULL;
}

/* ---- receive */

static void part_free(struct pbuf *p)
{
	vnet_buf_free(p); /* the pbuf is the start of its buffer */
}

static void frame_free(struct vnet_frame *f)
{
	for (unsigned i = 0; i < f->parts; i++)
		vnet_buf_free(f->part[i].buf);
}

static struct pbuf *frame_copy(struct vnet_frame *f)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)f->part[0].len, PBUF_RAM);

	if (p)
		memcpy(p->payload, f->part[0].data, f->part[0].len);
	frame_free(f);
	return p;
}

/* A chain of pbufs that own the buffers. */
static struct pbuf *frame_wrap(struct vnet_frame *f)
{
	struct pbuf *head = NULL;
	uint32_t total = 0;

	for (unsigned i = 0; i < f->parts; i++)
		total += f->part[i].len;
	if (total > UINT16_MAX) {
		frame_free(f);
		return NULL;
	}
	for (unsigned i = f->parts; i-- > 0;) { /* from the end, so that each tot_len is known */
		struct vnet_part *part = &f->part[i];
		struct pbuf_custom *pc = part->buf;
		u16_t len = (u16_t)part->len;

		pc->custom_free_function = part_free;
		struct pbuf *p = pbuf_alloced_custom(PBUF_RAW, len, PBUF_REF, pc, part->data, len);
		p->next = head;
		p->tot_len = (u16_t)(len + (head ? head->tot_len : 0));
		head = p;
	}
	return head;
}

#define CHECK_TRANSPORT                                                                            \
	(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP | NETIF_CHECKSUM_CHECK_ICMP |         \
		NETIF_CHECKSUM_CHECK_ICMP6)

static bool is_fragment(const struct pbuf *p, bool v6)
{
	if (v6)
		return IP6H_NEXTH((const struct ip6_hdr *)p->payload) == IP6_NEXTH_FRAGMENT;
	return (IPH_OFFSET((const struct ip_hdr *)p->payload) & PP_HTONS(IP_OFFMASK | IP_MF)) != 0;
}

/* Somebody says whose the address is now. */
static void arp_frame(struct pbuf *p)
{
	const struct etharp_hdr *ah = p->payload;
	uint32_t from, to, own = netif_ip4_addr(&eth)->addr;

	memcpy(&from, &ah->sipaddr, sizeof(from));
	memcpy(&to, &ah->dipaddr, sizeof(to));
	etharp_input(p, &eth);
	if (from == to && from != own)
		gone_announced(from);
}

static void ip_frame(struct pbuf *p, bool csum_ok, bool v6)
{
	if (is_fragment(p, v6))
		net_tick_aux(v6 ? FRAGMENT6_S : FRAGMENT_S);
	eth.chksum_flags |= NETIF_CHECKSUM_CHECK_IP;
	if (!csum_ok)
		eth.chksum_flags |= CHECK_TRANSPORT;
	if (v6)
		ip6_input(p, &eth);
	else
		ip4_input(p, &eth);
	/* What the instance sends to its own address carries no checksum when the device makes them. */
	eth.chksum_flags &= (u16_t) ~(NETIF_CHECKSUM_CHECK_IP | CHECK_TRANSPORT);
}

static void frame_input(struct vnet_frame *f)
{
	struct eth_hdr eh;
	struct vnet_part *first = &f->part[0];
	bool csum_ok = f->csum_ok;

	memcpy(&eh, first->data, sizeof(eh)); /* at least 14 bytes, by vnet_poll() */
	bool group = eh.dest.addr[0] & 1;
	if (!group && memcmp(eh.dest.addr, eth.hwaddr, ETH_HWADDR_LEN) != 0) {
		frame_free(f);
		return;
	}
	event_step(UIG_STEP_FRAME);
	first->data = (char *)first->data + sizeof(eh);
	first->len -= (uint32_t)sizeof(eh);
	struct pbuf *p = f->parts == 1 && first->len <= COPY_BYTES ? frame_copy(f) : frame_wrap(f);
	if (!p)
		return;
	p->if_idx = netif_get_index(&eth);
	if (group)
		p->flags |= memcmp(eh.dest.addr, &ethbroadcast, ETH_HWADDR_LEN) == 0
			? PBUF_FLAG_LLBCAST
			: PBUF_FLAG_LLMCAST;
	/* lwIP reads the whole fixed headers before it looks at the length. */
	if (eh.type == PP_HTONS(ETHTYPE_IP) && p->len >= IP_HLEN)
		ip_frame(p, csum_ok, false);
	else if (eh.type == PP_HTONS(ETHTYPE_IPV6) && p->len >= IP6_HLEN)
		ip_frame(p, csum_ok, true);
	else if (eh.type == PP_HTONS(ETHTYPE_ARP) && p->len >= SIZEOF_ETHARP_HDR)
		arp_frame(p);
	else
		pbuf_free(p);
}

/* ---- send */

/* Where the transport header of a packet that is no fragment begins, behind the Ethernet header, and what it is; 0: there is none. Extension
 * headers but that of a fragment are never sent. */
static unsigned find_transport(const char *frame, unsigned *proto)
{
	const struct ip_hdr *ip = (const void *)(frame + SIZEOF_ETH_HDR);

	if (IPH_V(ip) == 6) {
		*proto = IP6H_NEXTH((const struct ip6_hdr *)(const void *)ip);
		return SIZEOF_ETH_HDR + IP6_HLEN;
	}
	if ((IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF)) != 0)
		return 0;
	*proto = IPH_PROTO(ip);
	return SIZEOF_ETH_HDR + IPH_HL_BYTES(ip);
}

/* The sum of both addresses, 16 bits of each in its low half. */
static uint64_t sum_addresses(const char *packet)
{
	const struct ip_hdr *ip = (const void *)packet;
	const struct ip6_hdr *ip6 = (const void *)packet;
	uint64_t sum = 0;

	if (IPH_V(ip) != 6)
		return (uint64_t)ip->src.addr + ip->dest.addr;
	for (unsigned i = 0; i < 4; i++)
		sum += (uint64_t)ip6->src.addr[i] + ip6->dest.addr[i];
	return sum;
}

/* Leaves the sum of the pseudo header where the device continues; the offset of the transport header, 0: nothing to do. */
static unsigned partial_csum(char *frame, size_t len, unsigned *csum_offset)
{
	unsigned proto, start = find_transport(frame, &proto);

	if (start == 0 || len < start + 8)
		return 0;
	if (proto == IP_PROTO_TCP)
		*csum_offset = offsetof(struct tcp_hdr, chksum);
	else if (proto == IP_PROTO_UDP)
		*csum_offset = offsetof(struct udp_hdr, chksum);
	else
		return 0;
	uint64_t sum = sum_addresses(frame + SIZEOF_ETH_HDR);
	sum += (uint64_t)lwip_htons((u16_t)proto) + lwip_htons((u16_t)(len - start));
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	uint16_t folded = (uint16_t)sum;
	memcpy(frame + start + *csum_offset, &folded, 2);
	return start;
}

static void note_arp(const char *frame, size_t len)
{
	struct etharp_hdr ah;

	if (len < SIZEOF_ETH_HDR + sizeof(ah))
		return;
	memcpy(&ah, frame + SIZEOF_ETH_HDR, sizeof(ah));
	if (ah.opcode == PP_HTONS(ARP_REQUEST))
		net_tick_aux(ARP_REQUEST_S);
}

/* ---- send large segments */

static void large_sent(void *cookie)
{
	pbuf_free(cookie);
}

/* The MSS of the connection that the segment belongs to; 0: there is none any more. */
static unsigned mss_of(const struct ip_hdr *ip, const struct tcp_hdr *th)
{
	ip_addr_t src, dst;

	if (IPH_V(ip) == 6) {
		const struct ip6_hdr *ip6 = (const void *)ip;

		ip_addr_copy_from_ip6_packed(src, ip6->src);
		ip_addr_copy_from_ip6_packed(dst, ip6->dest);
	} else {
		src = addr_v4(ip->src.addr);
		dst = addr_v4(ip->dest.addr);
	}
	const struct tcp_pcb *pcb =
		demux_find(&src, lwip_ntohs(th->src), &dst, lwip_ntohs(th->dest));
	return pcb ? pcb->mss : 0;
}

/* The list of pieces behind the device's header; false: there are too many, or no room in front. */
static bool list_parts(struct vnet_large *f, struct pbuf *p)
{
	if (pbuf_add_header(p, VNET_HDR_BYTES) != 0)
		return false;
	f->parts = 0;
	for (struct pbuf *q = p; q && f->parts < VNET_PARTS_MAX; q = q->next)
		f->part[f->parts++] = (struct vq_buf){q->payload, q->len};
	bool all = f->parts == pbuf_clen(p);
	pbuf_remove_header(p, VNET_HDR_BYTES);
	return all;
}

static err_t queue_large(struct vnet_large *f, struct pbuf *p)
{
	pbuf_ref(p);
	f->cookie = p;
	if (vnet_tx_large(f, large_sent) == 0)
		return ERR_OK;
	pbuf_free(p);
	return ERR_MEM;
}

/* A TCP segment for the device to cut, by reference; headers are in the first pbuf (lwIP builds them there). */
static err_t large_output(struct pbuf *p)
{
	static struct vnet_large f; /* large: not on the stack */
	char *frame = p->payload;
	const struct ip_hdr *ip = (const void *)(frame + SIZEOF_ETH_HDR);

	if (!vnet_tx_tso(IPH_V(ip) == 6) || p->len < SIZEOF_ETH_HDR + IP_HLEN + TCP_HLEN)
		return ERR_BUF;
	f.csum_start = partial_csum(frame, p->tot_len, &f.csum_offset);
	if (f.csum_start == 0 || f.csum_offset != offsetof(struct tcp_hdr, chksum) ||
		p->len < f.csum_start + TCP_HLEN)
		return ERR_BUF;
	f.ip6 = IPH_V(ip) == 6;
	const struct tcp_hdr *th = (const void *)(frame + f.csum_start);
	f.gso_size = mss_of(ip, th);
	f.hdr_len = f.csum_start + TCPH_HDRLEN_BYTES(th);
	if (f.gso_size == 0)
		return ERR_CONN;
	if (list_parts(&f, p))
		return queue_large(&f, p);
	struct pbuf *copy =
		pbuf_alloc(PBUF_RAW_TX, p->tot_len, PBUF_RAM); /* of many small writes */
	if (!copy)
		return ERR_MEM;
	pbuf_copy(copy, p);
	err_t err = list_parts(&f, copy) ? queue_large(&f, copy) : ERR_BUF;
	pbuf_free(copy);
	return err;
}

/* Called by lwIP in place of ip4_frag(): the packet is larger than the MTU. */
err_t net_ip4_frag(struct pbuf *p, struct netif *netif, const ip4_addr_t *dest);
err_t net_ip4_frag(struct pbuf *p, struct netif *netif, const ip4_addr_t *dest)
{
	const struct ip_hdr *ip = p->payload;

	if (netif == &eth && vnet_tx_tso(false) && IPH_PROTO(ip) == IP_PROTO_TCP)
		return netif->output(netif, p, dest);
	return ip4_frag(p, netif, dest);
}

/* The same for ip6_frag(). */
err_t net_ip6_frag(struct pbuf *p, struct netif *netif, const ip6_addr_t *dest);
err_t net_ip6_frag(struct pbuf *p, struct netif *netif, const ip6_addr_t *dest)
{
	const struct ip6_hdr *ip = p->payload;

	if (netif == &eth && vnet_tx_tso(true) && IP6H_NEXTH(ip) == IP6_NEXTH_TCP)
		return netif->output_ip6(netif, p, dest);
	return ip6_frag(p, netif, dest);
}

static err_t frame_output(struct netif *netif, struct pbuf *p)
{
	size_t len = p->tot_len;

	if (len > SIZEOF_ETH_HDR + (size_t)netif->mtu)
		return large_output(p);
	unsigned start = 0, offset = 0;
	struct eth_hdr eh;
	char *frame = vnet_tx_frame(len);

	if (!frame)
		return ERR_MEM;
	pbuf_copy_partial(p, frame, (u16_t)len, 0);
	memcpy(&eh, frame, sizeof(eh));
	if (eh.type == PP_HTONS(ETHTYPE_ARP))
		note_arp(frame, len);
	else if (eh.type == PP_HTONS(ETHTYPE_IP))
		event_step(UIG_STEP_SENT);
	if (vnet_tx_csum() &&
		(eh.type == PP_HTONS(ETHTYPE_IP) || eh.type == PP_HTONS(ETHTYPE_IPV6)))
		start = partial_csum(frame, len, &offset);
	return vnet_tx_send(frame, len, start, offset) < 0 ? ERR_MEM : ERR_OK;
}

/* ---- start */

static err_t eth_up(struct netif *netif)
{
	netif->name[0] = 'e';
	netif->name[1] = 't';
	netif->output = etharp_output;
	netif->output_ip6 = nd6_output;
	netif->linkoutput = frame_output;
	netif->mtu = eth_mtu;
	netif->hwaddr_len = ETH_HWADDR_LEN;
	netif->flags =
		NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
	u16_t gen = NETIF_CHECKSUM_GEN_IP | NETIF_CHECKSUM_GEN_ICMP | NETIF_CHECKSUM_GEN_ICMP6;
	if (!vnet_tx_csum())
		gen |= NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP;
	NETIF_SET_CHECKSUM_CTRL(netif, gen);
	return ERR_OK;
}

/* Who gave us the gateway's MAC has seen to it that it is right: the first answer goes out without a question before it. */
static void know_gateway(const struct net_config *config)
{
	static const uint8_t none[ETH_HWADDR_LEN];
	const ip4_addr_t gw = {config->gateway};
	struct eth_addr mac;

	memcpy(mac.addr, config->gateway_mac, sizeof(mac.addr));
	if (config->gateway && memcmp(mac.addr, none, sizeof(none)))
		etharp_add_static_entry(&gw, &mac);
}

void eth_configure(const struct net_config *config, const uint8_t *mac)
{
	ip4_addr_t ip = {config->ip}, mask = {config->mask}, gw = {config->gateway};
	bool same = netif_ip4_addr(&eth)->addr == config->ip;

	if (mac)
		memcpy(eth.hwaddr, mac, ETH_HWADDR_LEN);
	if (!ip4_addr_cmp(&gw, netif_ip4_gw(&eth)) || !ip4_addr_cmp(&mask, netif_ip4_netmask(&eth)))
		etharp_cleanup_netif(
			&eth); /* another network: what was known of its neighbours is not true here */
	netif_set_addr(&eth, &ip, &mask, &gw); /* resets the connections of an address that goes */
	nd6_configure(&eth, config);
	if (netif_is_up(&eth))
		know_gateway(config);
	if (same && netif_is_up(&eth) && config->ip)
		etharp_gratuitous(&eth); /* a new address is announced by lwIP itself */
}

int eth_init(const struct uig_device *dev, const struct net_config *config)
{
	ip4_addr_t any = {0};
	uint8_t mac[6];

	memcpy(mac, dev->mac, sizeof(mac));
	int rc = vnet_open(dev, mac, frame_input);
	if (rc < 0)
		return rc;
	eth_mtu = dev->mtu >= 576 && dev->mtu < MTU_DEFAULT ? dev->mtu : MTU_DEFAULT;
	if (!netif_add(&eth, &any, &any, &any, NULL, eth_up, NULL))
		return -ENOMEM;
	eth_exists = true;
	memcpy(eth.hwaddr, mac, sizeof(mac));
	netif_set_default(&eth);
	if (config)
		eth_configure(config, NULL);
	netif_set_up(&eth); /* announces the address: neighbours may know it with an old MAC */
	if (config)
		know_gateway(config);
	return 0;
}
