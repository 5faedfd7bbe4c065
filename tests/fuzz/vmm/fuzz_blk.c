/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver of the block device: the input is what it writes into rings, descriptors and headers, before each of a few turns.
 * The device serves, its I/O thread included, on a file in memory. The sanitizer finds pointers outside the guest's memory; the file must
 * keep its size.
 */
#include "lib/log.h"
#include "vmm/mem.h"
#include "vmm/virtio/blk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_BYTES   0x8000u
#define TURN_BYTES  0x280u /* descriptors, rings, then headers */
#define SIZE        16u
#define TURNS_MAX   6u
#define DRIVE_BYTES 0x10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct blk_dev *open_device(const struct mem *mem, unsigned kind)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct blk_setup setup = {.id = "fuzz",
		.fd = memfd_create("drive", MFD_CLOEXEC),
		.read_only = kind & 2,
		.flush = kind & 4};
	struct blk_dev *blk;

	if (setup.fd < 0 || ftruncate(setup.fd, DRIVE_BYTES) < 0 ||
		blk_new(&setup, mem, &lock, 0, &blk, NULL) < 0)
		abort();
	blk->virtio.queue[0] =
		(struct virtqueue){.size = SIZE, .desc = 0x1000, .avail = 0x1100, .used = 0x1140};
	if (virtqueue_start(&blk->virtio.queue[0], mem, kind & 1) < 0)
		abort();
	blk->virtio.driver_features = kind & 8 ? blk->virtio.features : 0;
	blk->virtio.status = VIRTIO_STATUS_DRIVER_OK;
	return blk;
}

static void turn(struct blk_dev *blk, uint8_t *ram, const uint8_t *data, size_t size)
{
	if (size)
		memcpy(ram, data, size < TURN_BYTES ? size : TURN_BYTES);
	for (unsigned i = 0; i < 4 && virtio_serve(&blk->virtio, 8); i++)
		;
	if (blk->inflight > BLK_INFLIGHT_MAX)
		abort();
	if (size && data[0] % 4 == 0)
		blk->virtio.ops->reset(&blk->virtio);
	else
		blk->virtio.ops->settle(&blk->virtio);
	if (blk->inflight != 0)
		abort();
	virtio_has_news(&blk->virtio);
	virtio_told(&blk->virtio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk_dev *blk;
	struct mem mem;
	uint8_t *ram = malloc(RAM_BYTES); /* the sanitizer knows where this ends */

	log_init("fuzz", LOG_ERROR);
	if (!ram || size < 1)
		goto out;
	mem_init(&mem);
	memset(ram, 0, RAM_BYTES);
	mem_add(&mem, 0x1000, RAM_BYTES, ram, true);
	blk = open_device(&mem, *data++);
	size--;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		turn(blk, ram, data, size);
		if (size <= TURN_BYTES)
			break;
		data += TURN_BYTES;
		size -= TURN_BYTES;
	}
	if (lseek(blk->fd, 0, SEEK_END) != DRIVE_BYTES)
		abort();
	blk->virtio.ops->fini(&blk->virtio);
	mem_fini(&mem);
out:
	free(ram);
	return 0;
}
