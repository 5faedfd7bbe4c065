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
	uint32_t laddr, raddr; /* network order */
	uint16_t rport;        /* host order; 0: not connected */
	struct list queue;     /* of received datagrams */
	uint32_t charged;      /* bytes of them, against rcvbuf */
	struct ip_options ip;
	struct list link; /* in the list of all */
};

/* An ICMP message says that what was sent from laddr:lport to raddr:rport did not arrive: err (positive) to the connected socket. */
void udp_unreachable(uint32_t laddr, uint16_t lport, uint32_t raddr, uint16_t rport, int err);

#endif
