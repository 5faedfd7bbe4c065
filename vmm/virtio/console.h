/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console: the guest's output goes to a descriptor (a file, a pipe), one write per request of the driver, up to a
 * number of bytes; then one line says that it was cut and the rest is thrown away. A full pipe loses output rather
 * than hold up the guest; where some is missing, a line says how much, as soon as there is room and more to say. There is no
 * input: receive buffers are kept.
 *
 * Specification: virtio 1.2, section 5.3 (one port, no multiport).
 */
#ifndef VMM_VIRTIO_CONSOLE_H
#define VMM_VIRTIO_CONSOLE_H

#include "vmm/virtio/mmio.h"

#define CONSOLE_QUEUE_TX  1u
#define CONSOLE_MAX_BYTES (16u << 20) /* default cap */

struct console_dev {
	struct virtio_dev virtio;
	int fd;             /* borrowed; -1: thrown away */
	bool is_file;       /* regular: never blocks */
	uint64_t left;      /* bytes until the cut */
	bool cut, cut_said; /* output was thrown away; the line about it is out */
	uint64_t gap;       /* bytes lost that no line has told of yet */
	uint64_t bytes, lost;
};

int console_init(struct console_dev *console, int fd, uint64_t max_bytes, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct err *err);

/* One byte past the queue (abi/platform.h, DEBUG), under the same cap. Under the devices' lock. */
void console_debug(struct console_dev *console, uint8_t byte);

#endif
