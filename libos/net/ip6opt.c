/* SPDX-License-Identifier: Apache-2.0 */
/* Options of level SOL_IPV6 (ipv6(7), RFC 3493, RFC 3542). Groups are the UDP sockets' (net/group6.c). */
#include "libos/klib/errno.h"
#include "libos/net/iface.h"
#include "libos/net/ipopt.h"
#include "libos/net/sock.h"

static int set_range(int16_t *field, int v)
{
	if (v < -1 || v > 255)
		return -EINVAL;
	*field = (int16_t)v;
	return 0;
}

static bool *flag_of(struct ip_options *o, int name)
{
	switch (name) {
	case IPV6_V6ONLY:
		return &o->v6only;
	case IPV6_RECVERR:
		return &o->recverr6;
	case IPV6_RECVPKTINFO:
		return &o->recvpktinfo6;
	case IPV6_RECVHOPLIMIT:
		return &o->recvhops;
	case IPV6_RECVTCLASS:
		return &o->recvtclass;
	case IPV6_FREEBIND:
		return &o->freebind6;
	default:
		return NULL;
	}
}

static int set_value(struct ip_options *o, int name, int v)
{
	struct iface f;
	int16_t tclass;

	switch (name) {
	case IPV6_UNICAST_HOPS:
		return set_range(&o->hops, v);
	case IPV6_MULTICAST_HOPS:
		return set_range(&o->mc_hops, v);
	case IPV6_MULTICAST_LOOP:
		if (v != 0 && v != 1)
			return -EINVAL;
		o->mc_loop6 = v;
		return 0;
	case IPV6_MULTICAST_IF:
		if (v != 0 && !iface_get(v, &f))
			return -ENODEV;
		o->mc_if6 = v;
		return 0;
	case IPV6_TCLASS:
		if (set_range(&tclass, v) < 0)
			return -EINVAL;
		o->tclass = v < 0 ? 0 : (uint8_t)v;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v < 0 || v > 5)
			return -EINVAL;
		o->mtu_discover6 = (uint8_t)v;
		return 0;
	case IPV6_MULTICAST_ALL:
	case IPV6_FLOWINFO_SEND:
	case IPV6_AUTOFLOWLABEL:
	case IPV6_DONTFRAG:
	case IPV6_ADDR_PREFERENCES:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ip6opt_set(struct ip_options *o, int name, const void *val, unsigned len, bool bound)
{
	bool *flag = flag_of(o, name);
	int v, rc = opt_int(val, len, &v);

	if (rc < 0)
		return rc;
	if (!flag)
		return set_value(o, name, v);
	if (name == IPV6_V6ONLY && bound)
		return -EINVAL;
	*flag = v != 0;
	return 0;
}

int ip6opt_get(const struct ip_options *o, int name, void *val, unsigned *len)
{
	struct ip_options copy = *o;
	const bool *flag = flag_of(&copy, name);

	if (flag)
		return opt_put_int(val, len, *flag);
	switch (name) {
	case IPV6_UNICAST_HOPS:
		return opt_put_int(val, len, ipopt_hops(o));
	case IPV6_MULTICAST_HOPS:
		return opt_put_int(val, len, ipopt_mc_hops(o));
	case IPV6_MULTICAST_LOOP:
		return opt_put_int(val, len, o->mc_loop6);
	case IPV6_MULTICAST_IF:
		return opt_put_int(val, len, o->mc_if6);
	case IPV6_TCLASS:
		return opt_put_int(val, len, o->tclass);
	case IPV6_MTU_DISCOVER:
		return opt_put_int(val, len, o->mtu_discover6);
	case IPV6_MULTICAST_ALL:
	case IPV6_AUTOFLOWLABEL:
		return opt_put_int(val, len, 1);
	case IPV6_FLOWINFO_SEND:
	case IPV6_DONTFRAG:
		return opt_put_int(val, len, 0);
	case IPV6_ADDR_PREFERENCES:
		return opt_put_int(val, len, 2); /* public addresses: there are no others */
	default:
		return -ENOPROTOOPT;
	}
}
