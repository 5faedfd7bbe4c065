/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the queues and the packets in them. Receive buffers are handed up and posted again at once: who is above copies. What does
 * not fit into the send ring waits in `waiting`: those are answers and ends of connections, which nobody can wait for; data asks first
 * (vvsock_room()).
 */
#include "libos/drv/virtio_vsock.h"

#include "abi/boot.h"
#include "libos/drv/hold.h"
#include "libos/drv/platform.h"
#include "libos/drv/virtio_mmio.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"

#define RX           0u
#define TX           1u
#define EVENTS       2u
#define QUEUE_SIZE   128u
#define RX_BUFFERS   16u
#define EVENT_BUFS   2u
#define BUDGET       64u /* packets at one go */
#define DRAIN_ROUNDS 1000u
#define HDR_BYTES    ((uint32_t)sizeof(struct virtio_vsock_hdr))

static struct {
	struct virtio_device vd;
	const struct vvsock_user *user; /* NULL: no device */
	uint32_t cid;
	struct list waiting;
	bool asked;       /* room() is to be called */
	struct hold hold; /* of packets to send */
} vs = {.waiting = LIST_INIT(vs.waiting)};

struct vsock_packet *vsock_packet_new(uint32_t bytes)
{
	uint32_t pages = sizeof(struct vsock_packet) + bytes <= PAGE_BYTES ? 1 : 4;
	struct vsock_packet *p = page_alloc_run(pages);

	if (!p)
		return NULL;
	list_init(&p->link);
	p->pages = pages;
	p->room = pages * (uint32_t)PAGE_BYTES - (uint32_t)sizeof(*p);
	return p;
}

void vsock_packet_free(struct vsock_packet *p)
{
	page_free_run(p, p->pages);
}

/* ---- receive */

static int post(struct vsock_packet *p)
{
	struct vq_buf vb = {&p->hdr, HDR_BYTES + p->room};

	return virtqueue_add(&vs.vd.vq[RX], &vb, 0, 1, p);
}

static void receive(void)
{
	struct vsock_packet *p;
	uint32_t bytes;

	for (unsigned n = 0; n < BUDGET && (p = virtqueue_pop(&vs.vd.vq[RX], &bytes)); n++) {
		hold_came();
		if (bytes >= HDR_BYTES && p->hdr.len == bytes - HDR_BYTES)
			vs.user->input(p);
		if (post(p) < 0)
			vsock_packet_free(p);
	}
}

static void post_event(struct virtio_vsock_event *e)
{
	struct vq_buf vb = {e, sizeof(*e)};

	virtqueue_add(&vs.vd.vq[EVENTS], &vb, 0, 1, e);
}

static uint32_t read_cid(const struct uig_device *dev)
{
	return dev->flags & UIG_DEVF_PREPARED ? (uint32_t)dev->cid : virtio_config32(&vs.vd, 0);
}

static void events(void)
{
	struct virtio_vsock_event *e;
	uint32_t bytes;

	while ((e = virtqueue_pop(&vs.vd.vq[EVENTS], &bytes)) != NULL) {
		if (bytes >= sizeof(*e) && e->id == VIRTIO_VSOCK_EVENT_TRANSPORT) {
			vs.cid = virtio_config32(&vs.vd, 0);
			vs.user->reset();
		}
		post_event(e);
	}
}

/* ---- send */

static bool add(struct vsock_packet *p)
{
	struct vq_buf vb = {&p->hdr, HDR_BYTES + p->hdr.len};

	vs.hold.large |= p->hdr.len >= PAGE_BYTES;
	return virtqueue_add(&vs.vd.vq[TX], &vb, 1, 0, p) == 0;
}

static void reclaim(void)
{
	struct vsock_packet *p;
	uint32_t bytes;

	while ((p = virtqueue_pop(&vs.vd.vq[TX], &bytes)) != NULL)
		vsock_packet_free(p);
	while (!list_empty(&vs.waiting)) {
		p = container_of(vs.waiting.next, struct vsock_packet, link);
		list_del(&p->link); /* it is the device's once it is in the ring */
		if (!add(p)) {
			list_add_head(&vs.waiting, &p->link);
			break;
		}
	}
	virtqueue_disarm(&vs.vd.vq[TX]);
}

