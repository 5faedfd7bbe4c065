/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-9p: a folder of the host for the guest (vmm/p9/). Requests are done by an I/O thread of the device's own
 * (vmm/io_thread.h): a read may wait for the disk and a sync always does, and neither the guest's network nor the monitor's API may
 * wait with it. What needs no waiting is done at once by who serves the device, while the thread has nothing to do. One thread, because the requests of a volume are done in order: closing behind writing, or a request
 * for a fid that the request in front of it makes, need no answer in between.
 *
 * Rings are touched by who serves the device alone (vmm/devices.h); the session and a request's memory belong to the thread while it has
 * any request. A reset
 * of the device drops what is under way when it comes back (`era`).
 *
 * Specification: virtio 1.2, device id 9; abi/p9.h.
 */
#ifndef VMM_VIRTIO_P9_H
#define VMM_VIRTIO_P9_H

#include "vmm/virtio/mmio.h"

struct p9_setup {
	const char *tag; /* 1 to UIG_TAG_BYTES - 1 bytes */
	int fd;          /* the folder; taken in any case */
	bool read_only;
};

/* A device, given back by ops->fini. 0 or -errno. */
int p9_dev_new(const struct p9_setup *setup, const struct mem *mem, pthread_mutex_t *lock,
	gpa_t base, struct virtio_dev **dev, struct err *err);

#endif
