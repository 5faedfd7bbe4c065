/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net: frames in and out of page-frame buffers. It knows nothing of TCP/IP: net/eth.c is above it.
 *
 * A receive buffer is half a page, or a whole one when the device may spread a frame over several (MRG_RXBUF, which goes with
 * frames of up to 64 KiB, GUEST_TSO4, GUEST_TSO6). Its first VNET_HEADROOM bytes belong to whoever holds the buffer.
 */
#ifndef LIBOS_DRV_VIRTIO_NET_H
#define LIBOS_DRV_VIRTIO_NET_H

#include "libos/drv/virtqueue.h"

#include <stdbool.h>
#include <stddef.h>

struct uig_device;

#define VNET_HEADROOM  128u
#define VNET_HDR_BYTES 12u
#define VNET_FRAME_MAX 1526u /* Ethernet header, 802.1Q tag, MTU 1500, rounded */

/* A received frame: `parts` buffers; the receiver owns them all and gives each back with vnet_buf_free(). */
#define VNET_PARTS_MAX 36u
struct vnet_frame {
	bool csum_ok; /* the checksum of the transport header needs no look */
	unsigned parts;
	struct vnet_part {
		void *buf;  /* start of the buffer: its headroom */
		void *data; /* bytes of the frame, behind the virtio header in the first part */
		uint32_t len;
	} part[VNET_PARTS_MAX];
};

/* Takes a frame over. Runs inside vnet_poll(); must not block. */
typedef void vnet_input_fn(struct vnet_frame *f);

/* Opens the device. mac: in, from the boot information; out, the one in use. 0 or -errno. */
int vnet_open(const struct uig_device *dev, uint8_t mac[6], vnet_input_fn *input);

/* What was agreed: may checksums of sent frames be left to the device, may frames of 64 KiB be sent? */
bool vnet_tx_csum(void);
bool vnet_tx_tso(bool ip6);

/* Receive: is there anything, hand up at most budget frames, ask for news. */
bool vnet_pending(void);
void vnet_poll(unsigned budget);
void vnet_arm(void);
/* Tells the device of frames and buffers queued since, if it wants to know. */
void vnet_kick(void);
/* The program goes on: frames queued since are held back (libos/drv/hold.h) or the device is told. True: there were some. */
bool vnet_leave(bool computes);

/* Room for a frame of len <= VNET_FRAME_MAX bytes; NULL when the ring is full. Ended by vnet_tx_send(). */
void *vnet_tx_frame(size_t len);
/* Queues the frame. With csum_start > 0 the device completes the checksum: over all bytes from csum_start on, stored csum_offset behind it. */
int vnet_tx_send(void *frame, size_t len, unsigned csum_start, unsigned csum_offset);

/*
 * A frame of up to 64 KiB, sent where it lies: `part[0]` begins with VNET_HDR_BYTES bytes of room for the device's header. The device cuts
 * the TCP segment into ones of gso_size bytes of payload. Until sent(cookie), at the latest when vnet_tx_reclaim() is called after the
 * device has finished, all of it belongs to the device. 0, or -ENOSPC: no place, nothing was taken.
 */
struct vnet_large {
	struct vq_buf part[VNET_PARTS_MAX];
	unsigned parts;
	unsigned csum_start, csum_offset, gso_size, hdr_len;
	bool ip6;
	void *cookie; /* at least 2-byte aligned */
};
typedef void vnet_sent_fn(void *cookie);
int vnet_tx_large(const struct vnet_large *f, vnet_sent_fn *sent);
/* Gives back what the device has finished with. */
void vnet_tx_reclaim(void);

void vnet_buf_free(void *buf);

struct vnet_stats {
	uint64_t rx_frames, rx_bytes, rx_dropped, tx_frames, tx_bytes, tx_dropped;
};
extern struct vnet_stats vnet_stats;

#endif
