/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net (virtio 1.2, section 5.1). Owns the two queues and the pool of buffers. Few receive buffers are posted at first, so that
 * an instance with little traffic touches little memory; each time too few are left for the longest frame the number doubles.
 *
 * Small frames are copied into a buffer of the pool, one descriptor each; large ones are sent where they lie. Finished ones are taken back when the next is sent. Nothing here
 * tells the device: vnet_kick() does, and under uvmm a guest that goes to sleep has its frames sent without.
 */
#include "libos/drv/virtio_net.h"

#include "abi/boot.h"
#include "libos/drv/hold.h"
#include "libos/drv/platform.h"
#include "libos/drv/virtio_mmio.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"

#define RX            0u
#define TX            1u
#define QUEUE_SIZE    256u
#define HALF_BYTES    (PAGE_BYTES / 2)
#define RX_FIRST      32u /* receive buffers at start */
#define POOL_MAX      256u
#define ETH_MIN       14u
#define FRAME_LONGEST (VNET_HDR_BYTES + ETH_MIN + 65535u)

#define SENT_IN_PLACE 1u /* in a cookie: not a buffer of ours */

#define RX_OFFLOADS                                                                                \
	(VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) |               \
		VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF))
#define TX_OFFLOADS                                                                                \
	(VIRTIO_BIT(VIRTIO_NET_F_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4) |                      \
		VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO6))
#define RX_LARGE (VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6))
#define WANTED   (VIRTIO_BIT(VIRTIO_NET_F_MAC) | RX_OFFLOADS | TX_OFFLOADS)

struct vnet_stats vnet_stats;

static struct {
	struct virtio_device vd;
	vnet_input_fn *input;
	bool open, mergeable;
	uint32_t rx_bytes; /* size of a receive buffer */
	unsigned rx_posted, rx_target;
	unsigned
		rx_least; /* with fewer the device has no room for a frame of any length: it waits for more */
	void *pool[POOL_MAX]; /* free halves */
	unsigned npool;
	struct vnet_frame frame; /* being put together */
	vnet_sent_fn *sent;      /* of large frames */
	struct hold hold;        /* of frames to send */
} net;

/* ---- buffers: halves of a page, each holding one reference on it; or whole pages */

static void *half_alloc(void)
{
	if (net.npool > 0)
		return net.pool[--net.npool];
	char *page = page_alloc_raw();
	if (!page)
		return NULL;
	page_get(page);
	net.pool[net.npool++] = page + HALF_BYTES;
	return page;
}

static void half_free(void *half)
{
	if (net.npool < POOL_MAX)
		net.pool[net.npool++] = half;
	else
		page_put((void *)page_round_down((uintptr_t)half));
}

static void *rx_alloc(void)
{
	return net.rx_bytes == HALF_BYTES ? half_alloc() : page_alloc_raw();
}

void vnet_buf_free(void *buf)
{
	if (net.rx_bytes == HALF_BYTES)
		half_free(buf);
	else
		page_put(buf);
}

/* ---- receive */

static void rx_fill(void)
{
	while (net.rx_posted < net.rx_target) {
		char *buf = rx_alloc();
		if (!buf)
			return; /* tried again at the next frame */
		struct vq_buf vb = {buf + VNET_HEADROOM, net.rx_bytes - VNET_HEADROOM};

		if (virtqueue_add(&net.vd.vq[RX], &vb, 0, 1, buf) < 0) {
			vnet_buf_free(buf);
			return;
		}
		net.rx_posted++;
	}
}

static bool rx_pop(struct vnet_part *part)
{
	void *buf = virtqueue_pop(&net.vd.vq[RX], &part->len);

	if (!buf)
		return false;
	net.rx_posted--;
	part->buf = buf;
	part->data = (char *)buf + VNET_HEADROOM;
	return true;
}

static void frame_drop(struct vnet_frame *f)
{
	for (unsigned i = 0; i < f->parts; i++)
		vnet_buf_free(f->part[i].buf);
	vnet_stats.rx_dropped++;
}

/* Collects the parts of one frame; false when there is none, or it was bad and is gone. */
static bool frame_collect(struct vnet_frame *f)
{
	struct virtio_net_hdr hdr;
	unsigned want = 1;

	f->parts = 0;
	if (!rx_pop(&f->part[0]))
		return false;
	f->parts = 1;
	if (f->part[0].len < VNET_HDR_BYTES + ETH_MIN) {
		frame_drop(f);
		return false;
	}
	memcpy(&hdr, f->part[0].data, sizeof(hdr)); /* copied once */
	if (net.mergeable)
		want = hdr.num_buffers;
	f->part[0].data = (char *)f->part[0].data + VNET_HDR_BYTES;
	f->part[0].len -= VNET_HDR_BYTES;
	f->csum_ok =
		(hdr.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0 &&
		(net.vd.features & VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM)) != 0;
	while (f->parts < want && f->parts < VNET_PARTS_MAX && rx_pop(&f->part[f->parts]))
		f->parts++;
	if (want == 0 || f->parts != want) { /* the device shows the parts of a frame together */
		frame_drop(f);
		return false;
	}
	return true;
}

bool vnet_pending(void)
{
	return net.open && virtqueue_pending(&net.vd.vq[RX]);
}

void vnet_poll(unsigned budget)
{
	if (vnet_pending())
		hold_came();
	for (unsigned n = 0; n < budget && vnet_pending(); n++) {
		if (!frame_collect(&net.frame)) {
			rx_fill();
			continue;
		}
		vnet_stats.rx_frames++;
		for (unsigned i = 0; i < net.frame.parts; i++)
			vnet_stats.rx_bytes += net.frame.part[i].len;
		net.input(&net.frame);
		if (net.rx_posted < net.rx_least && net.rx_target < net.vd.vq[RX].size)
			net.rx_target *= 2;
		rx_fill();
	}
}

