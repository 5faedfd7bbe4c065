/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net on a tap. Frames go between guest memory and the tap in one system call each, without a copy in the
 * monitor. No offload is offered yet, so the header in front of each frame is the monitor's own: what the guest writes
 * there never reaches the host. (Checksum and segmentation offload: add the feature bits in net_init(), TUNSETOFFLOAD in
 * dev/tap.c, and the checks of the header in send_frame().)
 *
 * What goes out carries the device's own MAC address as its source, and in IPv4 and ARP the guest's own IP address
 * where that is known: on a bridge nobody takes the place of a neighbour. Other frames are dropped.
 *
 * Specification: virtio 1.2, section 5.1.
 */
#ifndef VMM_VIRTIO_NET_H
#define VMM_VIRTIO_NET_H

#include "vmm/virtio/mmio.h"

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
	int tap_fd;    /* owned, the source; -1: none */
	uint8_t ip[4]; /* the guest's IPv4 address; all 0: not known, then any */
	/* under the devices' lock */
	bool tap_gone;
	bool starved; /* the driver has no buffer posted: the tap is left alone until it kicks */
	uint64_t rx_packets, rx_bytes, rx_drops, tx_packets, tx_bytes, tx_drops;
};

/* tap_fd is taken, non-blocking, with a 12-byte header. 0 or -errno. */
int net_init(struct net_dev *net, int tap_fd, const uint8_t mac[6], uint16_t mtu,
	const struct mem *mem, pthread_mutex_t *lock, gpa_t base, struct err *err);
/* Takes the guest's address from its arguments (abi/identity.h; NULL: none), when ip=ADDR/PREFIX is their first word, as the
 * manager writes it. Else none is known. */
void net_set_ip(struct net_dev *net, const char *args);

#endif
