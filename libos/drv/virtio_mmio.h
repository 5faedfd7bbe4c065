/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mmio version 2 (virtio 1.2, section 4.2): one device with at most UIG_QUEUES_MAX queues, either negotiated here (QEMU microvm,
 * Firecracker) or handed over live by the monitor (UIG_DEVF_PREPARED), when no register is touched before the first kick.
 */
#ifndef LIBOS_DRV_VIRTIO_MMIO_H
#define LIBOS_DRV_VIRTIO_MMIO_H

#include "abi/boot.h"
#include "libos/drv/virtqueue.h"

struct virtio_device {
	uint64_t mmio;     /* gpa of the register page */
	uint64_t features; /* negotiated */
	struct virtqueue vq[UIG_QUEUES_MAX];
};

/* Brings up `dev` with those of `wanted` that the device offers (VERSION_1 is required, EVENT_IDX taken when offered) and nqueues
 * queues of at most size entries. After it the driver fills its queues and calls virtio_start(). 0, -ENODEV: no such device,
 * -EINVAL: it is out of its mind, -ENOMEM. */
int virtio_open(struct virtio_device *vd, const struct uig_device *dev, uint64_t wanted,
	unsigned nqueues, unsigned size);
void virtio_start(struct virtio_device *vd, const struct uig_device *dev);

/* Tells the device of a queue, unconditionally. */
void virtio_notify(struct virtio_device *vd, unsigned queue);
static inline void virtio_kick(struct virtio_device *vd, unsigned queue)
{
	if (virtqueue_kick_needed(&vd->vq[queue]))
		virtio_notify(vd, queue);
}

/* 32 bits at `at`, a multiple of 4; byte `at` of the device's configuration space. */
uint32_t virtio_config32(struct virtio_device *vd, unsigned at);
uint8_t virtio_config8(struct virtio_device *vd, unsigned at);

#endif
