/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net on a tap. Frames go between guest memory and the tap in one system call each, without a copy in the
 * monitor: checksums and the cutting of large TCP segments are left to the host's kernel, which has them on the way to
 * another guest never done at all. What the guest asks of the kernel in the header is checked (net_filter.h), as is whose
 * frames it sends.
 *
 * A driver with mergeable buffers keeps room for the longest frame posted (64 KiB with GUEST_TSO4 or GUEST_TSO6): until it does, the tap is left alone.
 *
 * Specification: virtio 1.2, section 5.1.
 */
#ifndef VMM_VIRTIO_NET_H
#define VMM_VIRTIO_NET_H

#include "vmm/virtio/mmio.h"
#include "vmm/virtio/net_filter.h"

#define NET_QUEUE_RX 0u
#define NET_QUEUE_TX 1u
#define NET_MTU_MIN  68u /* RFC 791 */
#define NET_MTU_MAX                                                                                \
	65521u /* 64 KiB less the Ethernet header, rounded as the kernel does for taps */

struct net_config { /* section 5.1.4 */
	uint8_t mac[6];
	uint16_t status, queue_pairs, mtu;
};

struct net_dev {
	struct virtio_dev virtio;
	struct net_config config;
	int tap_fd;        /* owned, the source; -1: none */
	unsigned offloads; /* as the tap knows them; UINT_MAX: not told yet */
	struct net_identity identity;
	/* under the devices' lock */
	bool tap_gone;
	bool starved; /* the driver has no buffer posted: the tap is left alone until it kicks */
	uint64_t rx_packets, rx_bytes, rx_drops, tx_packets, tx_bytes, tx_drops;
};

/* tap_fd is taken, non-blocking, with a 12-byte header. 0 or -errno. */
int net_init(struct net_dev *net, int tap_fd, const uint8_t mac[6], uint16_t mtu,
	const struct mem *mem, pthread_mutex_t *lock, gpa_t base, struct err *err);
/* Tells the tap ahead of a driver that will take all features, since that takes 0.1 ms. */
void net_expect_all(struct net_dev *net);
/* Takes the guest's addresses from its arguments (abi/identity.h; NULL: none): ip=ADDR/PREFIX as their first
 * word and ip6=ADDR/PREFIX behind it, as the manager writes them. */
void net_set_ip(struct net_dev *net, const char *args);

#endif
