/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP's ip6.c. Routes are ours (net/nd6.c), large segments are not fragmented (net/eth.c), and multicast groups are asked for where
 * lwIP would ask its MLD, which is not there: the headers above are read without it, the code below with it.
 */
#include <lwip/opt.h>
#include <lwip/icmp6.h>
#include <lwip/ip6.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/udp.h>

#include "libos/net/group6.h"

err_t net_ip6_frag(struct pbuf *p, struct netif *netif, const ip6_addr_t *dest);
#define ip6_frag net_ip6_frag

struct netif *lwip_ip6_route(const ip6_addr_t *src, const ip6_addr_t *dest);
#define ip6_route            lwip_ip6_route /* not used: ip6_route() is in net/nd6.c */
#define nd6_find_route(dest) NULL

#undef LWIP_IPV6_MLD
#define LWIP_IPV6_MLD                    1
#define mld6_lookfor_group(netif, group) group6_accepts(netif, group)

#include <core/ipv6/ip6.c>
