/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge, and leases on it. A lease is the owner record of an address, its MAC, its interface and its neighbour entries:
 *
 *   network_lease() -> lease_tap() or lease_veth() -> ... -> network_release()
 *
 * The interface itself goes away with the process that holds it (tap: its descriptor; veth: its namespace), so that
 * a killed monitor leaves none. Names: bridge NETWORK_BRIDGE, taps and veths NETWORK_PREFIX and the address's number.
 */
#ifndef DAEMON_NETWORK_NETWORK_H
#define DAEMON_NETWORK_NETWORK_H

#include "daemon/network/netns.h"
#include "daemon/network/subnet6.h"

#include <stdbool.h>

#define NETWORK_BRIDGE     "uigniter0"
#define NETWORK_PREFIX     "uig"
#define NETWORK_NAME_BYTES 16 /* IFNAMSIZ */

struct network;

struct lease {
	bool held;
	uint32_t index; /* of the address in its subnet */
	uint32_t ip;
	uint8_t mac[MAC_BYTES];
	uint8_t ip6[IPV6_BYTES];       /* when network_subnet6() is on */
	char name[NETWORK_NAME_BYTES]; /* of the interface in the instances' namespace */
};

struct network_config {
	const char *netns; /* NULL: the daemon's own */
	const char *run_dir;
	struct subnet subnet;
	struct subnet6 subnet6;
	int64_t quarantine_ns;
	bool nat;
	/* Whether the interface of this name belongs to a VM that an earlier manager started and that runs on. */
	bool (*in_use)(void *arg, const char *name);
	void *arg;
};

/* Cleans up what an earlier daemon of this run folder left (taps, its bridge), except what is in use; checks the subnet against the routes, makes
 * the bridge or takes the one that is there. 0 or -errno with err. */
int network_new(const struct network_config *config, struct network **net, struct err *err);
/* Removes what is left of taps, and the bridge when it was made here. NULL is fine. */
void network_free(struct network *net);

/* The MAC that an address has of itself. */
void network_lease_mac(uint32_t ip, uint8_t mac[MAC_BYTES]);
/* The interface of an address. false when the address is none of the subnet. */
bool network_lease_name(const struct subnet *subnet, uint32_t ip, char name[NETWORK_NAME_BYTES]);
/* An address: ip, or the next one when ip is 0; with this MAC, or the address's own when it is all 0. -EBUSY: the address or the MAC is in use
 * (or the MAC is the bridge's, or of those that other addresses have of themselves). -ENOENT: not of the subnet. -EAGAIN: none is
 * free now; *retry_s says when to ask again (may be NULL). All with err. */
int network_lease(struct network *net, uint32_t ip, const uint8_t mac[MAC_BYTES],
	struct lease *lease, unsigned *retry_s, struct err *err);
/* Also takes the lease's interface out of its network. */
void network_release(struct network *net, struct lease *lease);
/* Lets the lease's instance reach only instances of this network (filter.h) until it is released. 0 or -errno with err. */
int lease_isolate(
	struct network *net, const struct lease *lease, const char *network, struct err *err);
/* Once, when the VMs of an earlier manager are known: rules of networks and of NAT are in force from now on. 0 or -errno with err. */
int network_live(struct network *net, struct err *err);

/* Makes the lease's tap as a port of the bridge; the descriptor (caller owns) or -errno with err. */
int lease_tap(struct network *net, const struct lease *lease, struct err *err);
/* The same for a monitor that opens it by its name, in network_namespace(): it stays until lease_tap_remove(). 0 or -errno with err. */
int lease_tap_named(struct network *net, const struct lease *lease, struct err *err);
void lease_tap_remove(struct network *net, const struct lease *lease);
/* That of the instances, borrowed; -1: the daemon's own. */
int network_namespace(const struct network *net);
/* Makes a namespace of its own for a process, with the lease's address on eth0, and loopback. The namespace's
 * descriptor (caller owns) or -errno with err. */
int lease_veth(struct network *net, const struct lease *lease, struct err *err);
/* For an interface that an earlier manager made: tells bridge and host again where the address is. Best effort. */
void lease_adopt(struct network *net, const struct lease *lease);

/* Tells the instance with the MAC `to` that the one which had this address is gone (announce.h). 0 or -errno; best effort. */
int network_announce(struct network *net, uint32_t ip, const uint8_t mac[MAC_BYTES],
	const uint8_t to[MAC_BYTES]);

/* A network namespace with nothing in it: the descriptor or -errno. */
int network_nothing(const struct network *net);
/* A socket of AF_INET inside, not yet connected; the descriptor or -errno. */
int network_socket(const struct network *net, int type);
/* One that is bound to the bridge's address, and listens when its type is SOCK_STREAM. The descriptor or -errno. */
int network_bind(const struct network *net, int type, uint16_t port);

/* Off as well when the kernel has no IPv6. */
const struct subnet6 *network_subnet6(const struct network *net);
/* MAC_BYTES: of the bridge, which has the gateway's addresses. */
const uint8_t *network_gateway_mac(const struct network *net);
const struct subnet *network_subnet(const struct network *net);
uint32_t network_free_addresses(const struct network *net);

#endif
