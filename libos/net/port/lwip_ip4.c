/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's ip4.c; large segments are not fragmented (net/eth.c). */
#include <lwip/opt.h>
#include <lwip/ip4_frag.h>

err_t net_ip4_frag(struct pbuf *p, struct netif *netif, const ip4_addr_t *dest);
#define ip4_frag net_ip4_frag

#include <core/ipv4/ip4.c>
