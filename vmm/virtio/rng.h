/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-rng: bytes of the host's getrandom(2). It does not block once the host has booted; a request gets at most
 * RNG_REQUEST_MAX bytes, so that a guest can not make the device loop work for long.
 *
 * Specification: virtio 1.2, section 5.4.
 */
#ifndef VMM_VIRTIO_RNG_H
#define VMM_VIRTIO_RNG_H

#include "vmm/virtio/mmio.h"

#define RNG_REQUEST_MAX 4096u

struct rng_dev {
	struct virtio_dev virtio;
	uint64_t bytes;
};

/* Allocates the device; ops->fini frees it. 0 or -errno. */
int rng_new(const struct mem *mem, pthread_mutex_t *lock, gpa_t base, struct rng_dev **out,
	struct err *err);

#endif
