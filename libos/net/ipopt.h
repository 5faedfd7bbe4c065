/* SPDX-License-Identifier: Apache-2.0 */
/* Options of level SOL_IP, the same for TCP and UDP (ip(7)). */
#ifndef LIBOS_NET_IPOPT_H
#define LIBOS_NET_IPOPT_H

#include <stdbool.h>
#include <stdint.h>

struct ip_options {
	uint8_t tos, ttl; /* ttl 0: the default, 64 */
	uint8_t mc_ttl;   /* ttl of multicast */
	bool mc_loop, recverr, pktinfo, freebind, recvttl, recvtos;
	uint8_t mtu_discover;
	uint32_t mc_if; /* network order */
};

void ipopt_init(struct ip_options *o);
int ipopt_set(struct ip_options *o, int name, const void *val, unsigned len);
int ipopt_get(const struct ip_options *o, int name, void *val, unsigned *len);
static inline uint8_t ipopt_ttl(const struct ip_options *o)
{
	return o->ttl ? o->ttl : 64;
}

#endif
