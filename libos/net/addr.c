/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: checks and conversions as ip(7) and ipv6(7) have them, and the value-result lengths of all families. */
#include "libos/net/addr.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/stack.h"

#include <lwip/def.h>
#include <lwip/ip4.h>
#include <lwip/ip6.h>
#include <lwip/netif.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

ip_addr_t addr_any(int domain, bool v6only)
{
	ip_addr_t any = {.type = IPADDR_TYPE_V4};

	if (domain == AF_INET6)
		any.type = v6only ? IPADDR_TYPE_V6 : IPADDR_TYPE_ANY;
	return any;
}

bool addr_is_any(const ip_addr_t *ip)
{
	return ip_addr_isany_val(*ip);
}

bool addr_same(const ip_addr_t *a, const ip_addr_t *b)
{
	return ip_addr_cmp(a, b);
}

bool addr_overlap(const ip_addr_t *a, const ip_addr_t *b)
{
	if (IP_IS_ANY_TYPE_VAL(*a) || IP_IS_ANY_TYPE_VAL(*b))
		return true;
	return IP_GET_TYPE(a) == IP_GET_TYPE(b) &&
		(addr_is_any(a) || addr_is_any(b) || ip_addr_cmp(a, b));
}

/* ---- from the program */

static int read_in(const union sockaddr_any *addr, unsigned len, bool bind, struct endpoint *to)
{
	if (len < sizeof(addr->in))
		return -EINVAL;
	if (addr->family != AF_INET &&
		!(bind && addr->family == AF_UNSPEC && addr->in.sin_addr.s_addr == 0))
		return -EAFNOSUPPORT;
	*to = (struct endpoint){
		.ip = addr_v4(addr->in.sin_addr.s_addr), .port = lwip_ntohs(addr->in.sin_port)};
	return 0;
}

