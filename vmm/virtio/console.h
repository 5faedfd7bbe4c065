/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console: the guest's output goes to a descriptor (a file, a pipe), one write per request of the driver, up to a
 * number of bytes; then one line says that it was cut and the rest is thrown away. There is no input: receive buffers are kept.
 *
 * A full pipe holds the guest up, as it does a process, but not for ever: a request waits for CONSOLE_PATIENCE_NS in all, and with its first
 * CONSOLE_WAIT_BYTES only (a chain may name all of RAM many times over); the rest is lost, without another wait until there is room
 * again. Then, or at the end of the VM, a line says how many bytes are missing there.
 *
 *           it is full, and stays so for the patience         it has room
 *   waiting ------------------------------------> given up -----------------> waiting
 *
 * Specification: virtio 1.2, section 5.3 (one port, no multiport).
 */
#ifndef VMM_VIRTIO_CONSOLE_H
#define VMM_VIRTIO_CONSOLE_H

#include "lib/util.h"
#include "vmm/virtio/mmio.h"

#define CONSOLE_QUEUE_TX  1u
#define CONSOLE_MAX_BYTES (16u << 20) /* default cap */
/* Below the 2 s after which the libOS gives up a device; a manager that is killed and started again reads sooner or later. */
#define CONSOLE_PATIENCE_NS (1 * NS_PER_S)
#define CONSOLE_WAIT_BYTES  (1u << 20) /* drivers send pages */

struct console_dev {
	struct virtio_dev virtio;
	int fd;        /* borrowed; -1: thrown away */
	bool is_file;  /* regular: never blocks */
	uint64_t left; /* bytes until the cut */
	int64_t patience_ns;
	bool given_up;      /* waited in vain, and there has been no room since */
	bool cut, cut_said; /* output was thrown away; the line about it is out */
	uint64_t gap;       /* bytes lost that no line has told of yet */
	uint64_t bytes, lost;
};

int console_init(struct console_dev *console, int fd, uint64_t max_bytes, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct err *err);

/* Nothing more comes: says what is missing at the end, for which it waits once more. Under the devices' lock. */
void console_end(struct console_dev *console);

/* One byte past the queue (abi/platform.h, DEBUG), under the same cap. Under the devices' lock. */
void console_debug(struct console_dev *console, uint8_t byte);

#endif
