/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-net and the network stack, as the start-up code sees them. */
#ifndef LIBOS_DRV_NET_H
#define LIBOS_DRV_NET_H

#include <stdbool.h>
#include <stdint.h>

struct uig_device;

struct net_config {
	uint32_t ip, mask, gateway, dns; /* network byte order; 0: none */
	uint8_t ip6[16], gateway6[16];   /* all 0: none */
	uint8_t gateway_mac[6];          /* of the gateway's IPv4 address; all 0: it is asked for */
	uint8_t prefix6;                 /* bits of ip6 that are the network */
	bool static6; /* each neighbour's address is made of its MAC: nobody has to be asked */
};

/* Brings up loopback and, with a device (else NULL), eth0. 0 or -errno. */
int net_init(const struct uig_device *dev, const struct net_config *config);

/* The instance has become another one (a clone's new identity): new addresses on eth0, new keys. Connections of the old
 * address are reset, listening sockets stay. mac may be NULL: as it was. */
int net_reconfigure(const struct net_config *config, const uint8_t mac[6]);

/* Before the end of the instance, with all descriptors closed: waits until what was sent has arrived, at most a second. */
void net_exit_drain(void);

#endif
