/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk on a file or a block device of the host: read, write, flush (fdatasync), discard, write zeroes, identity.
 *
 * A request whose pages lie in the host's page cache is done at once by whoever serves the queue (RWF_NOWAIT); whatever could
 * wait for a disk goes to the device's I/O thread (vmm/io_thread.h), and is published when that has finished. So a guest that
 * sleeps for a cached block is woken by the thread that runs it, and a slow disk stops nobody else.
 *
 * A request that asks for the impossible (beyond the end, not whole sectors, unknown type) is answered with an error; one without
 * a header or without room for the answer breaks the device. At most BLK_INFLIGHT_MAX are under way.
 *
 * Specification: virtio 1.2, section 5.2.
 */
#ifndef VMM_VIRTIO_BLK_H
#define VMM_VIRTIO_BLK_H

#include "vmm/io_thread.h"
#include "vmm/virtio/mmio.h"

#define BLK_INFLIGHT_MAX 64u
#define BLK_RANGES_MAX   16u /* of one DISCARD or WRITE_ZEROES */

struct blk_dev {
	struct virtio_dev virtio;
	struct virtio_blk_config config;
	char id[VIRTIO_BLK_ID_BYTES];
	int fd; /* owned */
	bool read_only;
	uint64_t bytes;        /* of the device */
	struct io_thread io;   /* its done_fd is the source */
	bool no_nowait[2];     /* the file system can not read (0), write (1) without waiting */
	unsigned inflight;     /* with the I/O thread, or finished and not collected */
	struct io_job *unused; /* request structures */
	uint64_t requests, errors, waited; /* waited: given to the I/O thread */
};

struct blk_setup {
	const char *id;
	int fd; /* taken in any case */
	bool read_only;
	bool flush; /* a cache that the driver may flush; else writes are simply the host's business */
};

/* Allocates the device; ops->fini frees it. 0 or -errno. */
int blk_new(const struct blk_setup *setup, const struct mem *mem, pthread_mutex_t *lock, gpa_t base,
	struct blk_dev **out, struct err *err);

#endif
