/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces for programs: the snapshot that netlink and the SIOCGIF ioctls are made from, and these ioctls (netdevice(7)). */
#include "libos/net/iface.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/addr.h"
#include "libos/net/nd6.h"
#include "libos/net/sock.h"
#include "libos/net/stack.h"
#include "libos/uapi/netlink.h"

#include <lwip/netif.h>

#define LO_MTU 65536u

static void add_ip6(
	struct iface *out, const struct netif *n, s8_t i, unsigned prefix, unsigned scope)
{
	if (!ip6_addr_isvalid(netif_ip6_addr_state(n, i)))
		return;
	struct iface_ip6 *a = &out->ip6[out->nip6++];
	memcpy(a->addr, netif_ip6_addr(n, i)->addr, sizeof(a->addr));
	a->prefix = (uint8_t)prefix;
	a->scope = (uint8_t)scope;
}

bool iface_get(int index, struct iface *out)
{
	struct netif *eth = net_eth();

	if (index == 1) {
		*out = (struct iface){
			.index = 1,
			.name = "lo",
			.flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP,
			.mtu = LO_MTU,
			.ip = PP_HTONL(IPADDR_LOOPBACK),
			.mask = PP_HTONL(0xff000000u),
			.type = ARPHRD_LOOPBACK,
		};
		add_ip6(out, netif_get_by_index(1), 0, 128, RT_SCOPE_HOST);
		return true;
	}
	if (index != 2 || !eth)
		return false;
	*out = (struct iface){
		.index = 2,
		.name = "eth0",
		.flags = IFF_UP | IFF_BROADCAST | IFF_RUNNING | IFF_MULTICAST | IFF_LOWER_UP,
		.mtu = eth->mtu,
		.ip = netif_ip4_addr(eth)->addr,
		.mask = netif_ip4_netmask(eth)->addr,
		.gateway = netif_ip4_gw(eth)->addr,
		.type = ARPHRD_ETHER,
	};
	out->broadcast = out->ip ? out->ip | ~out->mask : 0;
	memcpy(out->mac, eth->hwaddr, sizeof(out->mac));
	add_ip6(out, eth, 1, nd6_prefix(), RT_SCOPE_UNIVERSE);
	add_ip6(out, eth, 0, 64, RT_SCOPE_LINK);
	if (nd6_gateway())
		memcpy(out->gateway6, nd6_gateway()->addr, sizeof(out->gateway6));
	return true;
}

const struct vnet_stats *iface_stats(const struct iface *f)
{
	static const struct vnet_stats none;

	return f->flags & IFF_LOOPBACK ? &none : &vnet_stats;
}

static bool find(const char *name, struct iface *out)
{
	for (int i = 1; i <= IFACE_MAX; i++)
		if (iface_get(i, out) && strncmp(out->name, name, IFNAMSIZ) == 0)
			return true;
	return false;
}

/* ---- ioctl */

static long get_conf(uptr_t arg)
{
	struct ifconf conf;
	int32_t used = 0;
	int rc = get_user(&conf, arg);

	if (rc < 0)
		return rc;
	for (int i = 1; i <= IFACE_MAX; i++) {
		struct ifreq r = {0};
		struct iface f;

		if (!iface_get(i, &f) || f.ip == 0)
			continue;
		if (conf.buf && conf.len - used < (int32_t)sizeof(r))
			break;
		memcpy(r.name, f.name, sizeof(r.name));
		r.addr.sin_family = AF_INET;
		r.addr.sin_addr.s_addr = f.ip;
		if (conf.buf)
			rc = copy_to_user(conf.buf + (uint32_t)used, &r, sizeof(r));
		if (rc < 0)
			return rc;
		used += (int32_t)sizeof(r);
	}
	conf.len = used;
	return put_user(arg, &conf);
}

static int put_addr(struct ifreq *r, uint32_t ip)
{
	if (ip == 0)
		return -EADDRNOTAVAIL;
	memset(r->bytes, 0, sizeof(r->bytes));
	r->addr.sin_family = AF_INET;
	r->addr.sin_addr.s_addr = ip;
	return 0;
}

static int answer(unsigned cmd, struct ifreq *r, const struct iface *f)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		r->flags = (int16_t)f->flags;
		return 0;
	case SIOCGIFADDR:
		return put_addr(r, f->ip);
	case SIOCGIFNETMASK:
		return put_addr(r, f->mask);
	case SIOCGIFBRDADDR:
		return put_addr(r, f->broadcast ? f->broadcast : f->ip);
	case SIOCGIFMTU:
		r->value = (int32_t)f->mtu;
		return 0;
	case SIOCGIFINDEX:
		r->value = f->index;
		return 0;
	case SIOCGIFMETRIC:
		r->value = 0;
		return 0;
	case SIOCGIFTXQLEN:
		r->value = 1000;
		return 0;
	case SIOCGIFHWADDR:
		memset(r->bytes, 0, sizeof(r->bytes));
		r->hwaddr.family = f->type;
		memcpy(r->hwaddr.data, f->mac, sizeof(f->mac));
		return 0;
	default:
		return -ENOTTY;
	}
}

long net_ifreq(unsigned cmd, uptr_t arg)
{
	struct ifreq r;
	struct iface f;
	int rc;

	if (cmd == SIOCGIFCONF)
		return get_conf(arg);
	if (cmd < SIOCGIFNAME || cmd > SIOCGIFTXQLEN)
		return -ENOTTY;
	rc = get_user(&r, arg);
	if (rc < 0)
		return rc;
	r.name[IFNAMSIZ - 1] = '\0';
	if (cmd == SIOCGIFNAME) {
		if (!iface_get(r.value, &f))
			return -ENODEV;
		memcpy(r.name, f.name, sizeof(r.name));
	} else {
		if (!find(r.name, &f))
			return -ENODEV;
		rc = answer(cmd, &r, &f);
	}
	return rc < 0 ? rc : put_user(arg, &r);
}
