/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/console.h"

#include "lib/loop.h"
#include "vmm/stat.h"
#include "vmm/virtio/chain.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONSOLE_QUEUE_ENTRIES 64u
#define GAP_LINE_BYTES        112

static const char cut_line[] =
	"\n[uvmm: the console has reached its limit, the rest is thrown away]\n";

static struct console_dev *console_of(struct virtio_dev *dev)
{
	return (struct console_dev *)((char *)dev - offsetof(struct console_dev, virtio));
}

/* Bytes that may be written without blocking, as soon as there are any until then (0: now): a pipe that polls writable takes PIPE_BUF (pipe(7)). */
static size_t room(const struct console_dev *console, int64_t until_ns)
{
	struct pollfd p = {.fd = console->fd, .events = POLLOUT};
	int n;

	if (console->is_file)
		return SSIZE_MAX;
	do {
		int64_t ns = until_ns ? until_ns - loop_now_ns() : 0;
		struct timespec left = {0};

		if (ns > 0)
			left = (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
		n = ppoll(&p, 1, &left, NULL);
	} while (n < 0 && errno == EINTR);
	return n == 1 && (p.revents & POLLOUT) ? PIPE_BUF : 0;
}

/* Until when a request may wait; not at all for a reader who has let us wait in vain and not read since. */
static int64_t patience_end_ns(const struct console_dev *console)
{
	return console->given_up || console->is_file ? 0 : loop_now_ns() + console->patience_ns;
}

/* Writes total bytes of v, which is used up. What does not fit in time is lost; how much was written. */
static uint64_t put(struct console_dev *console, const struct iovec *v, unsigned n, uint64_t total)
{
	struct iovec part[CHAIN_SEGMENTS_MAX];
	int64_t until_ns = patience_end_ns(console);
	uint64_t done = 0;

	while (done < total && console->fd >= 0) {
		size_t may = room(console, done < CONSOLE_WAIT_BYTES ? until_ns : 0);
		unsigned m = iov_cut(part, iov_skip(v, n, done, part), may);
		ssize_t w = m ? writev(console->fd, part, (int)m) : -1;

		console->given_up = !may;
		if (w < 0 && m && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		done += (uint64_t)w;
	}
	stat_add(&console->bytes, done);
	stat_add(&console->lost, total - done);
	return done;
}

/* Where output is missing. */
static void say_gap(struct console_dev *console)
{
	char text[GAP_LINE_BYTES];
	struct iovec line = {.iov_base = text};

	if (!console->gap || room(console, 0) < sizeof(text))
		return;
	line.iov_len = (size_t)snprintf(text, sizeof(text),
		"\n[uvmm: %llu bytes are missing here: they came faster than they were read]\n",
		(unsigned long long)console->gap);
	console->gap = 0;
	put(console, &line, 1, line.iov_len);
}

/* Says once that output was cut: as soon as the line fits, a pipe may be full just now. */
static void say_cut(struct console_dev *console)
{
	struct iovec line = {
		.iov_base = (char *)(uintptr_t)cut_line, .iov_len = sizeof(cut_line) - 1};

	if (!console->cut || console->cut_said || room(console, 0) < line.iov_len)
		return;
	console->cut_said = true;
	put(console, &line, 1, line.iov_len);
}

static void output(struct console_dev *console, struct iovec *v, unsigned n, uint64_t bytes)
{
	uint64_t take = bytes < console->left ? bytes : console->left;

	console->left -= take;
	if (take < bytes)
		stat_add(&console->lost, bytes - take);
	n = iov_cut(v, n, take);
	if (n) {
		say_gap(console);
		console->gap += take - put(console, v, n, take);
	}
	if (take < bytes)
		console->cut = true;
	say_cut(console);
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct console_dev *console = console_of(dev);
	struct virtqueue *q = &dev->queue[CONSOLE_QUEUE_TX];
	struct chain c;
	int r;

	say_gap(console);
	say_cut(console);
	do {
		while ((r = virtqueue_pop(q, &c)) > 0) {
			output(console, c.iov, c.nout, c.out_bytes);
			virtqueue_push(q, c.head, 0);
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
}

static const struct virtio_ops console_ops = {
	.name = "console",
	.type = UIG_DEV_CONSOLE,
	.nqueues = 2,
	.queue_max = VIRTQUEUE_SIZE_MAX,
	.queue_prepared = {0, CONSOLE_QUEUE_ENTRIES},
	.serve = serve,
	.fini = fini,
};

int console_init(struct console_dev *console, int fd, uint64_t max_bytes, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct err *err)
{
	struct stat st;

	*console = (struct console_dev){
		.fd = fd, .left = max_bytes, .patience_ns = CONSOLE_PATIENCE_NS};
	console->is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	return virtio_init(&console->virtio, &console_ops, mem, lock, base, err);
}

void console_end(struct console_dev *console)
{
	if (!console->gap && (!console->cut || console->cut_said))
		return;
	room(console, loop_now_ns() + console->patience_ns);
	say_gap(console);
	say_cut(console);
}

void console_debug(struct console_dev *console, uint8_t byte)
{
	struct iovec v = {.iov_base = &byte, .iov_len = 1};

	output(console, &v, 1, 1);
}
