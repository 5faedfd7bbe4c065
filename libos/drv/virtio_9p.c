/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/drv/virtio_9p.h"

#include "abi/p9.h"
#include "libos/drv/hold.h"
#include "libos/drv/platform.h"
#include "libos/drv/virtio_mmio.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"

#define DEVICES_MAX UIG_DEVICES_MAX
#define QUEUE_SIZE  128u
#define F_MOUNT_TAG 0
#define BEHIND_MAX  8u /* answers that nobody waits for may lie there so long: they hold memory */

struct v9p {
	struct virtio_device vd;
	struct list flight; /* of struct v9p_request */
	struct hold hold;
	bool ordered;
	char tag[V9P_TAG_BYTES];
};

static struct v9p *device[DEVICES_MAX];
static unsigned ndevices;

/* A device that broke its ring answers nothing any more. */
static void fail_all(struct v9p *v)
{
	struct list *node;

	while ((node = list_pop(&v->flight))) {
		struct v9p_request *r = container_of(node, struct v9p_request, link);

		r->done(r, 0);
	}
}

static bool collect(struct v9p *v)
{
	struct v9p_request *r;
	uint32_t bytes;
	bool any = false;

	while ((r = virtqueue_pop(&v->vd.vq[0], &bytes))) {
		list_del(&r->link);
		r->done(r, bytes);
		any = true;
	}
	if (any)
		hold_came();
	if (v->vd.vq[0].broken)
		fail_all(v);
	return any;
}

static bool pending(void)
{
	for (unsigned i = 0; i < ndevices; i++) {
		if (virtqueue_pending(&device[i]->vd.vq[0]))
			return true;
	}
	return false;
}

static void run(void)
{
	for (unsigned i = 0; i < ndevices; i++) {
		collect(device[i]);
		virtqueue_disarm(&device[i]->vd.vq[0]);
	}
}

/* WAIT lets the device work, and is over when something is done that a thread waits for: what was sent before that and nobody waits for is
 * collected with it. */
static void arm_one(struct v9p *v)
{
	unsigned behind = 0;

	list_for_each (r, &v->flight, struct v9p_request, link) {
		if (!v->ordered || !r->unhurried)
			break;
		behind++;
	}
	hold_end(&v->hold);
	virtqueue_arm_behind(&v->vd.vq[0], behind <= BEHIND_MAX ? behind : 0);
}

static void arm(void)
{
	for (unsigned i = 0; i < ndevices; i++)
		arm_one(device[i]);
}

static void tell(struct v9p *v)
{
	hold_end(&v->hold);
	virtio_kick(&v->vd, 0);
}

static void kick(void)
{
	for (unsigned i = 0; i < ndevices; i++)
		tell(device[i]);
}

/* A thread may wait for what is queued, but others run, and soon all of them will wait, probably (hold.h). */
static bool leave(bool computes)
{
	bool any = false;

	for (unsigned i = 0; i < ndevices; i++) {
		struct v9p *v = device[i];

		if (v->vd.vq[0].unkicked == 0)
			continue;
		if (!hold_leave(&v->hold, computes))
			tell(v);
		any = true;
	}
	return any;
}

static struct poller poller = {
	.pending = pending, .run = run, .arm = arm, .kick = kick, .leave = leave};

/* The tag from the configuration space: length[2], bytes. */
static void read_tag(struct v9p *v)
{
	unsigned n = virtio_config8(&v->vd, 0) | (unsigned)virtio_config8(&v->vd, 1) << 8;

	for (unsigned i = 0; i < n && i < sizeof(v->tag) - 1; i++)
		v->tag[i] = (char)virtio_config8(&v->vd, 2 + i);
}

int v9p_open(const struct uig_device *dev, struct v9p **out)
{
	struct v9p *v;
	int rc;

	if (ndevices == DEVICES_MAX)
		return -ENOSPC;
	v = kzalloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	list_init(&v->flight);
	rc = virtio_open(&v->vd, dev, VIRTIO_BIT(F_MOUNT_TAG), 1, QUEUE_SIZE);
	if (!rc && v->vd.vq[0].size == 0)
		rc = -EINVAL;
	if (rc < 0) {
		kfree(v);
		return rc;
	}
	if (dev->flags & UIG_DEVF_PREPARED) {
		v->ordered = true; /* vmm/virtio/p9.h */
		memcpy(v->tag, dev->tag, sizeof(dev->tag));
		v->tag[sizeof(dev->tag)] = 0;
	} else {
		read_tag(v);
	}
	virtio_start(&v->vd, dev);
	if (!ndevices) {
		poller.served_by_wait = platform_wait_serves();
		poller_add(&poller);
	}
	device[ndevices++] = v;
	*out = v;
	return 0;
}

const char *v9p_tag(const struct v9p *v)
{
	return v->tag;
}

bool v9p_ordered(const struct v9p *v)
{
	return v->ordered;
}

int v9p_submit(
	struct v9p *v, const struct vq_buf *buf, unsigned nout, unsigned nin, struct v9p_request *r)
{
	int rc = virtqueue_add(&v->vd.vq[0], buf, nout, nin, r);

	if (rc)
		return rc;
	list_add_tail(&v->flight, &r->link);
	return 0;
}

void v9p_wait(struct v9p *v)
{
	if (!platform_wait_serves())
		virtio_kick(&v->vd, 0);
	while (!list_empty(&v->flight)) {
		if (collect(v))
			return;
		virtqueue_arm(&v->vd.vq[0]);
		if (!virtqueue_pending(&v->vd.vq[0]) && !v->vd.vq[0].broken)
			platform_wait(TIME_FOREVER);
	}
}
