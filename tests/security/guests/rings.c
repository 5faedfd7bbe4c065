/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rubbish in the rings. After each change the device is reset and set up again where that is needed (a broken ring stops it), and
 * kicked; a WAIT until now lets the monitor serve on the vCPU's thread as well.
 */
#include "hostile.h"

#include <string.h>

#define SIZE   256u
#define AREA   0x70000ull /* nobody's: between the rings and the libOS */
#define ROUNDS 3000

struct ring {
	const struct uig_device *dev;
	uint32_t queue, size;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
};

static void set_address(const struct ring *r, uint32_t low, gpa_t at)
{
	write_device(r->dev, low, (uint32_t)at);
	write_device(r->dev, low + 4, (uint32_t)(at >> 32));
}

/* Resets the device and makes one queue live, at these places. */
static void set_up(struct ring *r, gpa_t desc, gpa_t avail, gpa_t used)
{
	write_device(r->dev, VIRTIO_MMIO_STATUS, 0);
	write_device(r->dev, VIRTIO_MMIO_STATUS, 3);
	write_device(r->dev, VIRTIO_MMIO_DRIVER_FEAT_SEL, 1);
	write_device(r->dev, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	write_device(r->dev, VIRTIO_MMIO_DRIVER_FEAT_SEL, 0);
	write_device(
		r->dev, VIRTIO_MMIO_DRIVER_FEATURES, rubbish() % 2 ? 1u << VIRTIO_F_EVENT_IDX : 0);
	write_device(r->dev, VIRTIO_MMIO_STATUS, 11);
	write_device(r->dev, VIRTIO_MMIO_QUEUE_SEL, r->queue);
	write_device(r->dev, VIRTIO_MMIO_QUEUE_NUM, r->size);
	set_address(r, VIRTIO_MMIO_QUEUE_DESC_LOW, desc);
	set_address(r, VIRTIO_MMIO_QUEUE_AVAIL_LOW, avail);
	set_address(r, VIRTIO_MMIO_QUEUE_USED_LOW, used);
	write_device(r->dev, VIRTIO_MMIO_QUEUE_READY, 1);
	write_device(r->dev, VIRTIO_MMIO_STATUS, 15);
	r->desc = ram(desc);
	r->avail = ram(avail);
	r->used = ram(used);
}

static void serve(const struct ring *r)
{
	if (rubbish() % 2)
		write_device(r->dev, VIRTIO_MMIO_QUEUE_NOTIFY, r->queue);
	else
		write_platform(UIG_REG_WAIT, 0);
}

static struct ring any_ring(void)
{
	const struct uig_bootinfo *boot = bootinfo();

	return (struct ring){.dev = &boot->device[rubbish() % boot->ndevices],
		.queue = (uint32_t)(rubbish() % 2),
		.size = 1u << (rubbish() % 9)};
}

static gpa_t wild_address(void)
{
	static const uint64_t some[] = {0, AREA, UIG_GPA_RINGS, UIG_GPA_LIBOS, UIG_GPA_MMIO - 8,
		UIG_GPA_MMIO, UIG_GPA_PLATFORM, UIG_GPA_IMAGE, UIG_GPA_HIGH_RAM, ~0ull,
		~0ull << 12};

	switch (rubbish() % 3) {
	case 0:
		return some[rubbish() % (sizeof(some) / sizeof(some[0]))];
	case 1:
		return rubbish() % bootinfo()->region[0].bytes;
	default:
		return rubbish();
	}
}

static uint32_t wild_length(void)
{
	static const uint32_t some[] = {0, 1, 11, 12, 26, 1514, 65562, 0x7fffffff, 0xffffffff};

	return rubbish() % 2 ? some[rubbish() % (sizeof(some) / sizeof(some[0]))]
			     : (uint32_t)rubbish();
}

/* Descriptors with wild addresses, lengths, flags and links; loops; indexes that run backwards. */
static int descriptors(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct ring r = any_ring();

		set_up(&r, AREA, AREA + 0x2000, AREA + 0x4000);
		for (uint32_t d = 0; d < r.size; d++) {
			r.desc[d].addr = wild_address();
			r.desc[d].len = wild_length();
			r.desc[d].flags = (uint16_t)(rubbish() % 5 ? rubbish() % 4 : rubbish());
			r.desc[d].next = (uint16_t)(rubbish() % 8 ? rubbish() % r.size : rubbish());
			r.avail->ring[d] =
				(uint16_t)(rubbish() % 8 ? rubbish() % r.size : rubbish());
		}
		r.avail->ring[r.size] = (uint16_t)rubbish();
		r.avail->idx = (uint16_t)(rubbish() % 4 ? rubbish() % (r.size + 1) : rubbish());
		serve(&r);
		r.avail->idx = (uint16_t)(r.avail->idx - 1);
		r.used->idx = (uint16_t)rubbish();
		serve(&r);
	}
	return 42;
}

