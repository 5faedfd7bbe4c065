/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/net_filter.h"

#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#define ETHERTYPE_QINQ  0x88a8u
#define ARP_FRAME_BYTES 42u /* with the Ethernet header (RFC 826) */
#define IP4_BYTES       20u
#define IP6_BYTES       40u
#define TCP_BYTES       20u
#define UDP_BYTES       8u
#define IP4_FRAGMENT    0x3fffu /* more fragments, offset */
#define NS_BYTES                                                                                   \
	24u /* neighbour solicitation and advertisement, without options (RFC 4861, 4.3, 4.4) */
#define MLD_V2_REPORT 143u /* RFC 3810 */
#define GSO_SIZE_MIN                                                                               \
	48u /* the least MSS that Linux sends: bounds the frames that one of ours becomes */
#define TCP_CSUM_OFFSET 16u
#define UDP_CSUM_OFFSET 6u

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n > 0)
		if (p[--n] != 0)
			return false;
	return true;
}

/* ---- source */

static bool is_own_ip(const struct net_identity *id, const uint8_t *ip)
{
	/* an ARP probe has none yet (RFC 5227) */
	return is_zero(id->ip, 4) || memcmp(ip, id->ip, 4) == 0 || is_zero(ip, 4);
}

static bool is_own_ip6(const struct net_identity *id, const uint8_t *ip)
{
	const uint8_t *m = id->mac;
	const uint8_t link_local[16] = {
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};

	return memcmp(ip, link_local, 16) == 0 ||
		(!is_zero(id->ip6, 16) && memcmp(ip, id->ip6, 16) == 0);
}

