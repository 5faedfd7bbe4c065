/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few rtnetlink requests of the manager, each sent and acknowledged at once (the kernel does them
 * within the call). The socket belongs to the instances' namespace. All return 0 (or what is said) or -errno.
 */
#ifndef DAEMON_NETWORK_NETLINK_H
#define DAEMON_NETWORK_NETLINK_H

#include "daemon/network/netns.h"
#include "daemon/network/subnet6.h"

struct netlink;

int netlink_new(const struct netns *ns, struct netlink **nl);
/* The same for a namespace given by a descriptor. */
int netlink_new_in(const struct netns *home, int netns_fd, struct netlink **nl);
void netlink_free(struct netlink *nl);

/* Interface index by name; -ENODEV when there is none. */
int netlink_index(struct netlink *nl, const char *name);
int netlink_bridge_add(struct netlink *nl, const char *name, const uint8_t mac[MAC_BYTES]);
/* A veth pair; its other end is in the namespace peer_netns, named peer, with that MAC. */
int netlink_veth_add(struct netlink *nl, const char *name, const char *peer,
	const uint8_t peer_mac[MAC_BYTES], int peer_netns);
int netlink_link_del(struct netlink *nl, int index);
/* Makes the MAC that the link has the one that it keeps, and mac it; where it has none, it gets mac. A bridge whose MAC nobody has chosen
 * takes the lowest of its ports, another one whenever ports come and go, and has none without ports. All neighbours on the
 * link are forgotten by this, as by any change of its MAC. */
int netlink_link_keep_mac(struct netlink *nl, int index, uint8_t mac[MAC_BYTES]);
int netlink_link_up(struct netlink *nl, int index);
/* Up, and a port of the bridge, in one request. */
int netlink_link_join(struct netlink *nl, int index, int bridge);
/* The bridge answers who asks on this port for the MAC of a neighbour that is known for good, and floods nothing to it. */
int netlink_port_proxy_arp(struct netlink *nl, int index);
int netlink_addr_add(struct netlink *nl, int index, uint32_t ip, unsigned prefix);
int netlink_route_default(struct netlink *nl, uint32_t gateway);
/* A neighbour that is known for good: nobody has to ask for an instance's MAC. Replaces one that is there. */
int netlink_neigh_set(struct netlink *nl, int index, uint32_t ip, const uint8_t mac[MAC_BYTES]);
int netlink_neigh_del(struct netlink *nl, int index, uint32_t ip);
/* The same for IPv6. An address is not asked for before it is used (DAD). */
int netlink_addr6_add(struct netlink *nl, int index, const uint8_t ip[IPV6_BYTES], unsigned prefix);
int netlink_neigh6_set(
	struct netlink *nl, int index, const uint8_t ip[IPV6_BYTES], const uint8_t mac[MAC_BYTES]);
int netlink_neigh6_del(struct netlink *nl, int index, const uint8_t ip[IPV6_BYTES]);
/* The bridge's forwarding entry of a port, so that nothing is flooded to it. */
int netlink_fdb_set(struct netlink *nl, int port, const uint8_t mac[MAC_BYTES]);

typedef void netlink_link_fn(void *arg, int index, const char *name);
/* Calls fn once for each link whose name begins with prefix, as they are at one moment: -EINTR when others change links
 * all the time, and fn is called for none then. */
int netlink_links(struct netlink *nl, const char *prefix, netlink_link_fn *fn, void *arg);

/* 1 when a route of the main table other than the default route overlaps the subnet and leaves by another
 * interface than index (0: any), 0 when none does. -EINTR as netlink_links(). */
int netlink_route_conflict(struct netlink *nl, const struct subnet *subnet, int index);

#endif
