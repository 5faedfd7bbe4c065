/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-net and the network stack, as the start-up code sees them. */
#ifndef LIBOS_DRV_NET_H
#define LIBOS_DRV_NET_H

#include <stdint.h>

struct uig_device;

struct net_config {
	uint32_t ip, mask, gateway, dns; /* network byte order; 0: none */
};

/* Brings up loopback and, with a device (else NULL), eth0. 0 or -errno. */
int net_init(const struct uig_device *dev, const struct net_config *config);

/* The instance has become another one (a clone's new identity): new addresses on eth0, new keys. Connections of the old
 * address are reset, listening sockets stay. mac may be NULL: as it was. */
int net_reconfigure(const struct net_config *config, const uint8_t mac[6]);

/* Before the end of the instance, with all descriptors closed: waits until what was sent has arrived, at most a second. */
void net_exit_drain(void);

#endif