static bool has_room(void)
{
	return list_empty(&vs.waiting) && vs.vd.vq[TX].nfree > 0 && !vs.vd.vq[TX].broken;
}

bool vvsock_room(void)
{
	reclaim();
	if (!has_room()) { /* let the device work once */
		virtio_kick(&vs.vd, TX);
		platform_wait(0);
		reclaim();
	}
	vs.asked = !has_room();
	return !vs.asked;
}

void vvsock_send(struct vsock_packet *p)
{
	reclaim();
	if (!list_empty(&vs.waiting) || !add(p))
		list_add_tail(&vs.waiting, &p->link);
}

/* ---- poller */

static bool wants_tx(void)
{
	return vs.asked || !list_empty(&vs.waiting);
}

static bool pending(void)
{
	return virtqueue_pending(&vs.vd.vq[RX]) || virtqueue_pending(&vs.vd.vq[EVENTS]) ||
		(wants_tx() && virtqueue_pending(&vs.vd.vq[TX]));
}

static void run(void)
{
	reclaim();
	events();
	receive();
	virtqueue_disarm(&vs.vd.vq[RX]);
	if (vs.asked && has_room()) {
		vs.asked = false;
		vs.user->room();
	}
}

static void arm(void)
{
	hold_end(&vs.hold); /* WAIT hands it over, or kick() follows */
	virtqueue_arm(&vs.vd.vq[RX]);
	virtqueue_arm(&vs.vd.vq[EVENTS]);
	if (wants_tx())
		virtqueue_arm(&vs.vd.vq[TX]);
}

static void kick(void)
{
	hold_end(&vs.hold);
	virtio_kick(&vs.vd, TX);
	virtio_kick(&vs.vd, RX);
}

static bool leave(bool computes)
{
	bool any = vs.vd.vq[TX].unkicked > 0;

	if (!any || !hold_leave(&vs.hold, computes))
		kick();
	return any;
}

static struct poller poller = {
	.pending = pending, .run = run, .arm = arm, .kick = kick, .leave = leave};

/* ---- start and end */

static int fill(void)
{
	for (unsigned i = 0; i < RX_BUFFERS && i < vs.vd.vq[RX].size; i++) {
		struct vsock_packet *p = vsock_packet_new(VVSOCK_DATA_MAX);

		if (!p)
			return i > 0 ? 0 : -ENOMEM;
		if (post(p) < 0) {
			vsock_packet_free(p);
			return -EIO;
		}
	}
	return 0;
}

int vvsock_open(const struct uig_device *dev, const struct vvsock_user *user)
{
	int rc = virtio_open(&vs.vd, dev, 0, 3, QUEUE_SIZE);
	struct virtio_vsock_event *event;

	if (rc < 0)
		return rc;
	if (vs.vd.vq[RX].size == 0 || vs.vd.vq[TX].size == 0)
		return -EINVAL;
	rc = fill();
	if (rc < 0)
		return rc;
	event = vs.vd.vq[EVENTS].size >= EVENT_BUFS ? kzalloc(EVENT_BUFS * sizeof(*event)) : NULL;
	for (unsigned i = 0; event && i < EVENT_BUFS; i++)
		post_event(&event[i]);
	vs.cid = read_cid(dev);
	vs.user = user;
	virtio_start(&vs.vd, dev);
	poller.served_by_wait = platform_wait_serves();
	poller_add(&poller);
	if (!(dev->flags & UIG_DEVF_PREPARED))
		kick();
	return 0;
}

uint32_t vvsock_cid(void)
{
	return vs.cid;
}

void vvsock_drain(void)
{
	for (unsigned i = 0; vs.user && i < DRAIN_ROUNDS && !list_empty(&vs.waiting); i++) {
		virtio_kick(&vs.vd, TX);
		virtqueue_arm(&vs.vd.vq[TX]);
		if (!virtqueue_pending(&vs.vd.vq[TX]))
			platform_wait(clock_mono_ns() + 1000000);
		reclaim();
	}
	if (vs.user)
		virtio_kick(&vs.vd, TX);
}
