/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomics and their partners in the driver: avail->idx is read with acquire (the driver stores it with release behind
 * the descriptors), used->idx is stored with release (the driver loads it with acquire). avail_event is stored,
 * then a full barrier, then avail->idx is read again: the driver stores avail->idx, full barrier, reads
 * avail_event. One of the two sees the other (section 2.7.10).
 */
#include "vmm/virtio/virtqueue.h"

#include "vmm/mem.h"

#include <errno.h>

#define AVAIL_NO_INTERRUPT 1u
#define USED_NO_NOTIFY     1u

int virtqueue_start(struct virtqueue *q, const struct mem *mem, bool event_idx)
{
	uint32_t n = q->size;

	if (n == 0 || n > VIRTQUEUE_SIZE_MAX || (n & (n - 1)) != 0)
		return -EINVAL;
	if (q->desc % 16 != 0 || q->avail % 2 != 0 || q->used % 4 != 0)
		return -EINVAL;
	q->descs = mem_at(mem, q->desc, VIRTQ_DESC_BYTES(n));
	q->avails = mem_at(mem, q->avail, VIRTQ_AVAIL_BYTES(n));
	q->useds = mem_at(mem, q->used, VIRTQ_USED_BYTES(n));
	if (!q->descs || !q->avails || !q->useds)
		return -EINVAL;
	q->mem = mem;
	q->event_idx = event_idx;
	q->last_avail = q->used_idx = q->told_idx = 0;
	q->live = true;
	return 0;
}

void virtqueue_reset(struct virtqueue *q)
{
	*q = (struct virtqueue){0};
}

/* Adds one descriptor to the chain: false when it is not guest memory or out of order. */
static bool add_segment(const struct virtqueue *q, struct chain *c, const struct virtq_desc *d)
{
	bool in = d->flags & VIRTQ_DESC_F_WRITE;
	union {
		const void *ro;
		void *rw;
	} p;

	if (d->len == 0)
		return true;
	if (!in && c->nin > 0)
		return false; /* all readable parts come first (section 2.7.4.2) */
	if (in)
		p.rw = mem_at(q->mem, d->addr, d->len);
	else
		p.ro = mem_at_ro(q->mem, d->addr, d->len);
	if (!p.ro)
		return false;
	c->iov[c->nout + c->nin] = (struct iovec){.iov_base = p.rw, .iov_len = d->len};
	if (in) {
		c->nin++;
		c->in_bytes += d->len;
	} else {
		c->nout++;
		c->out_bytes += d->len;
	}
	return true;
}

/* Copies a descriptor once. Guest memory may change under the copy: each field is whole and used from the copy. */
static struct virtq_desc read_desc(const struct virtqueue *q, uint16_t i)
{
	const struct virtq_desc *d = &q->descs[i];

	return (struct virtq_desc){
		.addr = __atomic_load_n(&d->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&d->len, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&d->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&d->next, __ATOMIC_RELAXED),
	};
}

/* Follows the chain from head. The limit on steps ends loops too. */
static int read_chain(const struct virtqueue *q, uint16_t head, struct chain *c)
{
	uint16_t i = head;

	c->head = head;
	c->nout = c->nin = 0;
	c->out_bytes = c->in_bytes = 0;
	for (unsigned steps = 0; steps < CHAIN_SEGMENTS_MAX; steps++) {
		struct virtq_desc d;

		if (i >= q->size)
			return -EPROTO;
		d = read_desc(q, i);
		if ((d.flags & VIRTQ_DESC_F_INDIRECT) || !add_segment(q, c, &d))
			return -EPROTO;
		if (!(d.flags & VIRTQ_DESC_F_NEXT))
			return 1;
		i = d.next;
	}
	return -EPROTO;
}

int virtqueue_pop(struct virtqueue *q, struct chain *c)
{
	uint16_t idx, head;
	int r;

	if (!q->live)
		return 0;
	idx = __atomic_load_n(&q->avails->idx, __ATOMIC_ACQUIRE);
	if (idx == q->last_avail)
		return 0;
	if ((uint16_t)(idx - q->last_avail) > q->size)
		return -EPROTO;
	head = __atomic_load_n(&q->avails->ring[q->last_avail & (q->size - 1)], __ATOMIC_RELAXED);
	r = read_chain(q, head, c);
	if (r > 0)
		q->last_avail++;
	return r;
}

void virtqueue_unpop(struct virtqueue *q, unsigned n)
{
	q->last_avail = (uint16_t)(q->last_avail - n);
}

void virtqueue_fill(struct virtqueue *q, unsigned n, uint16_t head, uint32_t bytes)
{
	struct virtq_used_elem *e = &q->useds->ring[(q->used_idx + n) & (q->size - 1)];

	__atomic_store_n(&e->id, head, __ATOMIC_RELAXED);
	__atomic_store_n(&e->len, bytes, __ATOMIC_RELAXED);
}

void virtqueue_publish(struct virtqueue *q, unsigned n)
{
	q->used_idx = (uint16_t)(q->used_idx + n);
	__atomic_store_n(&q->useds->idx, q->used_idx, __ATOMIC_RELEASE);
}

void virtqueue_push(struct virtqueue *q, uint16_t head, uint32_t bytes)
{
	virtqueue_fill(q, 0, head, bytes);
	virtqueue_publish(q, 1);
}

static void set_avail_event(struct virtqueue *q, uint16_t value)
{
	/* It stands behind the used ring, where struct virtq_used has no name for it. */
	uint16_t *event = (uint16_t *)(void *)&q->useds->ring[q->size];

	__atomic_store_n(event, value, __ATOMIC_RELAXED);
}

bool virtqueue_want_kick_at(struct virtqueue *q, uint16_t seen)
{
	if (!q->live)
		return false;
	if (q->event_idx)
		set_avail_event(q, seen);
	else
		__atomic_store_n(&q->useds->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&q->avails->idx, __ATOMIC_ACQUIRE) != seen;
}

bool virtqueue_want_kick(struct virtqueue *q)
{
	return virtqueue_want_kick_at(q, q->last_avail);
}

void virtqueue_mute_kick(struct virtqueue *q)
{
	if (!q->live)
		return;
	/* An event that lies behind us is passed only after a whole turn of the index. */
	if (q->event_idx)
		set_avail_event(q, (uint16_t)(q->last_avail - 1));
	else
		__atomic_store_n(&q->useds->flags, USED_NO_NOTIFY, __ATOMIC_RELAXED);
}

bool virtqueue_has_news(const struct virtqueue *q)
{
	uint16_t event;

	if (!q->live)
		return false;
	if (!q->event_idx)
		return q->used_idx != q->told_idx &&
			!(__atomic_load_n(&q->avails->flags, __ATOMIC_RELAXED) &
				AVAIL_NO_INTERRUPT);
	event = __atomic_load_n(&q->avails->ring[q->size], __ATOMIC_RELAXED);
	return (uint16_t)(q->used_idx - event - 1) < 0x8000;
}

bool virtqueue_should_interrupt(struct virtqueue *q)
{
	uint16_t old = q->told_idx, event;

	if (!q->live || q->used_idx == old)
		return false;
	q->told_idx = q->used_idx;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* used->idx before the driver's wish */
	if (!q->event_idx)
		return !(__atomic_load_n(&q->avails->flags, __ATOMIC_RELAXED) & AVAIL_NO_INTERRUPT);
	event = __atomic_load_n(&q->avails->ring[q->size], __ATOMIC_RELAXED);
	return virtq_need_event(event, q->used_idx, old);
}

void virtqueue_told(struct virtqueue *q)
{
	q->told_idx = q->used_idx;
}
