/* SPDX-License-Identifier: Apache-2.0 */
/* Options of level SOL_IP. There are no multicast groups to join: the instance's neighbours are reached by unicast. */
#include "libos/net/ipopt.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/sock.h"

void ipopt_init(struct ip_options *o)
{
	*o = (struct ip_options){
		.mc_ttl = 1,
		.mc_loop = true,
		.mtu_discover = 1,
		.mc_loop6 = true,
		.mtu_discover6 = 1,
		.hops = -1,
		.mc_hops = -1,
	};
}

/* Many of these may be given as one byte. */
static int byte_or_int(const void *val, unsigned len, int *v)
{
	uint8_t b;

	if (len >= sizeof(int))
		return opt_int(val, len, v);
	if (len < 1)
		return -EINVAL;
	memcpy(&b, val, 1);
	*v = b;
	return 0;
}

static int set_mc_if(struct ip_options *o, const void *val, unsigned len)
{
	/* struct in_addr, struct ip_mreq (address second) or struct ip_mreqn (the same place) */
	if (len < 4)
		return -EINVAL;
	memcpy(&o->mc_if, (const char *)val + (len >= 8 ? 4 : 0), 4);
	return 0;
}

int ipopt_set(struct ip_options *o, int name, const void *val, unsigned len)
{
	int v, rc;

	if (name == IP_MULTICAST_IF)
		return set_mc_if(o, val, len);
	if (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)
		return len < 8 ? -EINVAL : name == IP_ADD_MEMBERSHIP ? -ENODEV : -EADDRNOTAVAIL;
	rc = byte_or_int(val, len, &v);
	if (rc < 0)
		return rc;
	switch (name) {
	case IP_TOS:
		o->tos = (uint8_t)v;
		return 0;
	case IP_TTL:
		if (v != -1 && (v < 1 || v > 255))
			return -EINVAL;
		o->ttl = v == -1 ? 0 : (uint8_t)v;
		return 0;
	case IP_MULTICAST_TTL:
		if (v < -1 || v > 255)
			return -EINVAL;
		o->mc_ttl = v == -1 ? 1 : (uint8_t)v;
		return 0;
	case IP_MULTICAST_LOOP:
		o->mc_loop = v != 0;
		return 0;
	case IP_RECVERR:
		o->recverr = v != 0;
		return 0;
	case IP_PKTINFO:
		o->pktinfo = v != 0;
		return 0;
	case IP_RECVTTL:
		o->recvttl = v != 0;
		return 0;
	case IP_RECVTOS:
		o->recvtos = v != 0;
		return 0;
	case IP_FREEBIND:
		o->freebind = v != 0;
		return 0;
	case IP_MTU_DISCOVER:
		if (v < 0 || v > 5)
			return -EINVAL;
		o->mtu_discover = (uint8_t)v;
		return 0;
	case IP_TRANSPARENT:
	case IP_MULTICAST_ALL:
	case IP_BIND_ADDRESS_NO_PORT:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ipopt_get(const struct ip_options *o, int name, void *val, unsigned *len)
{
	switch (name) {
	case IP_TOS:
		return opt_put_int(val, len, o->tos);
	case IP_TTL:
		return opt_put_int(val, len, ipopt_ttl(o));
	case IP_MULTICAST_TTL:
		return opt_put_int(val, len, o->mc_ttl);
	case IP_MULTICAST_LOOP:
		return opt_put_int(val, len, o->mc_loop);
	case IP_RECVERR:
		return opt_put_int(val, len, o->recverr);
	case IP_PKTINFO:
		return opt_put_int(val, len, o->pktinfo);
	case IP_RECVTTL:
		return opt_put_int(val, len, o->recvttl);
	case IP_RECVTOS:
		return opt_put_int(val, len, o->recvtos);
	case IP_FREEBIND:
		return opt_put_int(val, len, o->freebind);
	case IP_MTU_DISCOVER:
		return opt_put_int(val, len, o->mtu_discover);
	case IP_MULTICAST_IF:
		if (*len < 4)
			return -EINVAL;
		*len = 4;
		memcpy(val, &o->mc_if, 4);
		return 0;
	case IP_MULTICAST_ALL:
		return opt_put_int(val, len, 1);
	case IP_TRANSPARENT:
	case IP_BIND_ADDRESS_NO_PORT:
		return opt_put_int(val, len, 0);
	default:
		return -ENOPROTOOPT;
	}
}
