/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-console through prepared rings and through the standard negotiation; and broken rings. */
#include "guest.h"

#define TX 1u

static const char hello[] = "hello from the guest\n";
static const char parts[] = "one two three\n";

static void wait_used(struct ring *r, uint16_t id)
{
	struct virtq_used_elem e;

	ring_ask(r);
	while (!ring_take(r, &e))
		platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	CHECK(e.id == id && e.len == 0);
}

static void send_hello(const struct uig_device *dev, struct ring *r, bool kick)
{
	ring_desc(r, 0, guest_gpa(hello), sizeof(hello) - 1, 0, 0);
	ring_offer(r, 0);
	if (kick)
		device_kick(dev, TX);
	wait_used(r, 0);
}

void test_console(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_CONSOLE);
	struct ring r = ring_prepared(dev, TX);

	CHECK(dev->features == (VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX)));
	send_hello(dev, &r, false); /* the wait serves it */
	for (unsigned i = 0; i < 100; i++)
		send_hello(dev, &r, true);
	/* A chain in three parts, in no order, with an empty one. */
	ring_desc(&r, 5, guest_gpa(parts), 4, VIRTQ_DESC_F_NEXT, 2);
	ring_desc(&r, 2, guest_gpa(parts) + 4, 0, VIRTQ_DESC_F_NEXT, 9);
	ring_desc(&r, 9, guest_gpa(parts) + 4, sizeof(parts) - 5, 0, 0);
	ring_offer(&r, 5);
	wait_used(&r, 5);
	/* The last words are neither kicked nor waited for. */
	ring_desc(&r, 1, guest_gpa(parts), sizeof(parts) - 1, 0, 0);
	ring_offer(&r, 1);
}

void test_flood(void)
{
	struct ring r = ring_prepared(guest_device(UIG_DEV_CONSOLE), TX);

	for (unsigned i = 0; i < 1000; i++)
		send_hello(guest_device(UIG_DEV_CONSOLE), &r, false);
}

/* --- standard negotiation (virtio 1.2, section 3.1.1), with rings of our own --- */
#define OWN_SIZE 8u
static struct virtq_desc own_desc[OWN_SIZE] __attribute__((aligned(16)));
static uint16_t own_avail[3 + OWN_SIZE] __attribute__((aligned(8)));
static uint8_t own_used[VIRTQ_USED_BYTES(OWN_SIZE)] __attribute__((aligned(8)));

static void set_address(const struct uig_device *dev, unsigned reg, const void *p)
{
	device_write(dev, reg, (uint32_t)guest_gpa(p));
	device_write(dev, reg + 4, 0);
}

