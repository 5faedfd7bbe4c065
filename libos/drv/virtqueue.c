/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split virtqueue, driver side. Owns the free list and one record per descriptor (cookie, chain length, room for the
 * device's answer) in memory that the device does not see, so that nothing it writes can lead the driver astray: a used
 * element is good only when its id is the head of a request in flight, and each head is good once.
 *
 * Order of memory: the descriptors and the ring entry before avail.idx (release), used.idx before the used element (acquire), and
 * a full fence between a store that the other side looks at (used_event, avail.idx) and the load of its counterpart.
 */
#include "libos/drv/virtqueue.h"

#include "abi/boot.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define UNKICKED_MAX 0x7fffu /* the event index is compared in half a turn of the index */

struct vq_slot {
	void *cookie;  /* non-NULL: head of a request in flight */
	uint32_t room; /* bytes that the device may write */
	uint16_t next; /* free list, and the chain of a request */
	uint16_t last; /* head only: last descriptor of the chain */
	uint16_t count;
};

static volatile uint16_t *used_event(struct virtqueue *vq)
{
	return &vq->avail->ring[vq->size];
}

static uint16_t avail_event(struct virtqueue *vq)
{
	const volatile char *end = (const volatile char *)vq->used + VIRTQ_USED_BYTES(vq->size);

	return *(const volatile uint16_t *)(end - sizeof(uint16_t));
}

static bool where_ok(const struct uig_queue *w)
{
	if (w->size == 0 || w->size > VIRTQ_MAX_SIZE || (w->size & (w->size - 1)) != 0)
		return false;
	return w->desc && w->avail && w->used && w->desc % 16 == 0 && w->avail % 2 == 0 &&
		w->used % 4 == 0;
}

int virtqueue_init(struct virtqueue *vq, const struct uig_queue *w, bool event_idx)
{
	if (!where_ok(w))
		return -EINVAL;
	struct vq_slot *slot = kzalloc(w->size * sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->size; i++)
		slot[i].next = (uint16_t)(i + 1);
	*vq = (struct virtqueue){
		.size = (uint16_t)w->size,
		.mask = (uint16_t)(w->size - 1),
		.nfree = (uint16_t)w->size,
		.event_idx = event_idx,
		.desc = page_ptr(w->desc),
		.avail = page_ptr(w->avail),
		.used = page_ptr(w->used),
		.slot = slot,
	};
	/* Rings that were in use before this boot would go on from the indices that the device remembers. */
	vq->avail_idx = vq->avail->idx;
	vq->last_used = vq->used->idx;
	virtqueue_disarm(vq);
	return 0;
}

int virtqueue_create(struct virtqueue *vq, struct uig_queue *w, uint32_t size, bool event_idx)
{
	size_t avail_at = VIRTQ_DESC_BYTES(size);
	size_t used_at = (avail_at + VIRTQ_AVAIL_BYTES(size) + 63) & ~(size_t)63;
	size_t pages = page_round_up(used_at + VIRTQ_USED_BYTES(size)) / PAGE_BYTES;

	if (size == 0 || size > VIRTQ_MAX_SIZE)
		return -EINVAL;
	char *ring = page_alloc_run(pages);
	if (!ring)
		return -ENOMEM;
	for (char *p = ring; p < ring + pages * PAGE_BYTES; p += 8)
		*(uint64_t *)(void *)p = 0;
	*w = (struct uig_queue){
		.size = size,
		.desc = page_gpa(ring),
		.avail = page_gpa(ring + avail_at),
		.used = page_gpa(ring + used_at),
	};
	int rc = virtqueue_init(vq, w, event_idx);
	if (rc < 0)
		page_free_run(ring, pages);
	return rc;
}

int virtqueue_add(
	struct virtqueue *vq, const struct vq_buf *buf, unsigned nout, unsigned nin, void *cookie)
{
	unsigned n = nout + nin;
	uint16_t head = vq->free_head, at = head, last = head;
	uint32_t room = 0;

	if (vq->broken)
		return -EIO;
	if (n == 0 || n > vq->nfree)
		return -ENOSPC;
	for (unsigned i = 0; i < n; i++) {
		struct virtq_desc *d = &vq->desc[at];
		unsigned flags =
			(i + 1 < n ? VIRTQ_DESC_F_NEXT : 0) | (i >= nout ? VIRTQ_DESC_F_WRITE : 0);

		d->addr = page_gpa(buf[i].ptr);
		d->len = buf[i].len;
		d->flags = (uint16_t)flags;
		d->next = vq->slot[at].next;
		if (i >= nout)
			room += buf[i].len;
		last = at;
		at = vq->slot[at].next;
	}
	vq->slot[head].cookie = cookie;
	vq->slot[head].room = room;
	vq->slot[head].last = last;
	vq->slot[head].count = (uint16_t)n;
	vq->free_head = at;
	vq->nfree = (uint16_t)(vq->nfree - n);
	vq->avail->ring[vq->avail_idx & vq->mask] = head;
	vq->avail_idx++;
	if (vq->unkicked < UNKICKED_MAX)
		vq->unkicked++;
	__atomic_store_n(&vq->avail->idx, vq->avail_idx,
		__ATOMIC_RELEASE); /* with the device's load of avail.idx */
	return 0;
}

static void *fail(struct virtqueue *vq, const char *what, uint32_t value)
{
	vq->broken = true;
	kprintf("virtqueue: %s (%u), the device is given up", what, value);
	return NULL;
}

void *virtqueue_pop(struct virtqueue *vq, uint32_t *len)
{
	if (vq->broken)
		return NULL;
	uint16_t idx = __atomic_load_n(
		&vq->used->idx, __ATOMIC_ACQUIRE); /* with the device's store of used.idx */
	if (idx == vq->last_used)
		return NULL;
	if ((uint16_t)(idx - vq->last_used) > vq->size)
		return fail(vq, "used index runs away", idx);

	volatile struct virtq_used_elem *e = &vq->used->ring[vq->last_used & vq->mask];
	uint32_t id = e->id, wrote = e->len; /* copied once */
	if (id >= vq->size || !vq->slot[id].cookie)
		return fail(vq, "used id is not in flight", id);

	struct vq_slot *s = &vq->slot[id];
	void *cookie = s->cookie;
	*len = wrote < s->room ? wrote : s->room;
	s->cookie = NULL;
	vq->slot[s->last].next = vq->free_head;
	vq->free_head = (uint16_t)id;
	vq->nfree = (uint16_t)(vq->nfree + s->count);
	vq->last_used++;
	return cookie;
}

void virtqueue_arm(struct virtqueue *vq)
{
	virtqueue_arm_behind(vq, 0);
}

void virtqueue_arm_behind(struct virtqueue *vq, unsigned n)
{
	if (vq->event_idx)
		*used_event(vq) = (uint16_t)(vq->last_used + n);
	else
		vq->avail->flags = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* used_event before the next look at used.idx */
}

/* uvmm's WAIT looks at the distance as a level, so that the event index has to lie as far ahead as it can. */
void virtqueue_disarm(struct virtqueue *vq)
{
	if (vq->event_idx)
		*used_event(vq) = (uint16_t)(vq->last_used + 0x7fff);
	else
		vq->avail->flags = 1; /* VIRTQ_AVAIL_F_NO_INTERRUPT */
}

bool virtqueue_kick_needed(struct virtqueue *vq)
{
	uint16_t now = vq->avail_idx, old = (uint16_t)(now - vq->unkicked);

	if (vq->broken || old == now)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* avail.idx before avail_event */
	vq->unkicked = 0;
	if (vq->event_idx)
		return virtq_need_event(avail_event(vq), now, old);
	return (vq->used->flags & 1) == 0; /* VIRTQ_USED_F_NO_NOTIFY */
}
