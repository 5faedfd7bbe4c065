/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A split virtqueue seen from the driver (virtio 1.2, section 2.7), with the event index. The driver keeps its own
 * records of what is in flight; the shared rings are only written (descriptors, available ring) or copied once and checked (used
 * ring). A device that breaks the rules makes the queue `broken`: it then takes and gives nothing any more.
 */
#ifndef LIBOS_DRV_VIRTQUEUE_H
#define LIBOS_DRV_VIRTQUEUE_H

#include "abi/virtio.h"

#include <stdbool.h>

struct uig_queue;

#define VIRTQ_MAX_SIZE 1024u

/* One piece of a request: memory of the libOS (direct map). */
struct vq_buf {
	void *ptr;
	uint32_t len;
};

struct virtqueue {
	uint16_t size, mask; /* entries, a power of two */
	uint16_t free_head, nfree;
	uint16_t avail_idx; /* next index that the driver will publish */
	uint16_t unkicked;  /* added since the last look at avail_event */
	uint16_t last_used;
	bool broken;
	bool event_idx; /* VIRTIO_F_EVENT_IDX negotiated */
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	volatile struct virtq_used *used;
	struct vq_slot *slot; /* owned; one per descriptor */
};

/* Puts a queue on rings that exist (size and addresses as the device knows them; the rings are zero or were never used). 0,
 * -EINVAL for a size or alignment that cannot be, -ENOMEM. */
int virtqueue_init(struct virtqueue *vq, const struct uig_queue *where, bool event_idx);
/* The same on rings that it allocates; *where tells the device. */
int virtqueue_create(struct virtqueue *vq, struct uig_queue *where, uint32_t size, bool event_idx);

/* Queues nout readable and then nin writable pieces as one request and makes it visible to the device. cookie comes back from
 * virtqueue_pop and is not NULL. -ENOSPC when there is no room, -EIO when broken. */
int virtqueue_add(
	struct virtqueue *vq, const struct vq_buf *buf, unsigned nout, unsigned nin, void *cookie);

/* The cookie of a finished request, NULL when there is none. *len: bytes that the device wrote, never more than there
 * was room for. */
void *virtqueue_pop(struct virtqueue *vq, uint32_t *len);

/* A few loads: has the device finished something that was not popped? */
static inline bool virtqueue_pending(const struct virtqueue *vq)
{
	return vq->used && vq->used->idx != vq->last_used && !vq->broken;
}

/* Asks the device for news of the next finished request; look at virtqueue_pending() again afterwards. */
void virtqueue_arm(struct virtqueue *vq);
/* Of the one behind the next n, n < 0x7fff. */
void virtqueue_arm_behind(struct virtqueue *vq, unsigned n);
/* Asks for none; holds for 0x7fff requests, so it is said again each time that finished ones are taken. */
void virtqueue_disarm(struct virtqueue *vq);

/* True when the device wants to be told of what was added since the last call. */
bool virtqueue_kick_needed(struct virtqueue *vq);

#endif
