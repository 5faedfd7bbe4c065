/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which local port: one record per bound socket, TCP and UDP. lwIP's own check walks all connections and knows neither
 * SO_REUSEPORT nor Linux's rule for listening sockets; it is not asked.
 */
#ifndef LIBOS_NET_PORTS_H
#define LIBOS_NET_PORTS_H

#include "libos/klib/list.h"

#include <lwip/ip_addr.h>
#include <stdbool.h>
#include <stdint.h>

#define PORT_EPHEMERAL_FIRST 32768u /* net.ipv4.ip_local_port_range */
#define PORT_EPHEMERAL_LAST  60999u

struct port_bind {
	struct list link; /* self-linked: not bound */
	int protocol;     /* IPPROTO_TCP or IPPROTO_UDP */
	ip_addr_t addr;
	uint16_t port; /* host order */
	bool reuseaddr, reuseport, listening;
};

void port_init(struct port_bind *b, int protocol);
/* Takes addr:port (port 0: a free one). 0 or -EADDRINUSE. */
int port_take(struct port_bind *b, const ip_addr_t *addr, uint16_t port);
/* Takes a free port for a connection to raddr:rport: the four together are unique. 0, -EADDRNOTAVAIL. */
int port_take_for(
	struct port_bind *b, const ip_addr_t *addr, const ip_addr_t *raddr, uint16_t rport);
/* May it listen where it is bound? 0 or -EADDRINUSE. */
int port_listen(struct port_bind *b);
void port_drop(struct port_bind *b);
static inline bool port_bound(const struct port_bind *b)
{
	return !list_empty(&b->link);
}

#endif