void vnet_arm(void)
{
	if (!net.open)
		return;
	hold_end(&net.hold); /* WAIT sends it, or vnet_kick() follows */
	rx_fill();           /* there may have been no memory */
	virtqueue_arm(&net.vd.vq[RX]);
}

bool vnet_leave(bool computes)
{
	bool any = net.vd.vq[TX].unkicked > 0;

	if (!any || !hold_leave(&net.hold, computes))
		vnet_kick();
	return any;
}

void vnet_kick(void)
{
	if (!net.open)
		return;
	hold_end(&net.hold);
	virtio_kick(&net.vd, TX);
	virtio_kick(&net.vd, RX);
}

/* ---- send */

bool vnet_tx_csum(void)
{
	return (net.vd.features & VIRTIO_BIT(VIRTIO_NET_F_CSUM)) != 0;
}

bool vnet_tx_tso(bool ip6)
{
	unsigned feature = ip6 ? VIRTIO_NET_F_HOST_TSO6 : VIRTIO_NET_F_HOST_TSO4;

	return vnet_tx_csum() && (net.vd.features & VIRTIO_BIT(feature)) != 0;
}

void vnet_tx_reclaim(void)
{
	uint32_t len;
	char *cookie;

	if (!net.open)
		return;
	while ((cookie = virtqueue_pop(&net.vd.vq[TX], &len)) != NULL) {
		if ((uintptr_t)cookie & SENT_IN_PLACE)
			net.sent(cookie - SENT_IN_PLACE);
		else
			half_free(cookie);
	}
}

/* Makes sure of n descriptors. */
static bool tx_room(unsigned n)
{
	struct virtqueue *vq = &net.vd.vq[TX];

	if (vq->broken)
		return false;
	vnet_tx_reclaim();
	virtqueue_disarm(vq);
	if (vq->nfree < n) { /* let the device work once: cheaper than a lost segment */
		virtio_kick(&net.vd, TX);
		platform_wait(0);
		vnet_tx_reclaim();
		virtqueue_disarm(vq);
	}
	return vq->nfree >= n;
}

void *vnet_tx_frame(size_t len)
{
	char *half = len <= VNET_FRAME_MAX && tx_room(1) ? half_alloc() : NULL;

	if (!half) {
		vnet_stats.tx_dropped++;
		return NULL;
	}
	return half + VNET_HDR_BYTES;
}

int vnet_tx_large(const struct vnet_large *f, vnet_sent_fn *sent)
{
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = f->ip6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = (uint16_t)f->hdr_len,
		.gso_size = (uint16_t)f->gso_size,
		.csum_start = (uint16_t)f->csum_start,
		.csum_offset = (uint16_t)f->csum_offset,
	};

	if (!tx_room(f->parts))
		goto full;
	memcpy(f->part[0].ptr, &hdr, sizeof(hdr));
	if (virtqueue_add(&net.vd.vq[TX], f->part, f->parts, 0, (char *)f->cookie + SENT_IN_PLACE) <
		0)
		goto full;
	net.sent = sent;
	net.hold.large = true;
	vnet_stats.tx_frames++;
	for (unsigned i = 0; i < f->parts; i++)
		vnet_stats.tx_bytes += f->part[i].len;
	return 0;
full:
	vnet_stats.tx_dropped++;
	return -ENOSPC;
}

int vnet_tx_send(void *frame, size_t len, unsigned csum_start, unsigned csum_offset)
{
	char *half = (char *)frame - VNET_HDR_BYTES;
	struct virtio_net_hdr hdr = {0};
	struct vq_buf vb = {half, (uint32_t)(len + VNET_HDR_BYTES)};

	if (csum_start > 0) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_start = (uint16_t)csum_start;
		hdr.csum_offset = (uint16_t)csum_offset;
	}
	memcpy(half, &hdr, sizeof(hdr));
	int rc = virtqueue_add(&net.vd.vq[TX], &vb, 1, 0, half);
	if (rc < 0) {
		half_free(half);
		vnet_stats.tx_dropped++;
		return rc;
	}
	vnet_stats.tx_frames++;
	vnet_stats.tx_bytes += len;
	return 0;
}

/* ---- start */

int vnet_open(const struct uig_device *dev, uint8_t mac[6], vnet_input_fn *input)
{
	int rc = virtio_open(&net.vd, dev, WANTED, 2, QUEUE_SIZE);

	if (rc < 0)
		return rc;
	if (net.vd.vq[RX].size == 0 || net.vd.vq[TX].size == 0)
		return -EINVAL;
	uint64_t f = net.vd.features;
	net.mergeable = (f & VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF)) != 0;
	if (!net.mergeable && (f & RX_LARGE)) {
		kprintf("virtio-net: large frames without mergeable buffers are not supported");
		return -EINVAL;
	}
	if (!(dev->flags & UIG_DEVF_PREPARED) && (f & VIRTIO_BIT(VIRTIO_NET_F_MAC)))
		for (unsigned i = 0; i < 6; i++)
			mac[i] = virtio_config8(&net.vd, i);
	net.input = input;
	net.rx_bytes = (uint32_t)(f & RX_LARGE ? PAGE_BYTES : HALF_BYTES);
	net.rx_least = net.mergeable ? FRAME_LONGEST / (net.rx_bytes - VNET_HEADROOM) + 1 : 1;
	net.rx_target = RX_FIRST < net.vd.vq[RX].size ? RX_FIRST : net.vd.vq[RX].size;
	net.open = true;
	rx_fill();
	virtio_start(&net.vd, dev);
	if (!(dev->flags & UIG_DEVF_PREPARED))
		vnet_kick();
	return 0;
}
