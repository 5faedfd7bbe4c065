/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/net/group6.h"

#include "libos/klib/errno.h"
#include "libos/klib/list.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/stack.h"
#include "libos/uapi/socket.h"

#include <lwip/ip6_addr.h>
#include <lwip/netif.h>

#define MEMBERS_MAX 1024u /* of all sockets */

struct member {
	struct list link, all;
	ip6_addr_t group;
	int ifindex;
};

static struct list members = LIST_INIT(members);
static unsigned nmembers;

static int read_request(const void *val, unsigned len, struct member *m)
{
	struct ipv6_mreq req;

	if (len < sizeof(req))
		return -EINVAL;
	memcpy(&req, val, sizeof(req));
	memcpy(m->group.addr, req.addr, sizeof(m->group.addr));
	if (!ip6_addr_ismulticast(&m->group))
		return -EINVAL;
	m->ifindex = req.ifindex != 0 ? req.ifindex : net_eth() ? netif_get_index(net_eth()) : 0;
	return 0;
}

static struct member *find(struct list *of, const struct member *like)
{
	list_for_each (m, of, struct member, link)
		if (m->ifindex == like->ifindex && ip6_addr_cmp(&m->group, &like->group))
			return m;
	return NULL;
}

int group6_join(struct list *of, const void *val, unsigned len)
{
	struct member wanted = {.ifindex = 0};
	int rc = read_request(val, len, &wanted);

	if (rc < 0)
		return rc;
	if (find(of, &wanted))
		return -EADDRINUSE;
	if (wanted.ifindex < 1 || wanted.ifindex > (int)UINT8_MAX ||
		!netif_get_by_index((u8_t)wanted.ifindex))
		return -ENODEV;
	struct member *m = nmembers < MEMBERS_MAX ? kmalloc(sizeof(*m)) : NULL;
	if (!m)
		return -ENOBUFS;
	*m = wanted;
	list_add_tail(of, &m->link);
	list_add_tail(&members, &m->all);
	nmembers++;
	return 0;
}

static void drop(struct member *m)
{
	list_del(&m->link);
	list_del(&m->all);
	nmembers--;
	kfree(m);
}

int group6_leave(struct list *of, const void *val, unsigned len)
{
	struct member like = {.ifindex = 0};
	int rc = read_request(val, len, &like);

	if (rc < 0)
		return rc;
	struct member *m = find(of, &like);
	if (!m)
		return -EADDRNOTAVAIL;
	drop(m);
	return 0;
}

void group6_leave_all(struct list *of)
{
	while (!list_empty(of))
		drop(container_of(of->next, struct member, link));
}

bool group6_accepts(struct netif *netif, const struct ip6_addr *group)
{
	for (unsigned i = 0; ip6_addr_issolicitednode(group) && i < LWIP_IPV6_NUM_ADDRESSES; i++)
		if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) &&
			ip6_addr_cmp_solicitednode(group, netif_ip6_addr(netif, i)))
			return true;
	list_for_each (m, &members, struct member, all)
		if (m->ifindex == netif_get_index(netif) && ip6_addr_cmp(&m->group, group))
			return true;
	return false;
}
