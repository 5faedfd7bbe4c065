/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-vsock (virtio 1.2, section 5.10): packets in and out, and the guest's CID. It knows nothing of connections: net/vsock.c is above it.
 */
#ifndef LIBOS_DRV_VIRTIO_VSOCK_H
#define LIBOS_DRV_VIRTIO_VSOCK_H

#include "abi/virtio.h"
#include "libos/klib/list.h"

#include <stdint.h>

struct uig_device;

/* A packet in page frames of its own: what the device sees begins at hdr. */
struct vsock_packet {
	struct list link;
	uint32_t pages, room; /* room: for data */
	struct virtio_vsock_hdr hdr;
	char data[];
};

#define VVSOCK_DATA_MAX (4u * 4096 - (uint32_t)sizeof(struct vsock_packet))

/* A packet with room for `bytes` of data (at most VVSOCK_DATA_MAX); NULL: no memory. */
struct vsock_packet *vsock_packet_new(uint32_t bytes);
void vsock_packet_free(struct vsock_packet *p);

struct vvsock_user {
	/* A packet has come, whole: hdr.len bytes of data. Borrowed. Must not block. */
	void (*input)(const struct vsock_packet *p);
	/* There is room to send again, after vvsock_room() said no. */
	void (*room)(void);
	/* The device has lost all connections. */
	void (*reset)(void);
};

/* Opens the device; -ENODEV... or 0. user stays used. */
int vvsock_open(const struct uig_device *dev, const struct vvsock_user *user);
/* The guest's CID; 0: there is no device. */
uint32_t vvsock_cid(void);
/* Is there room for a packet of data? When not, it has been asked for. */
bool vvsock_room(void);
/* Sends p, which is taken: in the order of the calls, and later when the ring is full. */
void vvsock_send(struct vsock_packet *p);
/* Before the end: hands all packets to the device. No thread runs meanwhile. */
void vvsock_drain(void);

#endif
