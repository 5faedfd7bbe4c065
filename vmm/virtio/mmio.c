/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/mmio.h"

#include "abi/layout.h"
#include "lib/err.h"
#include "lib/log.h"
#include "vmm/bus.h"
#include "vmm/stat.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define VENDOR           0x47495555u /* "UUIG" */
#define INTERRUPT_USED   1u
#define INTERRUPT_CONFIG 2u
#define FEATURES_ALWAYS  (VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX))
#define RING_ALIGN       64u

int virtio_init(struct virtio_dev *dev, const struct virtio_ops *ops, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct err *err)
{
	dev->ops = ops;
	dev->mem = mem;
	dev->lock = lock;
	dev->base = base;
	dev->source_fd = dev->irq_fd = -1;
	dev->features |= FEATURES_ALWAYS;
	dev->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return dev->kick_fd < 0 ? err_sys(err, errno, "eventfd") : 0;
}

void virtio_fini(struct virtio_dev *dev)
{
	if (dev->ops && dev->kick_fd >= 0)
		close(dev->kick_fd);
	if (dev->ops && dev->irq_fd >= 0)
		close(dev->irq_fd);
	dev->ops = NULL;
}

static void reset(struct virtio_dev *dev)
{
	for (unsigned i = 0; i < UIG_QUEUES_MAX; i++)
		virtqueue_reset(&dev->queue[i]);
	dev->driver_features = 0;
	dev->status = dev->interrupt = 0;
	dev->features_sel = dev->driver_features_sel = dev->queue_sel = 0;
	dev->dead = false;
	if (dev->ops->reset)
		dev->ops->reset(dev);
}

static void fail(struct virtio_dev *dev, const char *why)
{
	if (dev->dead)
		return;
	dev->dead = true;
	dev->status |= VIRTIO_STATUS_NEEDS_RESET;
	dev->interrupt |= INTERRUPT_CONFIG;
	if (dev->irq_fd >= 0)
		eventfd_write(dev->irq_fd, 1);
	/* A guest could fail and reset in a loop: it gets a few lines, the rest is counted. */
	if (dev->failures < 4)
		log_warn("virtio device failed", "device=%s why=\"%s\"", dev->ops->name, why);
	stat_inc(&dev->failures);
}

bool virtio_serve(struct virtio_dev *dev, unsigned budget)
{
	int r;

	if (!virtio_active(dev))
		return false;
	r = dev->ops->serve(dev, budget);
	if (r < 0)
		fail(dev, "broken virtqueue");
	return r > 0;
}

bool virtio_has_news(const struct virtio_dev *dev)
{
	for (unsigned i = 0; i < dev->ops->nqueues; i++) {
		if (virtqueue_has_news(&dev->queue[i]))
			return true;
	}
	return false;
}

void virtio_told(struct virtio_dev *dev)
{
	for (unsigned i = 0; i < dev->ops->nqueues; i++)
		virtqueue_told(&dev->queue[i]);
}

void virtio_interrupt(struct virtio_dev *dev)
{
	bool news = false;

	if (dev->irq_fd < 0)
		return;
	for (unsigned i = 0; i < dev->ops->nqueues; i++)
		news |= virtqueue_should_interrupt(&dev->queue[i]);
	if (!news)
		return;
	dev->interrupt |= INTERRUPT_USED;
	eventfd_write(dev->irq_fd, 1);
}

static void set_status(struct virtio_dev *dev, uint32_t status)
{
	uint32_t set = status & ~dev->status;

	if (status == 0) {
		reset(dev);
		return;
	}
	/* Features are accepted as a subset of the offer, with VERSION_1 (section 3.1.1, steps 4 to 6). */
	if ((set & VIRTIO_STATUS_FEATURES_OK) &&
		((dev->driver_features & ~dev->features) ||
			!(dev->driver_features & VIRTIO_BIT(VIRTIO_F_VERSION_1))))
		status &= ~VIRTIO_STATUS_FEATURES_OK;
	if ((set & VIRTIO_STATUS_DRIVER_OK) && !(status & VIRTIO_STATUS_FEATURES_OK))
		status &= ~VIRTIO_STATUS_DRIVER_OK;
	dev->status = status | (dev->status & VIRTIO_STATUS_NEEDS_RESET);
	if ((set & status & VIRTIO_STATUS_DRIVER_OK) && dev->ops->accept_features)
		dev->ops->accept_features(dev);
}

