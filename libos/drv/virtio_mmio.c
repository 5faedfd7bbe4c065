/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mmio version 2: feature negotiation and queue set-up, in the order of virtio 1.2, section 3.1.1. Interrupts are
 * acknowledged by the platform code, which only wants to wake up; the drivers look at their used rings.
 */
#include "libos/drv/virtio_mmio.h"

#include "libos/drv/platform.h"
#include "libos/klib/errno.h"

#define ALWAYS (VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX))

static uint32_t reg_get(struct virtio_device *vd, unsigned reg)
{
	return mmio_read32(vd->mmio + reg);
}

static void reg_set(struct virtio_device *vd, unsigned reg, uint32_t value)
{
	mmio_write32(vd->mmio + reg, value);
}

static void reg_set64(struct virtio_device *vd, unsigned reg_low, uint64_t value)
{
	reg_set(vd, reg_low, (uint32_t)value);
	reg_set(vd, reg_low + 4, (uint32_t)(value >> 32));
}

static int negotiate(struct virtio_device *vd, uint64_t wanted)
{
	uint64_t offered;

	reg_set(vd, VIRTIO_MMIO_STATUS, 0);
	reg_set(vd, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	reg_set(vd, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	reg_set(vd, VIRTIO_MMIO_DEVICE_FEAT_SEL, 0);
	offered = reg_get(vd, VIRTIO_MMIO_DEVICE_FEATURES);
	reg_set(vd, VIRTIO_MMIO_DEVICE_FEAT_SEL, 1);
	offered |= (uint64_t)reg_get(vd, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	if (!(offered & VIRTIO_BIT(VIRTIO_F_VERSION_1)))
		return -EINVAL;
	vd->features = offered & (wanted | ALWAYS);
	reg_set(vd, VIRTIO_MMIO_DRIVER_FEAT_SEL, 0);
	reg_set(vd, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)vd->features);
	reg_set(vd, VIRTIO_MMIO_DRIVER_FEAT_SEL, 1);
	reg_set(vd, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(vd->features >> 32));
	reg_set(vd, VIRTIO_MMIO_STATUS,
		VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
	return reg_get(vd, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_FEATURES_OK ? 0 : -EINVAL;
}

static int open_queue(struct virtio_device *vd, unsigned q, uint32_t size)
{
	struct uig_queue where;

	reg_set(vd, VIRTIO_MMIO_QUEUE_SEL, q);
	uint32_t max = reg_get(vd, VIRTIO_MMIO_QUEUE_NUM_MAX);
	if (max == 0 || reg_get(vd, VIRTIO_MMIO_QUEUE_READY) != 0)
		return -EINVAL;
	while (size > max)
		size /= 2;
	int rc = virtqueue_create(
		&vd->vq[q], &where, size, vd->features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX));
	if (rc < 0)
		return rc;
	reg_set(vd, VIRTIO_MMIO_QUEUE_NUM, size);
	reg_set64(vd, VIRTIO_MMIO_QUEUE_DESC_LOW, where.desc);
	reg_set64(vd, VIRTIO_MMIO_QUEUE_AVAIL_LOW, where.avail);
	reg_set64(vd, VIRTIO_MMIO_QUEUE_USED_LOW, where.used);
	reg_set(vd, VIRTIO_MMIO_QUEUE_READY, 1);
	return 0;
}

static int open_prepared(struct virtio_device *vd, const struct uig_device *dev, unsigned nqueues)
{
	vd->features = dev->features;
	for (unsigned q = 0; q < nqueues; q++) {
		bool event_idx = dev->features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
		int rc = dev->queue[q].size == 0
			? 0
			: virtqueue_init(&vd->vq[q], &dev->queue[q], event_idx);

		if (rc < 0) /* a queue of size 0 is not there: a console without input */
			return rc;
	}
	return 0;
}

int virtio_open(struct virtio_device *vd, const struct uig_device *dev, uint64_t wanted,
	unsigned nqueues, unsigned size)
{
	*vd = (struct virtio_device){.mmio = dev->mmio};
	if (dev->flags & UIG_DEVF_PREPARED)
		return open_prepared(vd, dev, nqueues);
	if (reg_get(vd, VIRTIO_MMIO_MAGIC) != VIRTIO_MMIO_MAGIC_VALUE ||
		reg_get(vd, VIRTIO_MMIO_VERSION) != VIRTIO_MMIO_VERSION_2 ||
		reg_get(vd, VIRTIO_MMIO_DEVICE_ID) != dev->type)
		return -ENODEV;
	int rc = negotiate(vd, wanted);
	for (unsigned q = 0; rc == 0 && q < nqueues; q++)
		rc = open_queue(vd, q, size);
	if (rc < 0)
		reg_set(vd, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_FAILED);
	return rc;
}

void virtio_start(struct virtio_device *vd, const struct uig_device *dev)
{
	if (!(dev->flags & UIG_DEVF_PREPARED))
		reg_set(vd, VIRTIO_MMIO_STATUS,
			reg_get(vd, VIRTIO_MMIO_STATUS) | VIRTIO_STATUS_DRIVER_OK);
}

void virtio_notify(struct virtio_device *vd, unsigned queue)
{
	reg_set(vd, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

uint32_t virtio_config32(struct virtio_device *vd, unsigned at)
{
	return reg_get(vd, VIRTIO_MMIO_CONFIG + at);
}

uint8_t virtio_config8(struct virtio_device *vd, unsigned at)
{
	unsigned aligned = at & ~3u;

	return (uint8_t)(reg_get(vd, VIRTIO_MMIO_CONFIG + aligned) >> (8 * (at - aligned)));
}
