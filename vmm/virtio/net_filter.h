/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest may send. Pure functions on the first bytes of a frame, which the caller has copied: the guest can not change them between
 * the check and the tap.
 *
 * Source: the frame carries the device's MAC address, and in ARP, IPv4 and IPv6 one of the guest's own addresses; its neighbour
 * discovery speaks of its own addresses only, and it is no router. On a bridge nobody takes the place of a neighbour.
 *
 * Header: the host completes a checksum by writing two bytes where the header says, and cuts large segments by what it says. Both are
 * allowed only where the packet itself has the checksum and the length of its TCP or UDP header; the header for the tap is made anew.
 *
 * Sources: virtio 1.2, 5.1.6.2; RFC 826, 5227 (ARP), 8200 (IPv6), 4861 (neighbour discovery).
 */
#ifndef VMM_VIRTIO_NET_FILTER_H
#define VMM_VIRTIO_NET_FILTER_H

#include "abi/virtio.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ethernet, the longest IPv4 and TCP headers, or a neighbour solicitation with a few options. */
#define NET_HEAD_BYTES   192u
#define ETH_HEADER_BYTES 14u

/* Whose frames are let through. */
struct net_identity {
	uint8_t mac[6];
	uint8_t ip[4];   /* all 0: not known, then any */
	uint8_t ip6[16]; /* besides the link-local one of the MAC; all 0: none */
};

/* head: the first n bytes of a frame, n the lesser of its length and NET_HEAD_BYTES, at least ETH_HEADER_BYTES. */
bool net_filter_source(const struct net_identity *id, const uint8_t *head, size_t n);

/* Makes the tap's header from the guest's, for a frame of len bytes that begins with head[0..n). features: what the driver
 * accepted. 0, or -EINVAL: the frame must not be sent. */
int net_filter_header(uint64_t features, const struct virtio_net_hdr *in, const uint8_t *head,
	size_t n, size_t len, struct virtio_net_hdr *out);

#endif