static void set_queue_ready(struct virtio_dev *dev, struct virtqueue *q, uint32_t ready)
{
	if (!ready) {
		q->live = false;
		return;
	}
	if (q->live)
		return;
	if (!(dev->status & VIRTIO_STATUS_FEATURES_OK) || q->size > dev->ops->queue_max ||
		virtqueue_start(
			q, dev->mem, dev->driver_features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX)) < 0)
		fail(dev, "bad virtqueue set-up");
}

static void set_half(uint64_t *value, bool high, uint32_t half)
{
	unsigned shift = high ? 32 : 0;

	*value = (*value & ~(0xffffffffull << shift)) | (uint64_t)half << shift;
}

static gpa_t *queue_address(struct virtqueue *q, uint64_t reg)
{
	switch (reg & ~4ull) {
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		return &q->desc;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		return &q->avail;
	default:
		return &q->used;
	}
}

static void write_queue_register(struct virtio_dev *dev, uint64_t reg, uint32_t value)
{
	struct virtqueue *q;

	if (dev->queue_sel >= dev->ops->nqueues)
		return;
	q = &dev->queue[dev->queue_sel];
	if (reg == VIRTIO_MMIO_QUEUE_READY)
		set_queue_ready(dev, q, value);
	else if (q->live)
		return; /* section 4.2.2.2: not while the queue is in use */
	else if (reg == VIRTIO_MMIO_QUEUE_NUM)
		q->size = value;
	else
		set_half(queue_address(q, reg), reg & 4, value);
}

static void write_register(struct virtio_dev *dev, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case VIRTIO_MMIO_DEVICE_FEAT_SEL:
		dev->features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEAT_SEL:
		dev->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		if (dev->driver_features_sel < 2 && !(dev->status & VIRTIO_STATUS_FEATURES_OK))
			set_half(&dev->driver_features, dev->driver_features_sel == 1, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		dev->queue_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
	case VIRTIO_MMIO_QUEUE_READY:
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		write_queue_register(dev, reg, value);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY: /* only where KVM does not take it: the device loop serves it like any kick */
		eventfd_write(dev->kick_fd, 1);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		dev->interrupt &= ~value;
		break;
	case VIRTIO_MMIO_STATUS:
		set_status(dev, value);
		break;
	default:
		break;
	}
}

static uint32_t read_register(struct virtio_dev *dev, uint64_t reg)
{
	bool queue = dev->queue_sel < dev->ops->nqueues;

	switch (reg) {
	case VIRTIO_MMIO_MAGIC:
		return VIRTIO_MMIO_MAGIC_VALUE;
	case VIRTIO_MMIO_VERSION:
		return VIRTIO_MMIO_VERSION_2;
	case VIRTIO_MMIO_DEVICE_ID:
		return dev->ops->type;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return dev->features_sel < 2 ? (uint32_t)(dev->features >> (32 * dev->features_sel))
					     : 0;
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return queue ? dev->ops->queue_max : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return queue && dev->queue[dev->queue_sel].live;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		if (dev->irq_fd >= 0)
			return dev->interrupt;
		return dev->interrupt | (virtio_has_news(dev) ? INTERRUPT_USED : 0);
	case VIRTIO_MMIO_STATUS:
		return dev->status;
	default:
		return 0;
	}
}

static void bus_read_dev(void *arg, uint64_t offset, void *data, unsigned len)
{
	struct virtio_dev *dev = arg;
	uint64_t at = offset - VIRTIO_MMIO_CONFIG;
	uint32_t value;

	if (offset >= VIRTIO_MMIO_CONFIG) {
		if (at < dev->config_bytes && len <= dev->config_bytes - at)
			memcpy(data, dev->config + at, len);
		return;
	}
	if (len != 4 || offset % 4 != 0)
		return;
	pthread_mutex_lock(dev->lock);
	value = read_register(dev, offset);
	pthread_mutex_unlock(dev->lock);
	memcpy(data, &value, sizeof(value));
}

