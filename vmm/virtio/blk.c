/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/blk.h"

#include "lib/err.h"
#include "lib/util.h"
#include "vmm/dev/drive.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/stat.h"
#include "vmm/virtio/blk_request.h"
#include "vmm/virtio/chain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLK_QUEUE_ENTRIES 64u
#define BLK_SIZE_BYTES    512u
#define RANGE_SECTORS_MAX 0x400000u    /* of one range: 2 GiB */
#define INLINE_MAX_BYTES  (256u << 10) /* copied under the devices' lock at most */

static int enter(void *arg)
{
	(void)arg;
	return sandbox_enter(SANDBOX_DISK);
}

static struct blk_dev *blk_of(struct virtio_dev *dev)
{
	return (struct blk_dev *)((char *)dev - offsetof(struct blk_dev, virtio));
}

/* Publishes the answer. Its last byte is the status, which the guest may have mapped anywhere: it was checked in pop. */
static void finish(struct blk_dev *blk, struct blk_request *r)
{
	bool ok = r->status == VIRTIO_BLK_S_OK;
	bool filled = r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_GET_ID;

	*r->answer = r->status;
	stat_inc(&blk->requests);
	if (!ok)
		stat_inc(&blk->errors);
	virtqueue_push(&blk->virtio.queue[0], r->head, (ok && filled ? (uint32_t)r->bytes : 0) + 1);
	r->job.next = blk->unused;
	blk->unused = &r->job;
}

/* True when the request was done without waiting. What it did not come to is left for the thread. */
static bool try_now(struct blk_dev *blk, struct blk_request *r)
{
	bool write = r->type == VIRTIO_BLK_T_OUT;

	if (r->type == VIRTIO_BLK_T_GET_ID) {
		blk_request_id(r, blk->id);
		return true;
	}
	if ((r->type != VIRTIO_BLK_T_IN && !write) || r->bytes > INLINE_MAX_BYTES ||
		blk->inflight > 0 || blk->no_nowait[write] || r->sync)
		return false;
	if (blk_request_nowait(r) == -EOPNOTSUPP)
		blk->no_nowait[write] = true;
	return r->done == r->bytes || r->status != VIRTIO_BLK_S_OK;
}

static void begin(struct blk_dev *blk, struct blk_request *r)
{
	if (r->status != VIRTIO_BLK_S_OK || try_now(blk, r)) {
		finish(blk, r);
		return;
	}
	io_thread_submit(&blk->io, &r->job);
	blk->inflight++;
	stat_inc(&blk->waited);
}

static void collect(struct blk_dev *blk)
{
	struct io_job *next;

	for (struct io_job *job = io_thread_collect(&blk->io); job; job = next) {
		next = job->next;
		blk->inflight--;
		finish(blk, blk_request_of(job));
	}
}

static struct blk_request *request_new(struct blk_dev *blk)
{
	struct io_job *job = blk->unused;

	if (!job)
		return malloc(sizeof(struct blk_request));
	blk->unused = job->next;
	return blk_request_of(job);
}

/* 1: one was begun, 0: none can be, -EPROTO. */
static int serve_one(struct blk_dev *blk)
{
	struct blk_request *r;
	struct chain c;
	int n;

	if (blk->inflight == BLK_INFLIGHT_MAX)
		return 0;
	n = virtqueue_pop(&blk->virtio.queue[0], &c);
	if (n <= 0)
		return n;
	r = request_new(blk);
	if (!r)
		return -ENOMEM; /* the device fails; the VM goes on */
	n = blk_request_decode(r, blk, &c);
	if (n < 0) {
		free(r);
		return n;
	}
	begin(blk, r);
	return 1;
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct blk_dev *blk = blk_of(dev);
	struct virtqueue *q = &dev->queue[0];
	int r;

	collect(blk);
	virtqueue_mute_kick(q);
	do {
		while ((r = serve_one(blk)) > 0) {
			if (--budget == 0)
				return 1;
		}
		if (r < 0)
			return r;
		if (blk->inflight == BLK_INFLIGHT_MAX)
			return 0; /* muted: the next collect() comes back */
	} while (virtqueue_want_kick(q));
	return 0;
}

