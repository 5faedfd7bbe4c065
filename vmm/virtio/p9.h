/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-9p: a folder of the host for the guest (vmm/p9/). Requests are done by a thread of the device's own: a read may wait for the
 * disk and a sync always does, and neither the guest's network nor the monitor's API may wait with it. One thread, because the requests
 * of a volume are done in order, which makes closing behind writing, and flushing, need no further thought.
 *
 *   serve()  takes requests off the ring into free jobs, and puts finished jobs on the used ring: whoever owns the devices
 *   thread   runs one job after the other, marks it finished, writes source_fd
 *
 * So rings are touched by the devices' owner alone (vmm/devices.h); the thread sees the request's memory only. A reset of the
 * device drops what is under way when it comes back (`era`).
 *
 * Specification: virtio 1.2, device id 9; abi/p9.h.
 */
#ifndef VMM_VIRTIO_P9_H
#define VMM_VIRTIO_P9_H

#include "vmm/virtio/mmio.h"

#define P9_TAG_MAX (UIG_TAG_BYTES - 1)

/* A device (freed by ops->fini) that serves the folder dir_fd, taken in any case, under a tag of 1 to P9_TAG_MAX bytes. 0 or -errno. */
int p9_dev_new(int dir_fd, bool read_only, const char *tag, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct virtio_dev **dev, struct err *err);

#endif
