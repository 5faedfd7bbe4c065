/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each request is a structure of its own with a thread that waits for it. The ring bounds how many there are: a thread that finds it full
 * waits for any other's end. One poller looks at all disks.
 */
#include "libos/drv/virtio_blk.h"

#include "abi/boot.h"
#include "libos/drv/virtio_mmio.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"

#define QUEUE_SIZE 64u
#define CLEAR_MAX  (1ull << 30) /* bytes of one request */

#define WANTED                                                                                     \
	(VIRTIO_BIT(VIRTIO_BLK_F_RO) | VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) |                            \
		VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) | VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

struct request {
	struct virtio_blk_req head;
	struct virtio_blk_range range;
	uint8_t status;
	bool done;
	struct waitq wait;
};

static struct disk {
	struct virtio_device vd;
	uint64_t bytes;
	unsigned inflight;
	struct waitq room;
} disks[VBLK_MAX];
static unsigned ndisks;

unsigned vblk_count(void)
{
	return ndisks;
}

uint64_t vblk_bytes(unsigned disk)
{
	return disks[disk].bytes;
}

bool vblk_read_only(unsigned disk)
{
	return (disks[disk].vd.features & VIRTIO_BIT(VIRTIO_BLK_F_RO)) != 0;
}

/* ---- the poller */
static bool disk_pending(void)
{
	for (unsigned i = 0; i < ndisks; i++) {
		if (virtqueue_pending(&disks[i].vd.vq[0]))
			return true;
	}
	return false;
}

static void collect(struct disk *d)
{
	struct request *r;
	uint32_t len;

	while ((r = virtqueue_pop(&d->vd.vq[0], &len)) != NULL) {
		if (!len) /* not even the status was written */
			r->status = VIRTIO_BLK_S_IOERR;
		r->done = true;
		d->inflight--;
		waitq_wake_all(&r->wait);
		waitq_wake(&d->room, 1);
	}
	virtqueue_disarm(&d->vd.vq[0]);
}

static void disk_run(void)
{
	for (unsigned i = 0; i < ndisks; i++)
		collect(&disks[i]);
}

static void disk_arm(void)
{
	for (unsigned i = 0; i < ndisks; i++) {
		if (disks[i].inflight)
			virtqueue_arm(&disks[i].vd.vq[0]);
	}
}

static void disk_kick(void)
{
	for (unsigned i = 0; i < ndisks; i++)
		virtio_kick(&disks[i].vd, 0);
}

static struct poller disk_poller = {
	.pending = disk_pending, .run = disk_run, .arm = disk_arm, .kick = disk_kick};

/* ---- requests */
static int error_of(const struct request *r)
{
	switch (r->status) {
	case VIRTIO_BLK_S_OK:
		return 0;
	case VIRTIO_BLK_S_UNSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

/* Sends what r->head says and waits for the end. */
static int submit(struct disk *d, struct request *r, const struct vq_buf *data, bool in)
{
	struct vq_buf buf[3] = {{&r->head, sizeof(r->head)}};
	unsigned n = 1;
	int rc;

	if (data)
		buf[n++] = *data;
	buf[n++] = (struct vq_buf){&r->status, 1};
	for (;;) {
		unsigned nin = data && in ? 2 : 1;

		rc = virtqueue_add(&d->vd.vq[0], buf, n - nin, nin, r);
		if (rc != -ENOSPC)
			break;
		waitq_wait_uninterruptible(&d->room, TIME_FOREVER);
	}
	if (rc < 0)
		return rc;
	d->inflight++;
	while (!r->done)
		waitq_wait_uninterruptible(&r->wait, TIME_FOREVER);
	return error_of(r);
}

static int request(struct disk *d, const struct request *what, const struct vq_buf *data, bool in)
{
	struct request *r = kmalloc(sizeof(*r));
	struct vq_buf range;
	int rc;

	if (!r)
		return -ENOMEM;
	*r = *what;
	waitq_init(&r->wait);
	if (!data && r->range.sectors) {
		range = (struct vq_buf){&r->range, sizeof(r->range)};
		data = &range;
	}
	rc = submit(d, r, data, in);
	kfree(r);
	return rc;
}

int vblk_transfer(unsigned disk, bool write, uint64_t offset, void *buf, uint32_t bytes)
{
	struct request r = {.head = {.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
				    .sector = offset / VBLK_SECTOR_BYTES}};
	struct vq_buf data = {buf, bytes};

	return request(&disks[disk], &r, &data, !write);
}

int vblk_flush(unsigned disk)
{
	struct request r = {.head.type = VIRTIO_BLK_T_FLUSH};

	if (!(disks[disk].vd.features & VIRTIO_BIT(VIRTIO_BLK_F_FLUSH)))
		return 0;
	return request(&disks[disk], &r, NULL, false);
}

int vblk_clear(unsigned disk, uint64_t offset, uint64_t bytes, bool discard)
{
	uint64_t feature = discard ? VIRTIO_BLK_F_DISCARD : VIRTIO_BLK_F_WRITE_ZEROES;
	struct request r = {
		.head.type = discard ? VIRTIO_BLK_T_DISCARD : VIRTIO_BLK_T_WRITE_ZEROES};

	if (!(disks[disk].vd.features & VIRTIO_BIT(feature)))
		return -EOPNOTSUPP;
	while (bytes) {
		uint64_t n = bytes < CLEAR_MAX ? bytes : CLEAR_MAX;
		int rc;

		r.range.sector = offset / VBLK_SECTOR_BYTES;
		r.range.sectors = (uint32_t)(n / VBLK_SECTOR_BYTES);
		rc = request(&disks[disk], &r, NULL, false);
		if (rc < 0)
			return rc;
		offset += n;
		bytes -= n;
	}
	return 0;
}

/* ---- start */
static uint64_t capacity_bytes(struct virtio_device *vd)
{
	uint64_t sectors = 0;

	for (unsigned i = 0; i < 8; i += 4)
		sectors |= (uint64_t)virtio_config32(vd, i) << (8 * i);
	return sectors > (uint64_t)INT64_MAX / VBLK_SECTOR_BYTES ? 0 : sectors * VBLK_SECTOR_BYTES;
}

int vblk_open(const struct uig_device *dev)
{
	struct disk *d = &disks[ndisks];
	int rc;

	if (ndisks == VBLK_MAX)
		return -ENOSPC;
	rc = virtio_open(&d->vd, dev, WANTED, 1, QUEUE_SIZE);
	if (rc < 0)
		return rc;
	if (d->vd.vq[0].size < 4)
		return -EINVAL;
	d->bytes = capacity_bytes(&d->vd);
	waitq_init(&d->room);
	virtio_start(&d->vd, dev);
	if (ndisks++ == 0)
		poller_add(&disk_poller);
	return 0;
}
