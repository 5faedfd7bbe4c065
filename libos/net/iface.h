/* SPDX-License-Identifier: Apache-2.0 */
/* The instance's interfaces as programs see them: 1 is lo, 2 is eth0 (when there is one). */
#ifndef LIBOS_NET_IFACE_H
#define LIBOS_NET_IFACE_H

#include "libos/drv/virtio_net.h"

#include <stdbool.h>
#include <stdint.h>

struct iface_ip6 {
	uint8_t addr[16];
	uint8_t prefix; /* bits */
	uint8_t scope;  /* RT_SCOPE_ */
};

#define IFACE_IP6_MAX 2

struct iface {
	int index;
	char name[16];
	uint32_t flags;                             /* IFF_ */
	uint32_t mtu, ip, mask, broadcast, gateway; /* addresses in network order, 0: none */
	uint16_t type;                              /* ARPHRD_ */
	uint8_t mac[6];
	struct iface_ip6 ip6[IFACE_IP6_MAX];
	unsigned nip6;
	uint8_t gateway6[16]; /* all 0: none */
};

#define IFACE_MAX 2

/* False: there is no interface of that index. */
bool iface_get(int index, struct iface *out);
/* What went through it; of lo nothing is counted. */
const struct vnet_stats *iface_stats(const struct iface *iface);

#endif
