/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/blk_request.h"

#include "lib/util.h"
#include "vmm/virtio/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR      VIRTIO_BLK_SECTOR_BYTES
#define ZEROS_BYTES (64u << 10)

/* Copies bytes [skip, skip + n) of a list that has them. */
static void gather(const struct iovec *v, unsigned parts, size_t skip, void *to, size_t n)
{
	struct iovec part[CHAIN_SEGMENTS_MAX];
	unsigned m = iov_cut(part, iov_skip(v, parts, skip, part), n);
	uint8_t *at = to;

	for (unsigned i = 0; i < m; i++) {
		memcpy(at, part[i].iov_base, part[i].iov_len);
		at += part[i].iov_len;
	}
}

static bool inside(const struct blk_dev *blk, uint64_t sector, uint64_t bytes)
{
	uint64_t sectors = blk->bytes / SECTOR;

	return sector <= sectors && bytes <= (sectors - sector) * SECTOR;
}

static uint8_t check_data(struct blk_request *r, const struct blk_dev *blk, uint64_t sector)
{
	if (r->bytes % SECTOR != 0 || !inside(blk, sector, r->bytes))
		return VIRTIO_BLK_S_IOERR;
	if (r->type == VIRTIO_BLK_T_OUT && blk->read_only)
		return VIRTIO_BLK_S_IOERR;
	r->offset = sector * SECTOR;
	return VIRTIO_BLK_S_OK;
}

