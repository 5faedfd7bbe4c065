/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is what a guest could write: a page of descriptors and rings, then the number of turns. After each turn the
 * rings are written again with the input's next bytes, as a guest does that changes them under the device. The console device
 * on top writes every byte of every chain to /dev/null: a pointer outside the guest's memory is found by the sanitizer.
 */
#include "lib/log.h"
#include "vmm/mem.h"
#include "vmm/virtio/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES   0x8000u
#define RINGS_BYTES 0x200u
#define SIZE        16u
#define TURNS_MAX   8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_rings(uint8_t *ram, const uint8_t *data, size_t size)
{
	if (size)
		memcpy(ram, data, size < RINGS_BYTES ? size : RINGS_BYTES);
}

static void serve(struct console_dev *console)
{
	for (unsigned i = 0; i < 4 && virtio_serve(&console->virtio, 8); i++)
		;
	virtio_has_news(&console->virtio);
	virtio_told(&console->virtio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int null_fd = -1;
	struct console_dev console;
	struct virtqueue *q;
	struct mem mem;
	uint8_t *ram;

	if (null_fd < 0) {
		null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		log_init("fuzz", LOG_ERROR);
	}
	mem_init(&mem);
	ram = malloc(RAM_BYTES); /* not mem_reserve(): the sanitizer knows where this ends */
	if (!ram || console_init(&console, null_fd, 1u << 20, &mem, &lock, 0, NULL) < 0)
		abort();
	memset(ram, 0, RAM_BYTES);
	mem_add(&mem, 0x1000, RAM_BYTES, ram, true);
	q = &console.virtio.queue[CONSOLE_QUEUE_TX];
	*q = (struct virtqueue){.size = SIZE, .desc = 0x1000, .avail = 0x1100, .used = 0x1140};
	if (virtqueue_start(q, &mem, size & 1) < 0)
		abort();
	console.virtio.status = VIRTIO_STATUS_DRIVER_OK;
	for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
		copy_rings(ram, data, size);
		serve(&console);
		if (size <= RINGS_BYTES)
			break;
		data += RINGS_BYTES;
		size -= RINGS_BYTES;
	}
	console.virtio.ops->fini(&console.virtio);
	mem_fini(&mem);
	free(ram);
	return 0;
}
