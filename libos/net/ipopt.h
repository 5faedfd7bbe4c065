/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the levels SOL_IP and SOL_IPV6, the same for TCP and UDP (ip(7), ipv6(7)). */
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
	/* SOL_IPV6 */
	bool v6only, mc_loop6, recvpktinfo6, recvhops, recvtclass, recverr6, freebind6;
	uint8_t tclass, mtu_discover6;
	int16_t hops, mc_hops; /* -1: the default */
	int mc_if6;            /* interface; 0: by route */
};

void ipopt_init(struct ip_options *o);
int ipopt_set(struct ip_options *o, int name, const void *val, unsigned len);
int ipopt_get(const struct ip_options *o, int name, void *val, unsigned *len);
/* bound: it is too late for IPV6_V6ONLY. Groups are not done here. */
int ip6opt_set(struct ip_options *o, int name, const void *val, unsigned len, bool bound);
int ip6opt_get(const struct ip_options *o, int name, void *val, unsigned *len);
static inline uint8_t ipopt_hops(const struct ip_options *o)
{
	return o->hops < 0 ? 64 : (uint8_t)o->hops;
}
static inline uint8_t ipopt_mc_hops(const struct ip_options *o)
{
	return o->mc_hops < 0 ? 1 : (uint8_t)o->mc_hops;
}
static inline uint8_t ipopt_ttl(const struct ip_options *o)
{
	return o->ttl ? o->ttl : 64;
}

#endif
