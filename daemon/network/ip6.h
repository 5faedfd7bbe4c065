/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 on the manager's interfaces: off on the host ends of instances, on the bridge as far as the kernel has it. */
#ifndef DAEMON_NETWORK_IP6_H
#define DAEMON_NETWORK_IP6_H

#include "daemon/network/netlink.h"
#include "daemon/network/subnet6.h"

/* IPv6 on host ends would only send its discovery packets into idle guests. Best effort. */
void ip6_off(const struct netns *ns, const char *name);
/* Gives the bridge, which is up, the subnet's first address. It asks for no routers and takes no advertisements. 0, or -errno when
 * the kernel has no IPv6. */
int ip6_bridge(const struct netns *ns, struct netlink *nl, const char *name, int index,
	const struct subnet6 *subnet);

#endif
