/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP "destination unreachable" (RFC 792) for the sockets: lwIP takes no notice of it. A connected UDP socket gets the error (a refused
 * datagram, as a resolver wants to know), a TCP connection only while it is being made, and only if the quoted sequence number is its
 * own (RFC 5927: anybody can send such a message).
 */
#include "libos/net/icmp.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/demux.h"
#include "libos/net/udp.h"

#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ip4.h>
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

static void tcp_unreachable(
	const struct ip_hdr *ip, uint16_t lport, uint16_t rport, uint32_t seq, int err)
{
	struct tcp_pcb *pcb = demux_find(ip->src.addr, lport, ip->dest.addr, rport);

	if (!pcb || pcb->state != SYN_SENT || !pcb->unacked || pcb->unacked->tcphdr->seqno != seq)
		return;
	tcp_err_fn errf = pcb->errf;
	void *arg = pcb->callback_arg;
	tcp_err(pcb, NULL);
	tcp_abandon(pcb, 0);
	if (errf)
		errf(arg, err == ECONNREFUSED ? ERR_RST : ERR_RTE);
}

void net_icmp_error(const struct pbuf *p, unsigned ip_hlen, bool verify)
{
	const unsigned char *icmp = (const unsigned char *)p->payload + ip_hlen;
	size_t len = p->len > ip_hlen ? p->len - ip_hlen : 0;
	struct ip_hdr ip;
	uint16_t port[2];
	uint32_t seq;

	if (len < 8 + IP_HLEN + QUOTED_BYTES || icmp[0] != ICMP_DUR)
		return;
	if (verify && inet_chksum(icmp, (u16_t)len) != 0)
		return;
	memcpy(&ip, icmp + 8, sizeof(ip));
	size_t inner = 8 + IPH_HL_BYTES(&ip);
	if (IPH_V(&ip) != 4 || IPH_HL_BYTES(&ip) < IP_HLEN || inner + QUOTED_BYTES > len)
		return;
	memcpy(port, icmp + inner, sizeof(port));
	memcpy(&seq, icmp + inner + 4, sizeof(seq));
	int err = errno_of_code(icmp[1]);
	if (IPH_PROTO(&ip) == IP_PROTO_UDP)
		udp_unreachable(
			ip.src.addr, lwip_ntohs(port[0]), ip.dest.addr, lwip_ntohs(port[1]), err);
	else if (IPH_PROTO(&ip) == IP_PROTO_TCP)
		tcp_unreachable(&ip, lwip_ntohs(port[0]), lwip_ntohs(port[1]), seq, err);
}
