/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of a block device, in the monitor's own memory: decoded and checked once, then carried out by whoever
 * serves the queue or by the I/O thread. It points to guest memory only for the data and the one byte of the answer.
 */
#ifndef VMM_VIRTIO_BLK_REQUEST_H
#define VMM_VIRTIO_BLK_REQUEST_H

#include "vmm/virtio/blk.h"

struct blk_request {
	struct io_job job;
	int fd; /* borrowed from the device */
	uint16_t head;
	uint32_t type;
	uint64_t offset, bytes, done; /* in the file; of the data; of that finished */
	bool sync;                    /* a driver without FLUSH: every write lasts */
	unsigned ndata, nranges;
	struct iovec data[CHAIN_SEGMENTS_MAX];
	struct virtio_blk_range range[BLK_RANGES_MAX];
	uint8_t *answer; /* in guest memory */
	uint8_t status;  /* VIRTIO_BLK_S_ */
};

static inline struct blk_request *blk_request_of(struct io_job *job)
{
	return (struct blk_request *)((char *)job - offsetof(struct blk_request, job));
}

/* Fills r from the chain. What can not be done has its status set. 0, or -EPROTO when there is no header or no room for an
 * answer. */
int blk_request_decode(struct blk_request *r, const struct blk_dev *blk, const struct chain *c);

/* Reads or writes as far as that needs no waiting; r->done and r->status say what came of it. 0, or -EOPNOTSUPP when the file
 * system does not know how. */
int blk_request_nowait(struct blk_request *r);

/* Data of GET_ID. */
void blk_request_id(struct blk_request *r, const char id[VIRTIO_BLK_ID_BYTES]);

#endif