/* Options of neighbour discovery: a link-layer address is ours (RFC 4861, 4.6). */
static bool options_ok(const struct net_identity *id, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t len = n >= 8 ? p[1] * 8u : 0;

		if (len == 0 || len > n)
			return false;
		if ((p[0] == ND_OPT_SOURCE_LINKADDR || p[0] == ND_OPT_TARGET_LINKADDR) &&
			memcmp(p + 2, id->mac, 6) != 0)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/* p[0..n): all of the packet behind the IPv6 header, at least its first 8 bytes. */
static bool icmp6_ok(const struct net_identity *id, const uint8_t *p, size_t n, size_t whole)
{
	switch (p[0]) {
	case ND_ROUTER_ADVERT:
	case ND_REDIRECT:
		return false;
	case ND_NEIGHBOR_ADVERT:
		return n == whole && n >= NS_BYTES && is_own_ip6(id, p + 8) &&
			options_ok(id, p + NS_BYTES, n - NS_BYTES);
	case ND_NEIGHBOR_SOLICIT:
		return n == whole && n >= NS_BYTES && options_ok(id, p + NS_BYTES, n - NS_BYTES);
	case ND_ROUTER_SOLICIT:
		return n == whole && options_ok(id, p + 8, n - 8);
	default:
		return true;
	}
}

/* Reports of multicast groups stand behind a hop-by-hop header; nothing else does. */
static bool hop_by_hop_ok(const uint8_t *p, size_t n)
{
	unsigned type;

	if (p[0] != IPPROTO_ICMPV6 || p[1] != 0 || n < 16)
		return false;
	type = p[8];
	return type == MLD_LISTENER_REPORT || type == MLD_LISTENER_REDUCTION ||
		type == MLD_V2_REPORT;
}

/* Extension headers that could hide what follows are not let through. */
static bool is_own_packet6(const struct net_identity *id, const uint8_t *ip, size_t n)
{
	const uint8_t *p = ip + IP6_BYTES;
	size_t whole = n >= IP6_BYTES ? be16(ip + 4) : 0, left;
	bool unspecified;

	if (n < IP6_BYTES + 8 || ip[0] >> 4 != 6)
		return false;
	unspecified = is_zero(ip + 8, 16);
	if (!unspecified && !is_own_ip6(id, ip + 8))
		return false;
	left = n - IP6_BYTES < whole ? n - IP6_BYTES : whole; /* padding follows short packets */
	if (left < 8)
		return false;
	switch (ip[6]) {
	case IPPROTO_ICMPV6: /* without an address: is mine free? (RFC 4862, 5.4) */
		return (!unspecified || p[0] == ND_NEIGHBOR_SOLICIT) &&
			icmp6_ok(id, p, left, whole);
	case IPPROTO_HOPOPTS:
		return hop_by_hop_ok(p, left);
	case IPPROTO_FRAGMENT:
		return !unspecified && (p[0] == IPPROTO_TCP || p[0] == IPPROTO_UDP);
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return !unspecified;
	default:
		return false;
	}
}

bool net_filter_source(const struct net_identity *id, const uint8_t *head, size_t n)
{
	if (memcmp(head + 6, id->mac, 6) != 0)
		return false;
	switch (be16(head + 12)) {
	case ETHERTYPE_ARP: /* sender's addresses */
		return n >= ARP_FRAME_BYTES && memcmp(head + 22, id->mac, 6) == 0 &&
			is_own_ip(id, head + 28);
	case ETHERTYPE_IP:
		return n >= ETH_HEADER_BYTES + IP4_BYTES && is_own_ip(id, head + 26);
	case ETHERTYPE_IPV6:
		return is_own_packet6(id, head + ETH_HEADER_BYTES, n - ETH_HEADER_BYTES);
	case ETHERTYPE_VLAN: /* a tag would hide what follows */
	case ETHERTYPE_QINQ:
		return false;
	default:
		return true;
	}
}

/* ---- header */

/* The transport header of a packet that is not a fragment. */
struct transport {
	unsigned gso_type; /* of TCP on this version of IP */
	unsigned protocol; /* IPPROTO_ */
	size_t at;         /* in the frame */
};

static bool find_transport(const uint8_t *head, size_t n, struct transport *t)
{
	const uint8_t *ip = head + ETH_HEADER_BYTES;
	unsigned type = be16(head + 12);

	if (type == ETHERTYPE_IP && n >= ETH_HEADER_BYTES + IP4_BYTES && ip[0] >> 4 == 4 &&
		(ip[0] & 15u) * 4 >= IP4_BYTES && (be16(ip + 6) & IP4_FRAGMENT) == 0) {
		*t = (struct transport){
			VIRTIO_NET_HDR_GSO_TCPV4, ip[9], ETH_HEADER_BYTES + (ip[0] & 15u) * 4};
		return true;
	}
	if (type == ETHERTYPE_IPV6 && n >= ETH_HEADER_BYTES + IP6_BYTES && ip[0] >> 4 == 6) {
		*t = (struct transport){
			VIRTIO_NET_HDR_GSO_TCPV6, ip[6], ETH_HEADER_BYTES + IP6_BYTES};
		return true;
	}
	return false;
}

static int check_gso(uint64_t features, const struct virtio_net_hdr *in, const struct transport *t,
	const uint8_t *head, size_t n, size_t len, struct virtio_net_hdr *out)
{
	unsigned feature = t->gso_type == VIRTIO_NET_HDR_GSO_TCPV4 ? VIRTIO_NET_F_HOST_TSO4
								   : VIRTIO_NET_F_HOST_TSO6;
	size_t header;

	if (in->gso_type != t->gso_type || !(features & VIRTIO_BIT(feature)) ||
		t->protocol != IPPROTO_TCP || in->gso_size < GSO_SIZE_MIN)
		return -EINVAL;
	header = t->at + (head[t->at + 12] >> 4) * 4u;
	if (header < t->at + TCP_BYTES || header > n || header >= len)
		return -EINVAL;
	out->gso_type = in->gso_type;
	out->gso_size = in->gso_size;
	out->hdr_len = (uint16_t)header;
	return 0;
}

int net_filter_header(uint64_t features, const struct virtio_net_hdr *in, const uint8_t *head,
	size_t n, size_t len, struct virtio_net_hdr *out)
{
	struct transport t;
	bool tcp;

	*out = (struct virtio_net_hdr){0};
	if (!(features & VIRTIO_BIT(VIRTIO_NET_F_CSUM)) ||
		!(in->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return in->gso_type == VIRTIO_NET_HDR_GSO_NONE ? 0 : -EINVAL;
	if (!find_transport(head, n, &t))
		return -EINVAL;
	tcp = t.protocol == IPPROTO_TCP;
	if ((!tcp && t.protocol != IPPROTO_UDP) || n < t.at + (tcp ? TCP_BYTES : UDP_BYTES) ||
		in->csum_start != t.at ||
		in->csum_offset != (tcp ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET))
		return -EINVAL;
	out->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	out->csum_start = in->csum_start;
	out->csum_offset = in->csum_offset;
	return in->gso_type == VIRTIO_NET_HDR_GSO_NONE
		? 0
		: check_gso(features, in, &t, head, n, len, out);
}
