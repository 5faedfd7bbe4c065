/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 below the sockets: eth0's addresses, routes, and neighbours (RFC 4861), in place of lwIP's nd6.c. There is one link with one
 * prefix and at most one router, and all of that is given at the start: router advertisements and redirects are not listened to, and no
 * timer runs but while an answer is awaited.
 *
 * With nd6=static a neighbour's MAC is taken from its address (EUI-64, RFC 4291 appendix A) and nobody is asked; others are asked, and
 * asked again when they are needed after KNOWN_NS.
 */
#ifndef LIBOS_NET_ND6_H
#define LIBOS_NET_ND6_H

#include "libos/drv/net.h"

#include <lwip/ip6_addr.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>

/* eth0's link-local address from its MAC, and what was given; forgets all neighbours. */
void nd6_configure(struct netif *netif, const struct net_config *config);
/* netif->output_ip6 of eth0: takes no reference unless it waits for the neighbour. */
err_t nd6_output(struct netif *netif, struct pbuf *p, const ip6_addr_t *dest);
/* Once a second while net_tick_aux() runs. */
void nd6_second(void);

/* Prefix length of eth0's address; the router, NULL: none. */
unsigned nd6_prefix(void);
const ip6_addr_t *nd6_gateway(void);

#endif
