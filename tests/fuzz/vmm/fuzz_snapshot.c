/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file of a snapshot. An even first byte: the rest is the file. An odd one: it is laid over a good one, at the offset of the next two
 * bytes, and gets the digest that belongs to it, so that what is behind the digest is tried too. What is accepted is in bounds.
 */
#include "lib/err.h"
#include "vmm/mem.h"
#include "vmm/snapshot/snapshot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_good(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->abi_version = UIG_ABI_VERSION;
	s->ram_bytes = 4 << 20;
	s->generation = s->nextents = s->mem_pages = 1;
	s->extent[0].bytes = 4096;
	s->ndevices = 1;
	s->device[0] = (struct virtio_state){.type = UIG_DEV_CONSOLE, .status = 15};
	s->device[0].queue[1] = (struct virtio_queue_state){
		.size = 64, .live = 1, .desc = 0x1000, .avail = 0x2000, .used = 0x3000};
}

static void check(const struct snapshot *s)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < s->nextents; i++) {
		if (s->extent[i].offset < at || s->extent[i].bytes == 0 ||
			s->extent[i].offset + s->extent[i].bytes > s->ram_bytes)
			abort();
		at = s->extent[i].offset + s->extent[i].bytes;
	}
	if (s->ndevices > UIG_DEVICES_MAX || s->cpu_state.nmsrs > CPU_STATE_MSRS)
		abort();
}

static int serve_nothing(struct virtio_dev *dev, unsigned budget)
{
	return 0;
}

static void fini(struct virtio_dev *dev) {}

/* A device takes any state, or refuses it. */
static void restore(const struct virtio_state *state)
{
	static const struct virtio_ops ops = {.name = "any",
		.type = UIG_DEV_CONSOLE,
		.nqueues = 2,
		.queue_max = VIRTQUEUE_SIZE_MAX,
		.serve = serve_nothing,
		.fini = fini};
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static _Alignas(4096) uint8_t ram[RAM_BYTES];
	struct virtio_dev dev = {0};
	struct chain chain;
	struct mem mem;

	mem_init(&mem);
	mem_add(&mem, 0, sizeof(ram), ram, true);
	if (virtio_init(&dev, &ops, &mem, &lock, 0, NULL) < 0)
		return;
	if (virtio_restore(&dev, state) == 0) {
		for (unsigned i = 0; i < 2; i++)
			virtqueue_pop(&dev.queue[i], &chain);
		virtio_has_news(&dev);
	}
	virtio_fini(&dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct snapshot file, s;
	struct err err = {0};
	int r;

	if (size < 3)
		return 0;
	if (data[0] & 1) {
		size_t at = (data[1] | (size_t)data[2] << 8) % sizeof(file);
		size_t n = size - 3 < sizeof(file) - at ? size - 3 : sizeof(file) - at;

		make_good(&file);
		memcpy((uint8_t *)&file + at, data + 3, n);
		snapshot_seal(&file);
		r = snapshot_parse(&file, sizeof(file), &s, &err);
	} else {
		r = snapshot_parse(data + 1, size - 1, &s, &err);
	}
	if (r < 0 && err.msg[0] == '\0')
		abort();
	if (r < 0)
		return 0;
	check(&s);
	for (unsigned i = 0; i < s.ndevices; i++)
		restore(&s.device[i]);
	return 0;
}