static void bus_write_dev(void *arg, uint64_t offset, const void *data, unsigned len)
{
	struct virtio_dev *dev = arg;
	uint32_t value;

	if (len != 4 || offset % 4 != 0)
		return;
	memcpy(&value, data, sizeof(value));
	pthread_mutex_lock(dev->lock);
	write_register(dev, offset, value);
	pthread_mutex_unlock(dev->lock);
}

int virtio_attach(struct virtio_dev *dev, struct bus *bus)
{
	return bus_add(bus,
		&(struct bus_range){
			.base = dev->base,
			.bytes = UIG_VIRTIO_STRIDE,
			.read = bus_read_dev,
			.write = bus_write_dev,
			.dev = dev,
		});
}

static gpa_t take_ring(gpa_t *rings, uint64_t bytes)
{
	gpa_t at = *rings;

	*rings += (bytes + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
	return at;
}

static int prepare_queue(struct virtio_dev *dev, unsigned i, gpa_t *rings, struct uig_queue *out)
{
	struct virtqueue *q = &dev->queue[i];

	q->size = dev->ops->queue_prepared[i];
	if (q->size == 0)
		return 0;
	q->desc = take_ring(rings, VIRTQ_DESC_BYTES(q->size));
	q->avail = take_ring(rings, VIRTQ_AVAIL_BYTES(q->size));
	q->used = take_ring(rings, VIRTQ_USED_BYTES(q->size));
	if (*rings > UIG_GPA_RINGS_END)
		return -EINVAL;
	*out = (struct uig_queue){
		.size = q->size, .desc = q->desc, .avail = q->avail, .used = q->used};
	return virtqueue_start(q, dev->mem, true);
}

int virtio_prepare(struct virtio_dev *dev, gpa_t *rings, struct uig_device *out)
{
	reset(dev);
	*out = (struct uig_device){
		.type = dev->ops->type,
		.flags = UIG_DEVF_PREPARED,
		.mmio = dev->base,
		.features = dev->features,
	};
	for (unsigned i = 0; i < dev->ops->nqueues; i++) {
		int r = prepare_queue(dev, i, rings, &out->queue[i]);

		if (r < 0)
			return r;
	}
	dev->driver_features = dev->features;
	dev->status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |
		VIRTIO_STATUS_DRIVER_OK;
	if (dev->ops->accept_features)
		dev->ops->accept_features(dev);
	return 0;
}

int virtio_save(const struct virtio_dev *dev, struct virtio_state *state)
{
	if (dev->dead)
		return -EIO;
	*state = (struct virtio_state){.type = dev->ops->type,
		.status = dev->status,
		.driver_features = dev->driver_features};
	for (unsigned i = 0; i < dev->ops->nqueues; i++) {
		const struct virtqueue *q = &dev->queue[i];

		state->queue[i] = (struct virtio_queue_state){.size = q->size,
			.live = q->live,
			.event_idx = q->event_idx,
			.last_avail = q->last_avail,
			.used_idx = q->used_idx,
			.desc = q->desc,
			.avail = q->avail,
			.used = q->used};
	}
	return 0;
}

static int restore_queue(struct virtio_dev *dev, unsigned i, const struct virtio_queue_state *s)
{
	struct virtqueue *q = &dev->queue[i];
	int r = 0;

	if (s->size > dev->ops->queue_max || s->live > 1 || s->event_idx > 1)
		return -EINVAL;
	q->size = s->size;
	q->desc = s->desc;
	q->avail = s->avail;
	q->used = s->used;
	if (s->live)
		r = virtqueue_start(q, dev->mem, s->event_idx);
	q->last_avail = s->last_avail;
	q->used_idx = q->told_idx = s->used_idx;
	return r;
}

int virtio_restore(struct virtio_dev *dev, const struct virtio_state *s)
{
	const uint32_t known = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
		VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK;
	int r = 0;

	if (s->type != dev->ops->type || (s->driver_features & ~dev->features) ||
		(s->status & ~known))
		return -EINVAL;
	reset(dev);
	dev->driver_features = s->driver_features;
	dev->status = s->status;
	for (unsigned i = 0; i < dev->ops->nqueues && r == 0; i++)
		r = restore_queue(dev, i, &s->queue[i]);
	if (r == 0 && virtio_active(dev) && dev->ops->accept_features)
		dev->ops->accept_features(dev);
	return r;
}
