/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk (virtio 1.2, section 5.2): block devices, in the order in which the machine names them. Calls block the thread that makes
 * them until the device has answered, and no signal ends that. Memory is the libOS's own (direct map), in one piece.
 */
#ifndef LIBOS_DRV_VIRTIO_BLK_H
#define LIBOS_DRV_VIRTIO_BLK_H

#include <stdbool.h>
#include <stdint.h>

struct uig_device;

#define VBLK_MAX          8u
#define VBLK_SECTOR_BYTES 512u

/* Opens the next device. 0 or -errno; -ENOSPC: there are VBLK_MAX. */
int vblk_open(const struct uig_device *dev);

unsigned vblk_count(void);
uint64_t vblk_bytes(unsigned disk); /* a multiple of the sector */
bool vblk_read_only(unsigned disk);

/* All three: 0, -EIO, -ENOMEM. Offset and bytes are whole sectors inside the device; transfers are of at least one. */
int vblk_transfer(unsigned disk, bool write, uint64_t offset, void *buf, uint32_t bytes);
/* What was written lasts when it returns; a device without a cache of its own has nothing to do. */
int vblk_flush(unsigned disk);
/* Zeroes a range, or says that its contents are of no interest; -EOPNOTSUPP when the device can not. */
int vblk_clear(unsigned disk, uint64_t offset, uint64_t bytes, bool discard);

#endif
