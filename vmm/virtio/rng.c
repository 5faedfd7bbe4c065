/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/rng.h"

#include "lib/err.h"
#include "vmm/stat.h"
#include "vmm/virtio/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define RNG_QUEUE_ENTRIES 16u

static struct rng_dev *rng_of(struct virtio_dev *dev)
{
	return (struct rng_dev *)((char *)dev - offsetof(struct rng_dev, virtio));
}

/* Fills the writable part; bytes written. */
static uint32_t fill(struct chain *c)
{
	struct iovec *in = c->iov + c->nout;
	unsigned n = iov_cut(in, c->nin, RNG_REQUEST_MAX);
	uint32_t done = 0;

	for (unsigned i = 0; i < n; i++) {
		ssize_t got = getrandom(in[i].iov_base, in[i].iov_len, 0);

		if (got < 0)
			break;
		done += (uint32_t)got;
		if ((size_t)got < in[i].iov_len)
			break;
	}
	return done;
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct virtqueue *q = &dev->queue[0];
	struct chain c;
	int r;

	do {
		while ((r = virtqueue_pop(q, &c)) > 0) {
			uint32_t bytes = fill(&c);

			stat_add(&rng_of(dev)->bytes, bytes);
			virtqueue_push(q, c.head, bytes);
			if (--budget == 0)
				return 1;
		}
		if (r < 0)
			return r;
	} while (virtqueue_want_kick(q));
	return 0;
}

static void fini(struct virtio_dev *dev)
{
	virtio_fini(dev);
	free(rng_of(dev));
}

static const struct virtio_ops rng_ops = {
	.name = "rng",
	.type = UIG_DEV_RNG,
	.nqueues = 1,
	.queue_max = VIRTQUEUE_SIZE_MAX,
	.queue_prepared = {RNG_QUEUE_ENTRIES},
	.serve = serve,
	.fini = fini,
};

int rng_new(const struct mem *mem, pthread_mutex_t *lock, gpa_t base, struct rng_dev **out,
	struct err *err)
{
	struct rng_dev *rng = calloc(1, sizeof(*rng));
	int r;

	if (!rng)
		return err_set(err, ENOMEM, "out of memory");
	r = virtio_init(&rng->virtio, &rng_ops, mem, lock, base, err);
	if (r < 0) {
		fini(&rng->virtio);
		return r;
	}
	*out = rng;
	return 0;
}
