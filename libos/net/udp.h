/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets: the structure, and the way errors of the network reach them. */
#ifndef LIBOS_NET_UDP_H
#define LIBOS_NET_UDP_H

#include "libos/net/ipopt.h"
#include "libos/net/ports.h"
#include "libos/net/sock.h"

struct udp_pcb;

struct udp_sock {
	struct sock s;
	struct udp_pcb *pcb;
	struct port_bind bind;
	bool autobound; /* not by bind() */
	ip_addr_t laddr, raddr;
	uint16_t rport;    /* host order; 0: not connected */
	struct list queue; /* of received datagrams */
	uint32_t charged;  /* bytes of them, against rcvbuf */
	struct ip_options ip;
	struct list groups; /* net/group6.c */
	struct list link;   /* in the list of all */
};

/* An ICMP message says that what was sent from port lport to raddr:rport did not arrive: err (positive) to the connected socket. */
void udp_unreachable(uint16_t lport, const ip_addr_t *raddr, uint16_t rport, int err);

/* All sockets, one after the other: the first after NULL, NULL after the last. */
struct udp_sock *udp_next(const struct udp_sock *u);

#endif
