/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of one split virtqueue: the one file that reads virtqueue descriptors.
 *
 * The guest can write rings and descriptors at any time. Each value is therefore read once, into a local, and
 * checked there; what a device gets is a chain of host pointers that have been checked, in its own memory. A
 * ring that breaks the rules is -EPROTO: the device stops, the monitor goes on.
 *
 * Threads: whoever serves the device (vmm/devices.h). Specification: virtio 1.2, section 2.7.
 */
#ifndef VMM_VIRTIO_VIRTQUEUE_H
#define VMM_VIRTIO_VIRTQUEUE_H

#include "abi/types.h"
#include "abi/virtio.h"

#include <stdbool.h>
#include <sys/uio.h>

struct mem;

#define VIRTQUEUE_SIZE_MAX 1024u
#define CHAIN_SEGMENTS_MAX 64u

struct virtqueue {
	/* Written by the driver through the transport while not live. */
	uint32_t size;
	gpa_t desc, avail, used;

	bool live;
	bool event_idx;
	const struct mem *mem;          /* borrowed */
	const struct virtq_desc *descs; /* guest memory, as the next two */
	const struct virtq_avail *avails;
	struct virtq_used *useds;
	uint16_t last_avail; /* next entry of the avail ring to take */
	uint16_t used_idx;   /* what was published in the used ring */
	uint16_t
		told_idx; /* used_idx when the guest last returned from a wait (without EVENT_IDX) */
};

/* One request of the driver: iov[0 .. nout) is for the device to read, iov[nout .. nout + nin) to write. */
struct chain {
	uint16_t head;
	unsigned nout, nin;
	uint64_t out_bytes, in_bytes;
	struct iovec iov[CHAIN_SEGMENTS_MAX];
};

/* Checks addresses and size (section 2.7: alignment, a power of two) and makes the queue live with empty rings. 0 or -EINVAL. */
int virtqueue_start(struct virtqueue *q, const struct mem *mem, bool event_idx);
void virtqueue_reset(struct virtqueue *q);

/* Takes the next request: 1 and *chain, 0 when there is none, -EPROTO when the ring is broken. */
int virtqueue_pop(struct virtqueue *q, struct chain *chain);
/* Puts back the n requests that were popped last. */
void virtqueue_unpop(struct virtqueue *q, unsigned n);
/* Gives a request back with bytes written into it; the guest sees it at once. */
void virtqueue_push(struct virtqueue *q, uint16_t head, uint32_t bytes);
/* The same for several that the guest shall see together: fill in the n-th (from 0), then publish all. */
void virtqueue_fill(struct virtqueue *q, unsigned n, uint16_t head, uint32_t bytes);
void virtqueue_publish(struct virtqueue *q, unsigned n);

/* Asks the driver to kick at its next addition, or not to. virtqueue_want_kick() returns true when a request came
 * in meanwhile: the caller has to look again. */
bool virtqueue_want_kick(struct virtqueue *q);
/* The same for a device that has seen the requests up to `seen`, but left some of them, for they are not enough. */
bool virtqueue_want_kick_at(struct virtqueue *q, uint16_t seen);
void virtqueue_mute_kick(struct virtqueue *q);

/* True when the driver has asked to hear of what is in the used ring now (abi/platform.h, WAIT). */
bool virtqueue_has_news(const struct virtqueue *q);
/* True once for what was published since the last call and the driver wants an interrupt for (section 2.7.7.2). */
bool virtqueue_should_interrupt(struct virtqueue *q);
/* The guest returns from a wait and looks at the ring. */
void virtqueue_told(struct virtqueue *q);

#endif