static uint64_t offered(const struct uig_device *dev)
{
	uint64_t low;

	device_write(dev, VIRTIO_MMIO_DEVICE_FEAT_SEL, 0);
	low = device_read(dev, VIRTIO_MMIO_DEVICE_FEATURES);
	device_write(dev, VIRTIO_MMIO_DEVICE_FEAT_SEL, 1);
	return low | (uint64_t)device_read(dev, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
}

static void choose(const struct uig_device *dev, uint64_t features)
{
	device_write(dev, VIRTIO_MMIO_DRIVER_FEAT_SEL, 0);
	device_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
	device_write(dev, VIRTIO_MMIO_DRIVER_FEAT_SEL, 1);
	device_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static uint32_t status_with(const struct uig_device *dev, uint32_t bits)
{
	device_write(dev, VIRTIO_MMIO_STATUS, device_read(dev, VIRTIO_MMIO_STATUS) | bits);
	return device_read(dev, VIRTIO_MMIO_STATUS);
}

static void begin(const struct uig_device *dev)
{
	device_write(dev, VIRTIO_MMIO_STATUS, 0);
	CHECK(device_read(dev, VIRTIO_MMIO_STATUS) == 0);
	status_with(dev, VIRTIO_STATUS_ACKNOWLEDGE);
	status_with(dev, VIRTIO_STATUS_DRIVER);
}

static struct ring negotiate(const struct uig_device *dev, uint64_t features)
{
	begin(dev);
	choose(dev, features);
	CHECK(status_with(dev, VIRTIO_STATUS_FEATURES_OK) & VIRTIO_STATUS_FEATURES_OK);
	device_write(dev, VIRTIO_MMIO_QUEUE_SEL, TX);
	CHECK(device_read(dev, VIRTIO_MMIO_QUEUE_NUM_MAX) >= OWN_SIZE);
	CHECK(device_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0);
	device_write(dev, VIRTIO_MMIO_QUEUE_NUM, OWN_SIZE);
	set_address(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, own_desc);
	set_address(dev, VIRTIO_MMIO_QUEUE_AVAIL_LOW, own_avail);
	set_address(dev, VIRTIO_MMIO_QUEUE_USED_LOW, own_used);
	device_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	CHECK(device_read(dev, VIRTIO_MMIO_QUEUE_READY) == 1);
	CHECK(status_with(dev, VIRTIO_STATUS_DRIVER_OK) & VIRTIO_STATUS_DRIVER_OK);
	__builtin_memset(own_avail, 0, sizeof(own_avail));
	__builtin_memset(own_used, 0, sizeof(own_used));
	return (struct ring){.size = OWN_SIZE,
		.desc = own_desc,
		.avail = (void *)own_avail,
		.used = (void *)own_used};
}

void test_negotiate(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_CONSOLE);
	uint64_t both = VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
	struct ring r;

	CHECK(device_read(dev, VIRTIO_MMIO_MAGIC) == VIRTIO_MMIO_MAGIC_VALUE);
	CHECK(device_read(dev, VIRTIO_MMIO_VERSION) == VIRTIO_MMIO_VERSION_2);
	CHECK(device_read(dev, VIRTIO_MMIO_DEVICE_ID) == UIG_DEV_CONSOLE);
	CHECK(offered(dev) == both);
	/* Features that are not offered, and a driver of the old kind. */
	begin(dev);
	choose(dev, both | 2);
	CHECK(!(status_with(dev, VIRTIO_STATUS_FEATURES_OK) & VIRTIO_STATUS_FEATURES_OK));
	CHECK(!(status_with(dev, VIRTIO_STATUS_DRIVER_OK) & VIRTIO_STATUS_DRIVER_OK));
	begin(dev);
	choose(dev, VIRTIO_BIT(VIRTIO_F_EVENT_IDX));
	CHECK(!(status_with(dev, VIRTIO_STATUS_FEATURES_OK) & VIRTIO_STATUS_FEATURES_OK));
	/* With and without the event index. */
	r = negotiate(dev, both);
	for (unsigned i = 0; i < 20; i++)
		send_hello(dev, &r, i % 2);
	r = negotiate(dev, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	for (unsigned i = 0; i < 20; i++)
		send_hello(dev, &r, i % 2);
}

/* --- broken rings --- */
static void break_ring(struct ring *r)
{
	gpa_t ok = guest_gpa(hello);
	uint64_t ram = bootinfo->region[0].bytes;

	ring_desc(r, 0, ok, 4, 0, 0);
	if (guest_has_word("loop")) {
		ring_desc(r, 0, ok, 4, VIRTQ_DESC_F_NEXT, 1);
		ring_desc(r, 1, ok, 4, VIRTQ_DESC_F_NEXT, 0);
	} else if (guest_has_word("emptyloop")) {
		ring_desc(r, 0, ok, 0, VIRTQ_DESC_F_NEXT, 0);
	} else if (guest_has_word("range")) {
		ring_desc(r, 0, ram, 4, 0, 0);
	} else if (guest_has_word("edge")) {
		ring_desc(r, 0, ram - 2, 4, 0, 0);
	} else if (guest_has_word("wrap")) {
		ring_desc(r, 0, 0xffffffffffffff00ull, 0xffff, 0, 0);
	} else if (guest_has_word("length")) {
		ring_desc(r, 0, ok, 0xffffffff, 0, 0);
	} else if (guest_has_word("device")) {
		ring_desc(r, 0, UIG_GPA_PLATFORM, 8, 0, 0);
	} else if (guest_has_word("next")) {
		ring_desc(r, 0, ok, 4, VIRTQ_DESC_F_NEXT, 60000);
	} else if (guest_has_word("indirect")) {
		ring_desc(r, 0, ok, 16, VIRTQ_DESC_F_INDIRECT, 0);
	} else if (guest_has_word("order")) {
		ring_desc(r, 0, ok, 4, VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE, 1);
		ring_desc(r, 1, ok, 4, 0, 0);
	} else if (guest_has_word("head")) {
		ring_offer(r, 60000);
		return;
	} else if (guest_has_word("index")) {
		__atomic_store_n(&r->avail->idx, 30000, __ATOMIC_SEQ_CST);
		return;
	} else {
		guest_fail(__FILE__, __LINE__); /* no such kind of damage */
	}
	ring_offer(r, 0);
}

void test_wild(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_CONSOLE);
	struct ring r = ring_prepared(dev, TX);

	send_hello(dev, &r, false);
	break_ring(&r);
	platform_write(UIG_REG_WAIT, 0);
	CHECK(device_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
	CHECK(device_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & 2);
	platform_write(UIG_REG_WAIT, 0); /* dead, and quiet */
	r = negotiate(dev, VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX));
	send_hello(dev, &r, true); /* and alive again */
	CHECK(!(device_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET));
}
