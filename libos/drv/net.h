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

#endif
