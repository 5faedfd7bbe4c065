/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the network for the sockets. */
#ifndef LIBOS_NET_ICMP_H
#define LIBOS_NET_ICMP_H

#include <stdbool.h>

struct pbuf;

/* An ICMP packet has come in; p->payload is its IP header of ip_hlen bytes. lwIP sees the packet afterwards. verify: it came over a
 * wire and has a checksum. */
void net_icmp_error(const struct pbuf *p, unsigned ip_hlen, bool verify);

/* The same for ICMPv6; p->payload is the IPv6 header, with nothing between it and the message. */
void net_icmp6_error(struct pbuf *p, bool verify);

#endif
