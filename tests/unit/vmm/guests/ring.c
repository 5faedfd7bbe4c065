/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

gpa_t guest_gpa(const void *p)
{
	return (uint64_t)p - UIG_VA_KERNEL;
}

const struct uig_device *guest_device(uint32_t type)
{
	for (unsigned i = 0; i < bootinfo->ndevices; i++) {
		if (bootinfo->device[i].type == type)
			return &bootinfo->device[i];
	}
	guest_fail(__FILE__, __LINE__); /* no such device */
	return NULL;
}

struct ring ring_prepared(const struct uig_device *dev, unsigned queue)
{
	const struct uig_queue *q = &dev->queue[queue];

	CHECK(dev->flags & UIG_DEVF_PREPARED);
	CHECK(q->size > 0 && q->desc >= UIG_GPA_RINGS && q->used < UIG_GPA_RINGS_END);
	return (struct ring){
		.size = (uint16_t)q->size,
		.desc = guest_ptr(q->desc),
		.avail = guest_ptr(q->avail),
		.used = guest_ptr(q->used),
	};
}

void ring_desc(struct ring *r, uint16_t i, gpa_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	r->desc[i] = (struct virtq_desc){.addr = addr, .len = len, .flags = flags, .next = next};
}

void ring_offer(struct ring *r, uint16_t head)
{
	r->avail->ring[r->head % r->size] = head;
	__atomic_store_n(&r->avail->idx, ++r->head, __ATOMIC_SEQ_CST);
}

void ring_ask(struct ring *r)
{
	__atomic_store_n(&r->avail->ring[r->size], r->seen, __ATOMIC_SEQ_CST);
}

void ring_mute(struct ring *r)
{
	__atomic_store_n(&r->avail->ring[r->size], (uint16_t)(r->seen + 0x4000), __ATOMIC_SEQ_CST);
}

bool ring_take(struct ring *r, struct virtq_used_elem *e)
{
	if (__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) == r->seen)
		return false;
	e->id = r->used->ring[r->seen % r->size].id;
	e->len = r->used->ring[r->seen % r->size].len;
	r->seen++;
	return true;
}

void device_kick(const struct uig_device *dev, uint32_t queue)
{
	device_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

uint32_t device_read(const struct uig_device *dev, unsigned reg)
{
	return *(volatile uint32_t *)guest_io(dev->mmio + reg);
}

void device_write(const struct uig_device *dev, unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)guest_io(dev->mmio + reg) = value;
}