static bool wants_source(const struct virtio_dev *dev)
{
	return ((const struct blk_dev *)dev)->inflight > 0;
}
_Static_assert(offsetof(struct blk_dev, virtio) == 0, "a device begins with its transport");

static void free_list(struct io_job *job)
{
	struct io_job *next;

	for (; job; job = next) {
		next = job->next;
		free(blk_request_of(job));
	}
}

/* Nothing of the old driver's is written into its memory after this (section 2.1.2): what has begun is waited for. */
static void reset(struct virtio_dev *dev)
{
	struct blk_dev *blk = blk_of(dev);

	free_list(io_thread_drop(&blk->io));
	io_thread_settle(&blk->io);
	free_list(io_thread_collect(&blk->io));
	blk->inflight = 0;
}

/* The guest has ended: what it asked for is done all the same. */
static void settle(struct virtio_dev *dev)
{
	io_thread_settle(&blk_of(dev)->io);
	collect(blk_of(dev));
}

static void fini(struct virtio_dev *dev)
{
	struct blk_dev *blk = blk_of(dev);

	free_list(io_thread_drop(&blk->io));
	io_thread_settle(&blk->io);
	free_list(io_thread_collect(&blk->io));
	free_list(blk->unused);
	dev->source_fd = -1;
	io_thread_fini(&blk->io);
	virtio_fini(dev);
	close(blk->fd);
	free(blk);
}

static const struct virtio_ops blk_ops = {
	.name = "block",
	.type = UIG_DEV_BLOCK,
	.nqueues = 1,
	.queue_max = VIRTQUEUE_SIZE_MAX,
	.queue_prepared = {BLK_QUEUE_ENTRIES},
	.serve = serve,
	.reset = reset,
	.wants_source = wants_source,
	.settle = settle,
	.fini = fini,
};

static void set_config(struct blk_dev *blk, const struct blk_setup *setup)
{
	blk->config = (struct virtio_blk_config){
		.capacity = blk->bytes / VIRTIO_BLK_SECTOR_BYTES,
		.seg_max = CHAIN_SEGMENTS_MAX - 2, /* less header and status */
		.blk_size = BLK_SIZE_BYTES,
		.num_queues = 1,
		.max_discard_sectors = RANGE_SECTORS_MAX,
		.max_discard_seg = BLK_RANGES_MAX,
		.discard_sector_alignment = 8,
		.max_write_zeroes_sectors = RANGE_SECTORS_MAX,
		.max_write_zeroes_seg = BLK_RANGES_MAX,
		.write_zeroes_may_unmap = 1,
	};
	blk->virtio.config = (const uint8_t *)&blk->config;
	blk->virtio.config_bytes = sizeof(blk->config);
	blk->virtio.features = VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE);
	if (setup->flush)
		blk->virtio.features |= VIRTIO_BIT(VIRTIO_BLK_F_FLUSH);
	if (setup->read_only)
		blk->virtio.features |= VIRTIO_BIT(VIRTIO_BLK_F_RO);
	else
		blk->virtio.features |=
			VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) | VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

int blk_new(const struct blk_setup *setup, const struct mem *mem, pthread_mutex_t *lock, gpa_t base,
	struct blk_dev **out, struct err *err)
{
	struct blk_dev *blk = calloc(1, sizeof(*blk));
	int64_t bytes = drive_bytes(setup->fd);
	int r;

	if (!blk || bytes < 0) {
		free(blk);
		close(setup->fd);
		return err_sys(err, bytes < 0 ? (int)-bytes : ENOMEM, "drive %s", setup->id);
	}
	blk->fd = setup->fd;
	blk->read_only = setup->read_only;
	blk->bytes = (uint64_t)bytes / VIRTIO_BLK_SECTOR_BYTES * VIRTIO_BLK_SECTOR_BYTES;
	memcpy(blk->id, setup->id, strnlen(setup->id, sizeof(blk->id)));
	set_config(blk, setup);
	r = virtio_init(&blk->virtio, &blk_ops, mem, lock, base, err);
	if (io_thread_init(&blk->io, enter, NULL, r == 0 ? err : NULL) < 0 && r == 0)
		r = -EMFILE;
	if (r < 0) {
		fini(&blk->virtio);
		return r;
	}
	blk->virtio.source_fd = blk->io.done_fd;
	*out = blk;
	return 0;
}
