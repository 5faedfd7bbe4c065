/* SPDX-License-Identifier: Apache-2.0 */
/* See wire.h. */
#include "tests/unit/libos/net/wire.h"

#include "abi/boot.h"
#include "abi/virtio.h"
#include "libos/drv/net.h"
#include "tests/unit/libos/net/shim.h"

#include <stdlib.h>
#include <string.h>

#define SIZE      256u
#define FRAME_MAX 66000u
#define QUEUE_MAX 4096u

struct wire wire;

struct ring {
	_Alignas(16) struct virtq_desc desc[SIZE];
	_Alignas(16) unsigned char avail[VIRTQ_AVAIL_BYTES(SIZE)];
	_Alignas(16) unsigned char used[VIRTQ_USED_BYTES(SIZE)];
	uint16_t seen;
};

struct frame {
	size_t len;
	unsigned flags;
	unsigned char data[];
};

static struct ring rx, tx;
static struct frame *queue[QUEUE_MAX]; /* to the stack */
static unsigned head, count;
static bool mergeable;

static uint32_t rnd(void)
{
	static uint32_t x = 12345;

	x = x * 1664525 + 1013904223;
	return x >> 8;
}

static struct virtq_avail *avail_of(struct ring *r)
{
	return (void *)r->avail;
}

static struct virtq_used *used_of(struct ring *r)
{
	return (void *)r->used;
}

struct virtq_used *wire_rx_used(void)
{
	return used_of(&rx);
}

static void put_used(struct ring *r, uint32_t id, uint32_t len)
{
	struct virtq_used *u = used_of(r);

	u->ring[u->idx % SIZE] = (struct virtq_used_elem){id, len};
	u->idx++;
}

void wire_inject(const void *frame, size_t len, unsigned flags)
{
	if (count == QUEUE_MAX)
		return;
	struct frame *f = malloc(sizeof(*f) + len);
	f->len = len;
	f->flags = flags;
	memcpy(f->data, frame, len);
	queue[(head + count++) % QUEUE_MAX] = f;
}

/* ---- the mirror */

static void swap(unsigned char *a, unsigned char *b, size_t n)
{
	unsigned char t[6];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

static const unsigned char peer_mac[6] = {2, 0, 0, 0, 0, 1};

static void answer_arp(unsigned char *f, size_t len)
{
	uint32_t target;

	memcpy(&target, f + 38, 4);
	if (len < 42 || f[21] != 1 || target != WIRE_PEER)
		return;
	memcpy(f, f + 6, 6);
	memcpy(f + 6, peer_mac, 6);
	f[21] = 2;
	swap(f + 22, f + 32, 6);
	swap(f + 28, f + 38, 4);
	memcpy(f + 22, peer_mac, 6);
	wire_inject(f, len, 0);
}

static void mirror(unsigned char *f, size_t len, const struct virtio_net_hdr *hdr)
{
	uint32_t dst;

	wire.sent++;
	if (wire.unplugged || (wire.tap && wire.tap(f, len)))
		return;
	if (f[12] == 8 && f[13] == 6) {
		answer_arp(f, len);
		return;
	}
	memcpy(&dst, f + 30, 4);
	if (dst != WIRE_PEER)
		return;
	if (rnd() % 1000 < wire.lose) {
		wire.lost++;
		return;
	}
	memcpy(f, f + 6, 6);
	memcpy(f + 6, peer_mac, 6);
	swap(f + 26, f + 30, 4);
	if (f[23] == 1 && f[34] == 3) /* an ICMP error quotes a header: it is mirrored as well */
		swap(f + 54, f + 58, 4);
	unsigned flags = hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0;
	wire_inject(f, len, flags);
	if (rnd() % 1000 < wire.dup)
		wire_inject(f, len, flags);
	if (count >= 2 && rnd() % 1000 < wire.delay) { /* one place back */
		struct frame **a = &queue[(head + count - 1) % QUEUE_MAX],
			     **b = &queue[(head + count - 2) % QUEUE_MAX];
		struct frame *t = *a;
		*a = *b;
		*b = t;
	}
}

/* ---- the device */

static void serve_tx(void)
{
	static unsigned char buf[FRAME_MAX + 64];

	while (tx.seen != avail_of(&tx)->idx) {
		uint16_t id = avail_of(&tx)->ring[tx.seen++ % SIZE], at = id;
		struct virtio_net_hdr hdr;
		size_t len = 0;

		for (;;) {
			struct virtq_desc *d = &tx.desc[at];

			if (len + d->len > sizeof(buf))
				abort();
			memcpy(buf + len, (void *)d->addr, d->len);
			len += d->len;
			if (!(d->flags & VIRTQ_DESC_F_NEXT))
				break;
			at = d->next;
		}
		memcpy(&hdr, buf, sizeof(hdr));
		mirror(buf + sizeof(hdr), len - sizeof(hdr), &hdr);
		put_used(&tx, id, 0);
	}
	if (wire.wants_kicks) /* the event index, behind the used ring */
		memcpy(tx.used + sizeof(tx.used) - sizeof(tx.seen), &tx.seen, sizeof(tx.seen));
}

static bool deliver(const struct frame *f)
{
	struct virtio_net_hdr hdr = {.flags = (uint8_t)f->flags, .num_buffers = 1};
	size_t done = 0, parts = 0;
	void *first = NULL;

	while (done < f->len) {
		if (rx.seen == avail_of(&rx)->idx || (done > 0 && !mergeable))
			return false;
		uint16_t id = avail_of(&rx)->ring[rx.seen++ % SIZE];
		struct virtq_desc *d = &rx.desc[id];
		unsigned char *to = (void *)d->addr;
		size_t at = parts == 0 ? sizeof(hdr) : 0,
		       n = d->len - at < f->len - done ? d->len - at : f->len - done;

		memcpy(to + at, f->data + done, n);
		if (parts++ == 0)
			first = to;
		done += n;
		put_used(&rx, id, (uint32_t)(at + n));
	}
	hdr.num_buffers = (uint16_t)parts;
	memcpy(first, &hdr, sizeof(hdr));
	return true;
}

static size_t buffers_left(void)
{
	return (uint16_t)(avail_of(&rx)->idx - rx.seen);
}

static void device(void)
{
	serve_tx();
	while (count > 0 && buffers_left() >= queue[head]->len / (mergeable ? 3900 : 1900) + 1) {
		struct frame *f = queue[head];

		wire.received++;
		deliver(f);
		free(f);
		head = (head + 1) % QUEUE_MAX;
		count--;
	}
}

static struct uig_queue where(struct ring *r)
{
	return (struct uig_queue){SIZE, 0, (gpa_t)r->desc, (gpa_t)r->avail, (gpa_t)r->used};
}

int wire_start(uint64_t features)
{
	struct uig_device dev = {
		.type = UIG_DEV_NET,
		.flags = UIG_DEVF_PREPARED,
		.features =
			features | VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
		.mac = {2, 0, 0, 0, 0, 2},
		.mtu = 1500,
		.queue = {where(&rx), where(&tx)},
	};
	struct net_config config = {.ip = WIRE_SELF, .mask = 0x00ffffff, .gateway = WIRE_PEER};

	mergeable = (features & VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF)) != 0;
	shim_device = device;
	return net_init(&dev, &config);
}
