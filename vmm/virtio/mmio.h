/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device behind the virtio-mmio version 2 transport: what all devices have in common. A device type fills
 * struct virtio_ops and embeds struct virtio_dev.
 *
 * A device that finds a broken ring is dead until the driver resets it: NEEDS_RESET is set and its queues are no
 * longer looked at. Nothing else of the VM is touched.
 *
 * Threads: registers are accessed by the vCPU thread, queues are served by either (vmm/devices.h): everything is
 * under the devices' lock, or done by the thread that owns the devices while the vCPU waits.
 * Specification: virtio 1.2, sections 2.1, 3.1.1, 4.2.2.
 */
#ifndef VMM_VIRTIO_MMIO_H
#define VMM_VIRTIO_MMIO_H

#include "abi/boot.h"
#include "vmm/virtio/virtqueue.h"

#include <pthread.h>

struct bus;
struct err;
struct virtio_dev;

struct virtio_ops {
	const char *name;
	uint32_t type;
	unsigned nqueues;
	uint32_t queue_max; /* entries of each queue */
	uint32_t queue_prepared
		[UIG_QUEUES_MAX]; /* entries when the monitor sets it up; 0: left out */
	/* Does what the queues ask for, at most about budget requests of each. 0: done, 1: more is left, -EPROTO. */
	int (*serve)(struct virtio_dev *dev, unsigned budget);
	void (*reset)(struct virtio_dev *dev); /* may be NULL */
	/* True when dev->source_fd should be watched now; NULL: never. */
	bool (*wants_source)(const struct virtio_dev *dev);
	bool patient; /* what the source has may wait until the guest waits next, or for a few milliseconds */
	/* After the end of the guest, all served: waits for what is still under way elsewhere; NULL: nothing. */
	void (*settle)(struct virtio_dev *dev);
	/* Gives everything back, the device itself included if it was allocated. Calls virtio_fini(). */
	void (*fini)(struct virtio_dev *dev);
	/* Fills in what the boot information says of this type of device; may be NULL. */
	void (*describe)(const struct virtio_dev *dev, struct uig_device *out);
	/* The driver is ready, driver_features are what it accepted; may be NULL. */
	void (*accept_features)(struct virtio_dev *dev);
};

struct virtio_dev {
	const struct virtio_ops *ops;
	const struct mem *mem; /* borrowed */
	pthread_mutex_t *lock; /* borrowed: the devices' lock */
	gpa_t base;
	uint64_t features;     /* offered */
	const uint8_t *config; /* borrowed, config_bytes; little-endian */
	unsigned config_bytes;
	int kick_fd; /* owned eventfd; a write to QUEUE_NOTIFY */
	/* The device type's own; -1: none. While readable it makes serve() worth a call: frames of a tap, an eventfd that another
	 * thread writes when it has finished a request, an epoll of sockets. A level: serve() takes the reason away. */
	int source_fd;
	bool source_watched; /* serve() may leave the source alone: ppoll() will say */
	int irq_fd; /* owned eventfd, a pulse of the device's line; -1: this machine has no interrupts (abi/platform.h) */

	/* under lock */
	uint64_t driver_features;
	uint32_t status, interrupt, features_sel, driver_features_sel, queue_sel;
	struct virtqueue queue[UIG_QUEUES_MAX];
	bool dead;
	bool by_vcpu; /* the thread that serves is the vCPU's, which waits: nobody else is kept waiting by it */
	uint64_t kicks, failures;
};

/* A device between two requests, as it is kept in a snapshot: addresses are the guest's. */
struct virtio_state {
	uint32_t type, status;
	uint64_t driver_features;
	struct virtio_queue_state {
		uint32_t size, live, event_idx;
		uint16_t last_avail, used_idx;
		gpa_t desc, avail, used;
	} queue[UIG_QUEUES_MAX];
};

/* Set up before: config, features (VERSION_1 and EVENT_IDX are added). source_fd is none after it. 0 or -errno. */
int virtio_init(struct virtio_dev *dev, const struct virtio_ops *ops, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct err *err);
void virtio_fini(struct virtio_dev *dev);
int virtio_attach(struct virtio_dev *dev, struct bus *bus);

/* Sets the device up as if a driver had, with rings from *rings on (advanced behind them, all zero before), and
 * describes it in out. The features are all that are offered. 0 or -EINVAL. */
int virtio_prepare(struct virtio_dev *dev, gpa_t *rings, struct uig_device *out);

/* Nothing is under way. 0, or -EIO for a device that has failed. */
int virtio_save(const struct virtio_dev *dev, struct virtio_state *state);
/* Goes on from there. The state may come from anyone: 0, or -EINVAL when this device can not have had it. */
int virtio_restore(struct virtio_dev *dev, const struct virtio_state *state);

static inline bool virtio_active(const struct virtio_dev *dev)
{
	return !dev->dead && (dev->status & VIRTIO_STATUS_DRIVER_OK);
}
static inline bool virtio_wants_source(const struct virtio_dev *dev)
{
	return dev->ops->wants_source && virtio_active(dev) && dev->ops->wants_source(dev);
}

/* Serves the queues; failing the device when its ring is broken. True when more is left. */
bool virtio_serve(struct virtio_dev *dev, unsigned budget);
/* True when a queue has something that the guest wants to hear of. */
bool virtio_has_news(const struct virtio_dev *dev);
void virtio_told(struct virtio_dev *dev);
/* Interrupts the guest when there is something new that it wants to hear of. Nothing happens without irq_fd. */
void virtio_interrupt(struct virtio_dev *dev);

#endif
