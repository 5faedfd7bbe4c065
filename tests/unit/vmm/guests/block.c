/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk through prepared rings: what a driver does, with and without sleeping, and a reset in the middle of it. */
#include "guest.h"

#define SECTOR VIRTIO_BLK_SECTOR_BYTES
#define BYTES  (64u * 1024)

static uint8_t data[BYTES] __attribute__((aligned(4096)));
static struct virtio_blk_req head;
static uint8_t status;
static bool polls; /* looks at the ring instead of sleeping in WAIT */

static uint32_t finish(struct ring *r)
{
	struct virtq_used_elem e;

	if (polls)
		device_kick(guest_device(UIG_DEV_BLOCK), 0);
	else
		ring_ask(r);
	while (!ring_take(r, &e)) {
		if (!polls)
			platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	}
	CHECK(e.id == 0);
	return e.len;
}

static uint8_t request(struct ring *r, uint32_t type, uint64_t sector, uint32_t bytes)
{
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	uint32_t len;

	head = (struct virtio_blk_req){.type = type, .sector = sector};
	status = 0xaa;
	ring_desc(r, 0, guest_gpa(&head), sizeof(head), VIRTQ_DESC_F_NEXT, bytes ? 1 : 2);
	ring_desc(
		r, 1, guest_gpa(data), bytes, VIRTQ_DESC_F_NEXT | (in ? VIRTQ_DESC_F_WRITE : 0), 2);
	ring_desc(r, 2, guest_gpa(&status), 1, VIRTQ_DESC_F_WRITE, 0);
	ring_offer(r, 0);
	len = finish(r);
	CHECK(len == (in && status == VIRTIO_BLK_S_OK ? bytes : 0) + 1);
	return *(volatile uint8_t *)&status;
}

static void fill(uint8_t seed)
{
	for (unsigned i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(seed + i / SECTOR * 7 + i);
}

static bool is_filled(uint8_t seed, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		if (data[i] != (uint8_t)(seed + i / SECTOR * 7 + i))
			return false;
	}
	return true;
}

static uint64_t capacity(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_BLOCK);

	return device_read(dev, VIRTIO_MMIO_CONFIG) |
		(uint64_t)device_read(dev, VIRTIO_MMIO_CONFIG + 4) << 32;
}

/* The file has 1 MiB; its last sector says "last". */
void test_block(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_BLOCK);
	struct ring r = ring_prepared(dev, 0);
	uint64_t sectors = capacity();
	bool ro = dev->features & VIRTIO_BIT(VIRTIO_BLK_F_RO);

	polls = guest_has_word("polls");
	CHECK(sectors == 2048);
	CHECK(request(&r, VIRTIO_BLK_T_IN, sectors - 1, SECTOR) == VIRTIO_BLK_S_OK);
	CHECK(data[508] == 'l' && data[511] == 't');
	CHECK(request(&r, VIRTIO_BLK_T_IN, sectors, SECTOR) == VIRTIO_BLK_S_IOERR);
	CHECK(request(&r, VIRTIO_BLK_T_IN, sectors - 1, 2 * SECTOR) == VIRTIO_BLK_S_IOERR);
	fill(3);
	if (ro) {
		CHECK(request(&r, VIRTIO_BLK_T_OUT, 0, BYTES) == VIRTIO_BLK_S_IOERR);
		CHECK(request(&r, VIRTIO_BLK_T_FLUSH, 0, 0) == VIRTIO_BLK_S_OK);
		return;
	}
	for (unsigned i = 0; i < 10; i++) {
		fill((uint8_t)i);
		CHECK(request(&r, VIRTIO_BLK_T_OUT, 100, BYTES) == VIRTIO_BLK_S_OK);
		CHECK(request(&r, VIRTIO_BLK_T_FLUSH, 0, 0) == VIRTIO_BLK_S_OK);
		fill(99);
		CHECK(request(&r, VIRTIO_BLK_T_IN, 100, BYTES) == VIRTIO_BLK_S_OK);
		CHECK(is_filled((uint8_t)i, BYTES));
	}
	*(struct virtio_blk_range *)data = (struct virtio_blk_range){.sector = 101, .sectors = 3};
	CHECK(request(&r, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16) == VIRTIO_BLK_S_OK);
	CHECK(request(&r, VIRTIO_BLK_T_IN, 100, 8 * SECTOR) == VIRTIO_BLK_S_OK);
	CHECK(is_filled(9, SECTOR) && data[SECTOR] == 0 && data[4 * SECTOR - 1] == 0);
	CHECK(data[4 * SECTOR] == (uint8_t)(9 + 28 + 4 * SECTOR));
}

/* Random bytes: as many as there is room for, up to the device's limit, and not all the same. */
void test_rng(void)
{
	struct ring r = ring_prepared(guest_device(UIG_DEV_RNG), 0);
	struct virtq_used_elem e;
	unsigned differ = 0;

	ring_desc(&r, 0, guest_gpa(data), 100, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
	ring_desc(&r, 1, guest_gpa(data + 100), 5000, VIRTQ_DESC_F_WRITE, 0);
	ring_offer(&r, 0);
	ring_ask(&r);
	while (!ring_take(&r, &e))
		platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	CHECK(e.id == 0 && e.len == 4096);
	for (unsigned i = 1; i < 4096; i++)
		differ += data[i] != data[i - 1];
	CHECK(differ > 3500); /* 4,080 are to be expected */
	for (unsigned i = 4096; i < 5100; i++)
		CHECK(data[i] == 0);
	/* Nothing to write into: an answer without bytes. */
	ring_desc(&r, 0, guest_gpa(data), 100, 0, 0);
	ring_offer(&r, 0);
	ring_ask(&r);
	while (!ring_take(&r, &e))
		platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	CHECK(e.len == 0);
}

/* Requests that come late: flushes are under way when the device is reset, again and again. The device must come back whole. */
void test_block_reset(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_BLOCK);
	struct ring r = ring_prepared(dev, 0);

	for (unsigned n = 0; n < 8; n++) {
		head = (struct virtio_blk_req){.type = VIRTIO_BLK_T_FLUSH};
		ring_desc(&r, 0, guest_gpa(&head), sizeof(head), VIRTQ_DESC_F_NEXT, 1);
		ring_desc(&r, 1, guest_gpa(&status), 1, VIRTQ_DESC_F_WRITE, 0);
		ring_offer(&r, 0);
	}
	platform_write(UIG_REG_WAIT, 0);
	device_write(dev, VIRTIO_MMIO_STATUS, 0);
	CHECK(device_read(dev, VIRTIO_MMIO_STATUS) == 0);
	status = 0xaa;
	platform_write(UIG_REG_WAIT, guest_tsc() + 10000000);
	CHECK(status == 0xaa); /* nothing of the old life comes after the reset */
}
