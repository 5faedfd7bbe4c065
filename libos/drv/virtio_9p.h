/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-9p: requests to the server of a volume, and their answers. It knows nothing of what is in a message. Any number of devices, one
 * queue each; answers are handed up in the order in which the device gave them back, from a poller, so done() must not block.
 *
 * A thread that waits for an answer with no other to run needs no kick: WAIT lets the device work. With others that is so as well, for a bounded
 * time (libos/drv/hold.h): most wait before long, and a kick costs two wake-ups.
 */
#ifndef LIBOS_DRV_VIRTIO_9P_H
#define LIBOS_DRV_VIRTIO_9P_H

#include "libos/drv/virtqueue.h"
#include "libos/klib/list.h"

struct uig_device;
struct v9p;

#define V9P_TAG_BYTES 64u

struct v9p_request {
	struct list link; /* requests under way */
	bool unhurried;   /* nobody waits for it: its answer wakes nobody */
	/* bytes: what the device wrote; 0 when it has failed. */
	void (*done)(struct v9p_request *r, uint32_t bytes);
};

/* Opens the device. 0 or -errno. */
int v9p_open(const struct uig_device *dev, struct v9p **out);
/* What mount= names it by. */
const char *v9p_tag(const struct v9p *v);
/* True when its server does one request after the other, in the order in which they were sent. */
bool v9p_ordered(const struct v9p *v);

/* Sends a request: nout pieces for the device to read, then nin to write. -ENOSPC: no room now, try again when one is done; -EIO. */
int v9p_submit(struct v9p *v, const struct vq_buf *buf, unsigned nout, unsigned nin,
	struct v9p_request *r);
/* Lets the device work until something is done, and hands it up; no other thread runs meanwhile. */
void v9p_wait(struct v9p *v);

#endif
