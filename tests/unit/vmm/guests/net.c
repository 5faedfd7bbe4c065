/* SPDX-License-Identifier: Apache-2.0 */
/* Sends every frame of the local experimental Ethernet type back to its sender, until one begins with 'q'. */
#include "guest.h"

#define RX           0u
#define TX           1u
#define BUFFERS      64u
#define BUFFER_BYTES 2048u
#define HEADER       sizeof(struct virtio_net_hdr)
#define TYPE_OFFSET  12u
#define DATA_OFFSET  14u
#define REST_MS      6u

static uint8_t buffers[BUFFERS][BUFFER_BYTES] __attribute__((aligned(16)));

static void post(struct ring *rx, uint16_t i)
{
	ring_desc(rx, i, guest_gpa(buffers[i]), BUFFER_BYTES, VIRTQ_DESC_F_WRITE, 0);
	ring_offer(rx, i);
}

static void swap(uint8_t *frame)
{
	for (unsigned i = 0; i < 6; i++) {
		uint8_t t = frame[i];

		frame[i] = frame[6 + i];
		frame[6 + i] = t;
	}
}

static bool is_ours(const uint8_t *frame)
{
	return frame[TYPE_OFFSET] == 0x88 && frame[TYPE_OFFSET + 1] == 0xb5;
}

/* Hears of no frame for longer than a period of the monitor's timer, which takes it for a guest that rests. */
static void rest(struct ring *rx)
{
	ring_mute(rx);
	platform_write(UIG_REG_WAIT, guest_tsc() + REST_MS * bootinfo->tsc_khz);
	ring_ask(rx);
}

void test_netecho(void)
{
	const struct uig_device *dev = guest_device(UIG_DEV_NET);
	struct ring rx = ring_prepared(dev, RX), tx = ring_prepared(dev, TX);
	bool kick = guest_has_word("kick"), rests = guest_has_word("rests"), quit = false;
	struct virtq_used_elem e;

	CHECK(dev->mtu == 1500 && dev->mac[0] == 2);
	CHECK(*(volatile uint8_t *)guest_io(dev->mmio + VIRTIO_MMIO_CONFIG) == dev->mac[0]);
	for (uint16_t i = 0; i < BUFFERS; i++)
		post(&rx, i);
	platform_write(UIG_REG_MILESTONE, UIG_MS_LISTEN);
	while (!quit) {
		ring_ask(&rx);
		ring_mute(&tx);
		if (rests && __atomic_load_n(&rx.used->idx, __ATOMIC_ACQUIRE) == rx.seen)
			rest(&rx);
		if (!ring_take(&rx, &e)) {
			platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
			continue;
		}
		CHECK(e.id < BUFFERS && e.len > HEADER && e.len <= BUFFER_BYTES);
		if (!is_ours(buffers[e.id] + HEADER)) {
			post(&rx, (uint16_t)e.id);
			continue;
		}
		CHECK(((const struct virtio_net_hdr *)buffers[e.id])->num_buffers == 1);
		quit = buffers[e.id][HEADER + DATA_OFFSET] == 'q';
		swap(buffers[e.id] + HEADER);
		ring_desc(&tx, (uint16_t)e.id, guest_gpa(buffers[e.id]), e.len, 0, 0);
		ring_offer(&tx, (uint16_t)e.id);
		if (kick)
			device_kick(dev, TX);
		else
			platform_write(UIG_REG_WAIT, 0); /* the frame leaves in this exit */
		while (!ring_take(&tx, &e)) {
			ring_ask(&tx);
			platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
		}
		post(&rx, (uint16_t)e.id);
	}
}
