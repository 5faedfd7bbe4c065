/* SPDX-License-Identifier: Apache-2.0 */
/* What lwIP asks of us at its hook points; included by its sources (LWIP_HOOK_FILENAME). */
#ifndef LIBOS_NET_PORT_HOOKS_H
#define LIBOS_NET_PORT_HOOKS_H

#include <lwip/ip_addr.h>

struct pbuf;
struct netif;

/* Initial sequence number (RFC 6528): a clock plus a keyed hash of the connection. */
u32_t net_tcp_isn(const ip_addr_t *lip, u16_t lport, const ip_addr_t *rip, u16_t rport);
#define LWIP_HOOK_TCP_ISN(lip, lport, rip, rport) net_tcp_isn(lip, lport, rip, rport)

/* 1: the packet was dropped (and freed): loopback addresses from outside. */
int net_ip4_filter(struct pbuf *p, struct netif *inp);
#define LWIP_HOOK_IP4_INPUT(p, inp) net_ip4_filter(p, inp)

/* The same for IPv6: loopback addresses from outside, and what lwIP's parser shall not see. */
int net_ip6_filter(struct pbuf *p, struct netif *inp);
#define LWIP_HOOK_IP6_INPUT(p, inp) net_ip6_filter(p, inp)

#endif