/* Parts of a ring that lie over one another: what the device writes is what it reads next. */
static int overlaps(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct ring r = any_ring();
		gpa_t at = AREA + rubbish() % 64 * 16;

		set_up(&r, at, AREA + rubbish() % 512 * 2, AREA + rubbish() % 256 * 4);
		r.avail->idx = (uint16_t)(rubbish() % (r.size + 1));
		r.desc[0] = (struct virtq_desc){.addr = at,
			.len = wild_length() % 4096,
			.flags = (uint16_t)(rubbish() % 4)};
		serve(&r);
		serve(&r);
	}
	return 42;
}

/* Rings at the edges of memory and beyond. */
static int places(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct ring r = any_ring();

		r.size = rubbish() % 4 ? r.size : (uint32_t)rubbish();
		set_up(&r, wild_address() & ~15ull, wild_address() & ~1ull, wild_address() & ~3ull);
		serve(&r);
	}
	return 42;
}

/* The libOS's own rings, live: one chain that is a loop, one that is 64 times all of RAM. */
static int live_rings(void)
{
	const struct uig_bootinfo *boot = bootinfo();

	for (uint32_t i = 0; i < boot->ndevices; i++) {
		for (uint32_t n = 0; n < UIG_QUEUES_MAX; n++) {
			const struct uig_queue *q = &boot->device[i].queue[n];
			struct virtq_desc *desc = ram(q->desc);
			struct virtq_avail *avail = ram(q->avail);

			for (uint32_t d = 0; d < q->size; d++) {
				desc[d] = (struct virtq_desc){.addr = 0,
					.len = (uint32_t)boot->region[0].bytes,
					.flags = VIRTQ_DESC_F_NEXT,
					.next = (uint16_t)(d < 62 ? d + 1 : d)};
				avail->ring[d] = 0;
			}
			if (n == 1)
				desc[62 % q->size].flags = 0;
			avail->idx = (uint16_t)(avail->idx + q->size);
			write_device(&boot->device[i], VIRTIO_MMIO_QUEUE_NOTIFY, n);
		}
	}
	for (int i = 0; i < 100; i++)
		write_platform(UIG_REG_WAIT, 0);
	return 42;
}

/* All of RAM, 62 times over, to the console: bounded by its limit. */
static int console_of_ram(void)
{
	struct ring r = {.dev = find_device(UIG_DEV_CONSOLE), .queue = 1, .size = 64};

	if (!r.dev)
		return 98;
	memset(ram(AREA), 0, 0x8000);
	set_up(&r, AREA, AREA + 0x2000, AREA + 0x4000);
	for (unsigned d = 0; d < 64; d++)
		r.desc[d] = (struct virtq_desc){.addr = UIG_GPA_LIBOS,
			.len = (uint32_t)(bootinfo()->region[0].bytes - UIG_GPA_LIBOS),
			.flags = d < 61 ? VIRTQ_DESC_F_NEXT : 0,
			.next = (uint16_t)(d + 1)};
	for (uint16_t i = 0; i < 1000; i++) {
		r.avail->idx = (uint16_t)(r.avail->idx + 1);
		write_device(r.dev, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
		write_platform(UIG_REG_WAIT, 0);
	}
	write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_CODE, 42));
	return 42;
}

/* Event indexes that always ask for more: WAIT never sleeps, and comes back each time. */
static int restless(void)
{
	const struct uig_bootinfo *boot = bootinfo();

	for (uint32_t i = 0; i < boot->ndevices; i++) {
		for (uint32_t n = 0; n < UIG_QUEUES_MAX; n++) {
			struct virtq_avail *avail = ram(boot->device[i].queue[n].avail);
			struct virtq_used *used = ram(boot->device[i].queue[n].used);

			if (boot->device[i].queue[n].size)
				avail->ring[boot->device[i].queue[n].size] =
					(uint16_t)(used->idx - 1);
		}
	}
	for (int i = 0; i < ROUNDS; i++)
		write_platform(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_CODE, 42));
	return 42;
}

const struct attack ring_attacks[] = {
	{"descriptors", descriptors},
	{"overlaps", overlaps},
	{"places", places},
	{"live-rings", live_rings},
	{"console-of-ram", console_of_ram},
	{"restless", restless},
	{0},
};