static uint8_t check_ranges(struct blk_request *r, const struct blk_dev *blk)
{
	uint32_t allowed = r->type == VIRTIO_BLK_T_WRITE_ZEROES ? VIRTIO_BLK_RANGE_UNMAP : 0;

	if (blk->read_only)
		return VIRTIO_BLK_S_IOERR;
	if (r->bytes == 0 || r->bytes % sizeof(r->range[0]) != 0 || r->bytes > sizeof(r->range))
		return VIRTIO_BLK_S_IOERR;
	r->nranges = (unsigned)(r->bytes / sizeof(r->range[0]));
	gather(r->data, r->ndata, 0, r->range, r->bytes);
	for (unsigned i = 0; i < r->nranges; i++) {
		const struct virtio_blk_range *range = &r->range[i];

		if (range->flags & ~allowed)
			return VIRTIO_BLK_S_UNSUPP;
		if (!inside(blk, range->sector, (uint64_t)range->sectors * SECTOR))
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t check(struct blk_request *r, const struct blk_dev *blk, uint64_t sector)
{
	bool flush = blk->virtio.driver_features & VIRTIO_BIT(VIRTIO_BLK_F_FLUSH);

	switch (r->type) {
	case VIRTIO_BLK_T_OUT:
		r->sync = !flush && (blk->virtio.features & VIRTIO_BIT(VIRTIO_BLK_F_FLUSH));
		return check_data(r, blk, sector);
	case VIRTIO_BLK_T_IN:
		return check_data(r, blk, sector);
	case VIRTIO_BLK_T_FLUSH:
		return flush ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP;
	case VIRTIO_BLK_T_GET_ID:
		return r->bytes < VIRTIO_BLK_ID_BYTES ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return check_ranges(r, blk);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static int transfer(struct blk_request *r, int flags)
{
	struct iovec v[CHAIN_SEGMENTS_MAX];
	off_t at = (off_t)(r->offset + r->done);
	unsigned n = iov_skip(r->data, r->ndata, r->done, v);
	ssize_t got = r->type == VIRTIO_BLK_T_IN ? preadv2(r->fd, v, (int)n, at, flags)
						 : pwritev2(r->fd, v, (int)n, at, flags);

	if (got < 0)
		return -errno;
	r->done += (uint64_t)got;
	return got > 0 ? 0 : -EIO; /* the file has become shorter */
}

int blk_request_nowait(struct blk_request *r)
{
	int e = r->done < r->bytes ? transfer(r, RWF_NOWAIT) : 0;

	if (e == -EOPNOTSUPP || e == -ENOSYS || e == -EINVAL)
		return -EOPNOTSUPP;
	if (e < 0 && e != -EAGAIN && e != -EINTR)
		r->status = VIRTIO_BLK_S_IOERR;
	return 0;
}

static int write_zeros(int fd, uint64_t offset, uint64_t bytes)
{
	static const uint8_t zeros[ZEROS_BYTES];

	while (bytes > 0) {
		ssize_t n =
			pwrite(fd, zeros, bytes < ZEROS_BYTES ? bytes : ZEROS_BYTES, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		offset += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

/* Discard is a wish: a file system that has no holes keeps its blocks. */
static int clear_range(const struct blk_request *r, const struct virtio_blk_range *range)
{
	uint64_t offset = range->sector * SECTOR, bytes = (uint64_t)range->sectors * SECTOR;
	bool discard = r->type == VIRTIO_BLK_T_DISCARD;
	int mode = FALLOC_FL_KEEP_SIZE |
		(discard || (range->flags & VIRTIO_BLK_RANGE_UNMAP) ? FALLOC_FL_PUNCH_HOLE
								    : FALLOC_FL_ZERO_RANGE);

	if (bytes == 0 || fallocate(r->fd, mode, (off_t)offset, (off_t)bytes) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	return discard ? 0 : write_zeros(r->fd, offset, bytes);
}

static int carry_out(struct blk_request *r)
{
	int e = 0;

	switch (r->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		while (r->done < r->bytes && (e == 0 || e == -EINTR))
			e = transfer(r, 0);
		if (e == 0 && r->sync)
			e = fdatasync(r->fd) < 0 ? -errno : 0;
		return e;
	case VIRTIO_BLK_T_FLUSH:
		return fdatasync(r->fd) < 0 ? -errno : 0;
	default:
		for (unsigned i = 0; i < r->nranges && e == 0; i++)
			e = clear_range(r, &r->range[i]);
		return e;
	}
}

static void run(struct io_job *job)
{
	struct blk_request *r = blk_request_of(job);

	if (carry_out(r) < 0)
		r->status = VIRTIO_BLK_S_IOERR;
}

void blk_request_id(struct blk_request *r, const char id[VIRTIO_BLK_ID_BYTES])
{
	size_t at = 0;

	for (unsigned i = 0; i < r->ndata && at < VIRTIO_BLK_ID_BYTES; i++) {
		size_t n = VIRTIO_BLK_ID_BYTES - at;

		if (n > r->data[i].iov_len)
			n = r->data[i].iov_len;
		memcpy(r->data[i].iov_base, id + at, n);
		at += n;
	}
	r->bytes = VIRTIO_BLK_ID_BYTES;
}

int blk_request_decode(struct blk_request *r, const struct blk_dev *blk, const struct chain *c)
{
	const struct iovec *last;
	struct virtio_blk_req head = {0};

	if (c->out_bytes < sizeof(head) || c->in_bytes < 1)
		return -EPROTO;
	gather(c->iov, c->nout, 0, &head, sizeof(head));
	*r = (struct blk_request){
		.job.run = run, .fd = blk->fd, .head = c->head, .type = head.type};
	last = &c->iov[c->nout + c->nin - 1]; /* there is one: in_bytes is above 0 */
	r->answer = (uint8_t *)last->iov_base + last->iov_len - 1;
	if (head.type == VIRTIO_BLK_T_IN || head.type == VIRTIO_BLK_T_GET_ID) {
		r->bytes = c->in_bytes - 1;
		memcpy(r->data, c->iov + c->nout, c->nin * sizeof(r->data[0]));
		r->ndata = iov_cut(r->data, c->nin, r->bytes);
	} else {
		r->bytes = c->out_bytes - sizeof(head);
		r->ndata = iov_skip(c->iov, c->nout, sizeof(head), r->data);
	}
	r->status = check(r, blk, head.sector);
	return 0;
}