static int read_in6(const union sockaddr_any *addr, unsigned len, struct endpoint *to)
{
	if (len < SIN6_BYTES_MIN)
		return -EINVAL;
	if (addr->family != AF_INET6)
		return -EAFNOSUPPORT;
	const uint8_t *b = addr->in6.sin6_addr;
	*to = (struct endpoint){.port = lwip_ntohs(addr->in6.sin6_port)};
	if (memcmp(b, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		memcpy(&ip_2_ip4(&to->ip)->addr, b + 12, 4);
		return 0;
	}
	to->ip.type = IPADDR_TYPE_V6;
	memcpy(ip_2_ip6(&to->ip)->addr, b, 16);
	if (len >= sizeof(addr->in6)) /* cleared behind what was given */
		to->scope = addr->in6.sin6_scope_id;
	return 0;
}

static bool is_local4(uint32_t ip)
{
	ip4_addr_t a = {ip};
	struct netif *n;

	if (ip == 0 || ip4_addr_isloopback(&a) || ip4_addr_ismulticast(&a))
		return true;
	NETIF_FOREACH(n)
	if (netif_ip4_addr(n)->addr == ip || ip4_addr_isbroadcast(&a, n))
		return true;
	return false;
}

/* Link-local addresses, of groups as well, are on an interface. */
static bool needs_scope(const ip6_addr_t *ip)
{
	return ip6_addr_islinklocal(ip) || ip6_addr_ismulticast_linklocal(ip) ||
		ip6_addr_ismulticast_iflocal(ip);
}

static int check_scope(const struct endpoint *e)
{
	if (!needs_scope(ip_2_ip6(&e->ip)))
		return 0;
	if (e->scope == 0)
		return -EINVAL;
	return e->scope <= UINT8_MAX && netif_get_by_index((u8_t)e->scope) ? 0 : -ENODEV;
}

static int check_local6(const struct endpoint *e)
{
	const ip6_addr_t *ip = ip_2_ip6(&e->ip);
	struct netif *n;

	if (ip6_addr_isany(ip))
		return 0;
	int rc = check_scope(e);
	if (rc < 0 || ip6_addr_ismulticast(ip))
		return rc;
	NETIF_FOREACH(n)
	if (netif_get_ip6_addr_match(n, ip) >= 0 &&
		(e->scope == 0 || !needs_scope(ip) || e->scope == netif_get_index(n)))
		return 0;
	return -EADDRNOTAVAIL;
}

bool addr_is_local(const ip_addr_t *ip)
{
	struct endpoint e = {.ip = *ip};

	if (IP_IS_V4(ip))
		return is_local4(ip_2_ip4(ip)->addr);
	if (net_eth() && needs_scope(ip_2_ip6(ip)))
		e.scope = netif_get_index(net_eth());
	return check_local6(&e) == 0;
}

int addr_of_bind(
	const union sockaddr_any *addr, unsigned len, int domain, bool v6only, struct endpoint *to)
{
	int rc = domain == AF_INET6 ? read_in6(addr, len, to) : read_in(addr, len, true, to);

	if (rc < 0)
		return rc;
	if (IP_IS_V4(&to->ip)) {
		if (domain == AF_INET6 && v6only)
			return -EINVAL;
		return is_local4(ip_2_ip4(&to->ip)->addr) ? 0 : -EADDRNOTAVAIL;
	}
	rc = check_local6(to);
	if (rc == 0 && !v6only && addr_is_any(&to->ip))
		to->ip.type = IPADDR_TYPE_ANY;
	return rc;
}

/* The wildcard as a destination is this machine, by the version of IP that the socket speaks. */
static void any_is_loopback(struct endpoint *e, const ip_addr_t *local)
{
	if (!addr_is_any(&e->ip))
		return;
	if (IP_IS_V4(&e->ip) || IP_IS_V4(local))
		e->ip = addr_v4(PP_HTONL(IPADDR_LOOPBACK));
	else
		e->ip = (ip_addr_t)IPADDR6_INIT_HOST(0, 0, 0, 1);
}

int addr_of_peer(const union sockaddr_any *addr, unsigned len, int domain, bool v6only,
	const ip_addr_t *local, unsigned flags, struct endpoint *to)
{
	bool as_in = domain == AF_INET ||
		((flags & ADDR_MIXED) && len >= sizeof(addr->family) && addr->family == AF_INET);
	int rc = as_in ? read_in(addr, len, false, to) : read_in6(addr, len, to);

	if (rc < 0)
		return rc;
	any_is_loopback(to, local);
	if (domain == AF_INET)
		return 0;
	if (IP_IS_V4(&to->ip))
		return v6only || IP_IS_V6(local) ? -ENETUNREACH : 0;
	rc = (flags & ADDR_SCOPED) && !ip_addr_ismulticast(&to->ip) ? check_scope(to) : 0;
	return rc == 0 && IP_IS_V4(local) ? -EAFNOSUPPORT : rc;
}

/* ---- routes */

struct netif *addr_route(const ip_addr_t *from, const ip_addr_t *to)
{
	if (IP_IS_V6(to))
		return ip6_route(from && IP_IS_V6(from) ? ip_2_ip6(from) : NULL, ip_2_ip6(to));
	return ip4_route(ip_2_ip4(to));
}

ip_addr_t addr_source(struct netif *nif, const ip_addr_t *to)
{
	if (!IP_IS_V6(to))
		return addr_v4(netif_ip4_addr(nif)->addr);
	const ip_addr_t *src = ip6_select_source_address(nif, ip_2_ip6(to));
	return src ? *src : addr_any(AF_INET6, true);
}

/* ---- to the program */

void addr_bytes6(const ip_addr_t *ip, uint8_t bytes[16])
{
	if (IP_IS_V4(ip)) {
		memcpy(bytes, mapped_prefix, sizeof(mapped_prefix));
		memcpy(bytes + 12, &ip_2_ip4(ip)->addr, 4);
	} else {
		memcpy(bytes, ip_2_ip6(ip)->addr, 16);
	}
}

int addr_put(union sockaddr_any *addr, int domain, const ip_addr_t *ip, uint16_t port)
{
	if (domain == AF_INET) {
		memset(&addr->in, 0, sizeof(addr->in));
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = lwip_htons(port);
		addr->in.sin_addr.s_addr = ip_2_ip4(ip)->addr;
		return sizeof(addr->in);
	}
	memset(&addr->in6, 0, sizeof(addr->in6));
	addr->in6.sin6_family = AF_INET6;
	addr->in6.sin6_port = lwip_htons(port);
	addr_bytes6(ip, addr->in6.sin6_addr);
	if (IP_IS_V6(ip) && needs_scope(ip_2_ip6(ip)) && net_eth())
		addr->in6.sin6_scope_id = netif_get_index(net_eth());
	return sizeof(addr->in6);
}

int addr_from_user(union sockaddr_any *addr, uptr_t from, uint64_t len)
{
	if (len > sizeof(*addr))
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	return copy_from_user(addr, from, len);
}

int addr_to_user(const union sockaddr_any *addr, unsigned len, uptr_t to, uptr_t lenp)
{
	int32_t room, full = (int32_t)len;
	int rc = get_user(&room, lenp);

	if (rc < 0)
		return rc;
	if (room < 0)
		return -EINVAL;
	rc = copy_to_user(to, addr, len < (unsigned)room ? len : (unsigned)room);
	return rc < 0 ? rc : put_user(lenp, &full);
}
