/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console, output only (queue 1). Text gathers in an open buffer of one page; it is handed to the device when the program goes on
 * running (kick), before a sleep (arm), when the buffer is full, and by console_flush(). At most BUFFERS pages are in flight: then the
 * writer waits for the device.
 *
 * Flushing needs no poller, no timer and no interrupt that arrives: it looks at the used ring, so that it works in a panic.
 */
#include "libos/drv/console.h"

#include "libos/drv/platform.h"
#include "libos/drv/virtio_mmio.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"

#define TX          1u
#define QUEUE_SIZE  16u
#define BUFFERS     4u
#define EARLY_BYTES 4096u
#define STEP_NS     (20ull * 1000 * 1000)
#define GIVE_UP_NS  (2 * NS_PER_SEC) /* without progress */

static struct {
	struct virtio_device vd;
	bool live;           /* a device takes the text */
	bool unbuffered;     /* no device will come: every byte goes out by platform_debug_putc */
	char *idle[BUFFERS]; /* pages that are not in flight, a stack */
	unsigned nidle;
	char *open; /* page being filled, or NULL */
	uint32_t fill;
	char early[EARLY_BYTES];
	size_t early_len;
} con;

static void reclaim(void)
{
	uint32_t len;
	void *page;

	while ((page = virtqueue_pop(&con.vd.vq[TX], &len)) != NULL)
		con.idle[con.nidle++] = page;
	virtqueue_disarm(&con.vd.vq[TX]);
}

/* Hands the open buffer to the device; it is not told. */
static void publish(void)
{
	struct vq_buf buf = {con.open, con.fill};

	if (!con.open || con.fill == 0)
		return;
	if (virtqueue_add(&con.vd.vq[TX], &buf, 1, 0, con.open) < 0)
		con.idle[con.nidle++] = con.open; /* a broken device: the text is lost */
	con.open = NULL;
	con.fill = 0;
}

/* Lets the device work until it has finished one buffer more; false when it does not. Others' news end a wait at once, so that
 * the clock, not the number of waits, says when to give up. */
static bool wait_progress(void)
{
	struct virtqueue *vq = &con.vd.vq[TX];
	uint64_t end = clock_mono_ns() + GIVE_UP_NS;

	virtio_kick(&con.vd, TX);
	platform_wait(0);
	while (!virtqueue_pending(vq) && !vq->broken && clock_mono_ns() < end) {
		virtqueue_arm(vq);
		if (!virtqueue_pending(vq))
			platform_wait(clock_mono_ns() + STEP_NS);
	}
	return virtqueue_pending(vq);
}

static bool open_buffer(void)
{
	if (con.open)
		return true;
	reclaim();
	if (con.nidle == 0 && wait_progress())
		reclaim();
	if (con.nidle == 0)
		return false;
	con.open = con.idle[--con.nidle];
	con.fill = 0;
	return true;
}

static void write_live(const char *text, size_t len)
{
	while (len > 0 && open_buffer()) {
		size_t room = PAGE_BYTES - con.fill;
		size_t n = len < room ? len : room;

		memcpy(con.open + con.fill, text, n);
		con.fill += (uint32_t)n;
		text += n;
		len -= n;
		if (con.fill == PAGE_BYTES)
			publish();
	}
}

void console_write(const char *text, size_t len)
{
	if (con.live) {
		write_live(text, len);
	} else if (con.unbuffered) {
		for (size_t i = 0; i < len; i++)
			platform_debug_putc(text[i]);
	} else {
		size_t room = EARLY_BYTES - con.early_len;
		size_t n = len < room ? len : room;

		memcpy(con.early + con.early_len, text, n);
		con.early_len += n;
	}
}

void console_flush(void)
{
	if (!con.live) {
		for (size_t i = 0; i < con.early_len; i++)
			platform_debug_putc(con.early[i]);
		con.early_len = 0;
		return;
	}
	publish();
	reclaim();
	while (con.nidle < BUFFERS && wait_progress())
		reclaim();
}

static bool con_pending(void)
{
	return false; /* finished buffers can wait until the next one is needed */
}

static void con_run(void)
{
	reclaim();
}

static void con_kick(void)
{
	publish();
	virtio_kick(&con.vd, TX);
}

/* Before a sleep: uvmm serves what was published, other machines have to be told. */
static void con_arm(void)
{
	publish();
	virtio_kick(&con.vd, TX);
}

static struct poller con_poller = {
	.pending = con_pending, .run = con_run, .arm = con_arm, .kick = con_kick};

static int open_device(const struct uig_device *dev)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		con.idle[i] = page_alloc_raw();
		if (!con.idle[i])
			return -ENOMEM;
	}
	con.nidle = BUFFERS;
	int rc = virtio_open(&con.vd, dev, 0, 2, QUEUE_SIZE);
	if (rc < 0)
		return rc;
	if (con.vd.vq[TX].size == 0)
		return -EINVAL;
	virtio_start(&con.vd, dev);
	return 0;
}

int console_init(const struct uig_device *dev)
{
	int rc = dev ? open_device(dev) : 0;

	if (!dev || rc < 0) {
		con.unbuffered = true;
		console_flush();
		return rc;
	}
	con.live = true;
	poller_add(&con_poller);
	size_t n = con.early_len;
	con.early_len = 0;
	console_write(con.early, n);
	return 0;
}
