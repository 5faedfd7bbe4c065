/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Destination unreachable" of ICMP (RFC 792) and ICMPv6 (RFC 4443) for the sockets: lwIP takes no notice of it. A connected UDP socket gets the error (a refused
 * datagram, as a resolver wants to know), a TCP connection only while it is being made, and only if the quoted sequence number is its
 * own (RFC 5927: anybody can send such a message).
 */
#include "libos/net/icmp.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/addr.h"
#include "libos/net/demux.h"
#include "libos/net/udp.h"

#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>

#define QUOTED_BYTES 8u /* of the transport header, at least */

static int errno_of_code(unsigned code)
{
	switch (code) {
	case 0: /* net unreachable */
		return ENETUNREACH;
	case 3: /* port unreachable */
		return ECONNREFUSED;
	case 2: /* protocol unreachable */
		return ENOPROTOOPT;
	default:
		return EHOSTUNREACH;
	}
}

/* What a message quotes: the packet that did not arrive, and the first bytes behind its header. */
struct quote {
	ip_addr_t src, dest;
	unsigned proto;
	uint16_t port[2]; /* ours, the peer's; network order */
	uint32_t seq;
};

static void tcp_unreachable(const struct quote *q, int err)
{
	struct tcp_pcb *pcb =
		demux_find(&q->src, lwip_ntohs(q->port[0]), &q->dest, lwip_ntohs(q->port[1]));

	if (!pcb || pcb->state != SYN_SENT || !pcb->unacked ||
		pcb->unacked->tcphdr->seqno != q->seq)
		return;
	tcp_err_fn errf = pcb->errf;
	void *arg = pcb->callback_arg;
	tcp_err(pcb, NULL);
	tcp_abandon(pcb, 0);
	if (errf)
		errf(arg, err == ECONNREFUSED ? ERR_RST : ERR_RTE);
}

static void unreachable(const struct quote *q, int err)
{
	if (q->proto == IP_PROTO_UDP)
		udp_unreachable(lwip_ntohs(q->port[0]), &q->dest, lwip_ntohs(q->port[1]), err);
	else if (q->proto == IP_PROTO_TCP)
		tcp_unreachable(q, err);
}

static void read_quoted(struct quote *q, const unsigned char *transport)
{
	memcpy(q->port, transport, sizeof(q->port));
	memcpy(&q->seq, transport + 4, sizeof(q->seq));
}

void net_icmp_error(const struct pbuf *p, unsigned ip_hlen, bool verify)
{
	const unsigned char *icmp = (const unsigned char *)p->payload + ip_hlen;
	size_t len = p->len > ip_hlen ? p->len - ip_hlen : 0;
	struct ip_hdr ip;

	if (len < 8 + IP_HLEN + QUOTED_BYTES || icmp[0] != ICMP_DUR)
		return;
	if (verify && inet_chksum(icmp, (u16_t)len) != 0)
		return;
	memcpy(&ip, icmp + 8, sizeof(ip));
	size_t inner = 8 + IPH_HL_BYTES(&ip);
	if (IPH_V(&ip) != 4 || IPH_HL_BYTES(&ip) < IP_HLEN || inner + QUOTED_BYTES > len)
		return;
	struct quote q = {.src = addr_v4(ip.src.addr),
		.dest = addr_v4(ip.dest.addr),
		.proto = IPH_PROTO(&ip)};
	read_quoted(&q, icmp + inner);
	unreachable(&q, errno_of_code(icmp[1]));
}

/* RFC 4443, 3.1 */
static int errno_of_code6(unsigned code)
{
	switch (code) {
	case 0: /* no route */
		return ENETUNREACH;
	case 1: /* prohibited */
	case 5: /* source address failed policy */
	case 6: /* route rejects */
		return EACCES;
	case 4: /* port unreachable */
		return ECONNREFUSED;
	default:
		return EHOSTUNREACH;
	}
}

static bool checksum6_ok(struct pbuf *p)
{
	ip6_addr_t src, dest;
	const struct ip6_hdr *ip = p->payload;

	ip6_addr_copy_from_packed(src, ip->src);
	ip6_addr_copy_from_packed(dest, ip->dest);
	pbuf_remove_header(p, IP6_HLEN);
	u16_t sum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->tot_len, &src, &dest);
	pbuf_add_header_force(p, IP6_HLEN);
	return sum == 0;
}

void net_icmp6_error(struct pbuf *p, bool verify)
{
	const struct ip6_hdr *outer = p->payload;
	const unsigned char *icmp = (const unsigned char *)p->payload + IP6_HLEN;
	size_t len = p->len > IP6_HLEN ? p->len - IP6_HLEN : 0;
	struct ip6_hdr ip;

	if (len < 8 + IP6_HLEN + QUOTED_BYTES || icmp[0] != ICMP6_TYPE_DUR ||
		IP6H_PLEN(outer) != p->tot_len - IP6_HLEN)
		return;
	if (verify && !checksum6_ok(p))
		return;
	memcpy(&ip, icmp + 8, sizeof(ip));
	if (IP6H_V(&ip) != 6)
		return;
	struct quote q = {.proto = IP6H_NEXTH(&ip)};
	ip_addr_copy_from_ip6_packed(q.src, ip.src);
	ip_addr_copy_from_ip6_packed(q.dest, ip.dest);
	read_quoted(&q, icmp + 8 + IP6_HLEN);
	unreachable(&q, errno_of_code6(icmp[1]));
}
