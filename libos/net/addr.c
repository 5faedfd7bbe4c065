/* SPDX-License-Identifier: Apache-2.0 */
/* AF_INET addresses: checks and conversions, and the value-result lengths of all families. */
#include "libos/net/addr.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"

#include <lwip/def.h>
#include <lwip/ip4_addr.h>
#include <lwip/netif.h>

int addr_check_in(const union sockaddr_any *addr, unsigned len, bool any)
{
	if (len < sizeof(addr->in))
		return -EINVAL;
	if (addr->family == AF_INET ||
		(any && addr->family == AF_UNSPEC && addr->in.sin_addr.s_addr == 0))
		return 0;
	return -EAFNOSUPPORT;
}

bool addr_is_local(uint32_t ip)
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

int addr_put_in(union sockaddr_any *addr, uint32_t ip, uint16_t port)
{
	memset(&addr->in, 0, sizeof(addr->in));
	addr->in.sin_family = AF_INET;
	addr->in.sin_port = lwip_htons(port);
	addr->in.sin_addr.s_addr = ip;
	return sizeof(addr->in);
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
