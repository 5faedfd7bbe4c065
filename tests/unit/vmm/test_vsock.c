/* SPDX-License-Identifier: Apache-2.0 */
/* The socket device between a driver that is played here, right and wrong, and programs of the host. */
#include "abi/virtio.h"
#include "vmm/dev/uds.h"
#include "vmm/mem.h"
#include "vmm/virtio/vsock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define RAM_BYTES 0x400000u
#define SIZE      128u
#define RING      0x2000u /* bytes of a queue's rings */
#define BUFS      0x10000u
#define BUF_BYTES 0x2000u
#define HDR       sizeof(struct virtio_vsock_hdr)
#define CID       7u
#define ALLOC     0x10000u
#define WAIT_MS   60000

struct fixture {
	struct mem mem;
	uint8_t *ram;
	struct virtio_dev *dev;
	char folder[32], path[64];
	int listen_fd, folder_fd;
	uint16_t rx_seen;
	uint32_t port; /* of the guest, the next one */
};

struct ring {
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct ring ring(const struct fixture *f, unsigned q)
{
	uint8_t *at = f->ram + 0x1000 + q * RING;

	return (struct ring){(void *)at, (void *)(at + 0x800), (void *)(at + 0x1000)};
}

static uint8_t *buf_of(const struct fixture *f, unsigned q, unsigned i)
{
	return f->ram + BUFS + (q * SIZE + i) * BUF_BYTES;
}

static uint64_t gpa(const struct fixture *f, const void *p)
{
	return (uint64_t)((const uint8_t *)p - f->ram);
}

/* Posts all receive buffers. */
static void post_all(struct fixture *f)
{
	struct ring r = ring(f, 0);

	for (unsigned i = 0; i < SIZE; i++) {
		r.desc[i] = (struct virtq_desc){
			gpa(f, buf_of(f, 0, i)), BUF_BYTES, VIRTQ_DESC_F_WRITE, 0};
		r.avail->ring[i] = (uint16_t)i;
	}
	r.avail->idx = SIZE;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct vsock_setup setup;
	const char *name;

	mem_init(&f->mem);
	f->ram = mem_reserve(&f->mem, RAM_BYTES, true, NULL);
	assert_int_equal(mem_add(&f->mem, 0, RAM_BYTES, f->ram, true), 0);
	strcpy(f->folder, "/tmp/test-vsock-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/v.sock", f->folder);
	f->listen_fd = uds_listen(f->path, NULL);
	f->folder_fd = uds_folder(f->path, &name, NULL);
	assert_true(f->listen_fd >= 0 && f->folder_fd >= 0);
	setup = (struct vsock_setup){
		.cid = CID, .name = name, .listen_fd = f->listen_fd, .folder_fd = f->folder_fd};
	assert_int_equal(vsock_dev_new(&setup, &f->mem, &lock, 0, &f->dev, NULL), 0);
	for (unsigned q = 0; q < 2; q++) {
		f->dev->queue[q] = (struct virtqueue){.size = SIZE,
			.desc = 0x1000 + q * RING,
			.avail = 0x1800 + q * RING,
			.used = 0x2000 + q * RING};
		assert_int_equal(virtqueue_start(&f->dev->queue[q], &f->mem, true), 0);
	}
	f->dev->status = VIRTIO_STATUS_DRIVER_OK;
	f->port = 5000;
	post_all(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];

	f->dev->ops->fini(f->dev);
	close(f->listen_fd);
	close(f->folder_fd);
	mem_fini(&f->mem);
	snprintf(command, sizeof(command), "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* --- the driver ------------------------------------------------------------------------------------------------ */
static struct virtio_vsock_hdr header(
	uint16_t op, uint32_t src_port, uint32_t dst_port, uint32_t len)
{
	return (struct virtio_vsock_hdr){.src_cid = CID,
		.dst_cid = 2,
		.src_port = src_port,
		.dst_port = dst_port,
		.len = len,
		.type = 1,
		.op = op,
		.buf_alloc = ALLOC};
}

/* Puts a packet of `bytes` (header and data) into the ring, in two parts. */
static void put(
	struct fixture *f, const struct virtio_vsock_hdr *h, const void *data, uint32_t bytes)
{
	struct ring r = ring(f, 1);
	unsigned i = r.avail->idx * 2 % SIZE;
	uint8_t *at = buf_of(f, 1, i);

	memcpy(at, h, HDR);
	if (data)
		memcpy(at + HDR, data, bytes - HDR);
	r.desc[i] = (struct virtq_desc){gpa(f, at), bytes < 20 ? bytes : 20, 0, 0};
	if (bytes > 20) {
		r.desc[i].flags = VIRTQ_DESC_F_NEXT;
		r.desc[i].next = (uint16_t)(i + 1);
		r.desc[i + 1] = (struct virtq_desc){gpa(f, at) + 20, bytes - 20, 0, 0};
	}
	r.avail->ring[r.avail->idx % SIZE] = (uint16_t)i;
	r.avail->idx++;
}

static void serve(struct fixture *f)
{
	for (unsigned i = 0; i < 64 && virtio_serve(f->dev, 32); i++)
		;
}

static void tell(struct fixture *f, uint16_t op, uint32_t src_port, uint32_t dst_port)
{
	struct virtio_vsock_hdr h = header(op, src_port, dst_port, 0);

	put(f, &h, NULL, HDR);
	serve(f);
}

/* The next packet for the guest, with its data behind it; its buffer is posted again. False: none comes without waiting. */
static bool take_now(struct fixture *f, struct virtio_vsock_hdr *h, uint8_t *data)
{
	struct ring r = ring(f, 0);
	uint32_t id, len;

	if (r.used->idx == f->rx_seen)
		return false;
	id = r.used->ring[f->rx_seen % SIZE].id;
	len = r.used->ring[f->rx_seen++ % SIZE].len;
	memcpy(h, buf_of(f, 0, id), HDR);
	assert_int_equal(len, HDR + h->len);
	if (data)
		memcpy(data, buf_of(f, 0, id) + HDR, h->len);
	assert_int_equal(h->dst_cid, CID);
	r.avail->ring[r.avail->idx % SIZE] = (uint16_t)id;
	r.avail->idx++;
	return true;
}

static struct virtio_vsock_hdr take(struct fixture *f, uint8_t *data)
{
	struct virtio_vsock_hdr h;

	serve(f);
	while (!take_now(f, &h, data)) {
		struct pollfd p = {.fd = f->dev->source_fd, .events = POLLIN};

		assert_false(f->dev->dead);
		assert_true(virtio_wants_source(f->dev));
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		serve(f);
	}
	return h;
}

static void expect_nothing(struct fixture *f)
{
	struct virtio_vsock_hdr h;

	serve(f);
	assert_false(take_now(f, &h, NULL));
}

static void expect_op(struct fixture *f, uint16_t op)
{
	assert_int_equal(take(f, NULL).op, op);
}

/* --- the host -------------------------------------------------------------------------------------------------- */
static int dial(struct fixture *f, const char *line)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	return fd;
}

static int listen_at(struct fixture *f, unsigned port)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s_%u", f->path, port);
	fd = uds_listen(path, NULL);
	assert_true(fd >= 0);
	return fd;
}

/* A connection that the host has begun: its descriptor, the guest's view in *h. */
static int open_from_host(struct fixture *f, struct virtio_vsock_hdr *h)
{
	char text[32] = "", want[32];
	int fd = dial(f, "CONNECT 80\n");

	*h = take(f, NULL);
	assert_int_equal(h->op, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(h->src_cid, 2);
	assert_int_equal(h->dst_port, 80);
	tell(f, VIRTIO_VSOCK_OP_RESPONSE, 80, h->src_port);
	snprintf(want, sizeof(want), "OK %u\n", h->src_port);
	assert_int_equal(read(fd, text, strlen(want)), strlen(want));
	assert_string_equal(text, want);
	return fd;
}

/* One that the guest has begun. */
static int open_from_guest(struct fixture *f, uint32_t *port)
{
	int l = listen_at(f, 52), fd;

	*port = f->port++;
	tell(f, VIRTIO_VSOCK_OP_REQUEST, *port, 52);
	expect_op(f, VIRTIO_VSOCK_OP_RESPONSE);
	fd = accept(l, NULL, NULL);
	assert_true(fd >= 0);
	close(l);
	return fd;
}

static void send_data(struct fixture *f, uint32_t src, uint32_t dst, const void *data, uint32_t n)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, src, dst, n);

	put(f, &h, data, (uint32_t)HDR + n);
	serve(f);
}

/* --- tests ----------------------------------------------------------------------------------------------------- */
static void test_host_connects(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr h, got;
	uint8_t data[BUF_BYTES];
	char text[8] = "";
	int fd = open_from_host(f, &h);

	assert_int_equal(write(fd, "ping", 4), 4);
	got = take(f, data);
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(got.len, 4);
	assert_memory_equal(data, "ping", 4);
	send_data(f, 80, h.src_port, "pong!", 5);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "pong!");
	close(fd);
	got = take(f, NULL);
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	if (got.flags != VIRTIO_VSOCK_SHUTDOWN_BOTH)
		assert_int_equal(take(f, NULL).flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	tell(f, VIRTIO_VSOCK_OP_RST, 80, h.src_port);
	assert_int_equal(vsock_dev_count(f->dev), 0);
}

static void test_host_is_refused(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr h;
	int fd = dial(f, "connect 80\n");
	char c;

	h = take(f, NULL);
	tell(f, VIRTIO_VSOCK_OP_RST, 80, h.src_port);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
	assert_int_equal(vsock_dev_count(f->dev), 0);
}

static void test_wrong_greetings(void **state)
{
	static const char *const lines[] = {"CONNECT\n", "CONNECT \n", "CONNECT -1\n",
		"CONNECT 80 \n", "CONNECT 4294967295\n", "CONNECT 99999999999999999999\n",
		"HELLO 80\n", "\n", "CONNECT 00000000000000000000000000000000000000000000080\n",
		"CONNECT 0x50\n"};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = dial(f, lines[i]);
		struct pollfd p = {.fd = fd, .events = POLLIN};

		serve(f); /* the first takes the connection, the second reads it */
		serve(f);
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_true(p.revents & POLLHUP);
		close(fd);
	}
	expect_nothing(f);
	assert_int_equal(vsock_dev_count(f->dev), 0);
}

static void test_greeting_in_pieces(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f, "CONN");

	serve(f);
	serve(f);
	assert_int_equal(write(fd, "ECT 9\nmore", 10), 10);
	assert_int_equal(take(f, NULL).dst_port, 9);
	close(fd);
}

static void test_guest_connects(void **state)
{
	struct fixture *f = *state;
	uint8_t data[BUF_BYTES];
	struct virtio_vsock_hdr got;
	uint32_t port;
	int fd = open_from_guest(f, &port);

	assert_int_equal(write(fd, "abc", 3), 3);
	got = take(f, data);
	assert_int_equal(got.dst_port, port);
	assert_int_equal(got.src_port, 52);
	assert_memory_equal(data, "abc", 3);
	tell(f, VIRTIO_VSOCK_OP_CREDIT_ASK, port, 52);
	got = take(f, NULL);
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_CREDIT);
	assert_int_equal(got.buf_alloc, VSOCK_BUF_BYTES);
	close(fd);
}

static void test_nobody_listens(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr got;

	tell(f, VIRTIO_VSOCK_OP_REQUEST, 5000, 53);
	got = take(f, NULL);
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(got.src_port, 53);
	assert_int_equal(vsock_dev_count(f->dev), 0);
}

/* What fits no connection is answered by RST, once, and RST by nothing. */
static void test_unknown(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr h;

	for (uint16_t op = 0; op < 12; op++) {
		if (op == VIRTIO_VSOCK_OP_REQUEST)
			continue;
		tell(f, op, 6000, 60);
		if (op != VIRTIO_VSOCK_OP_RST)
			expect_op(f, VIRTIO_VSOCK_OP_RST);
		expect_nothing(f);
	}
	h = header(VIRTIO_VSOCK_OP_REQUEST, 6000, 60, 0);
	h.dst_cid = 9;
	put(f, &h, NULL, HDR);
	assert_int_equal(take(f, NULL).src_cid, 9);
	h.dst_cid = 2;
	h.type = 2;
	put(f, &h, NULL, HDR);
	expect_op(f, VIRTIO_VSOCK_OP_RST);
	h.type = 1;
	h.src_cid = 8; /* another's name: no answer at all */
	put(f, &h, NULL, HDR);
	expect_nothing(f);
	assert_false(f->dev->dead);
}

/* Each of these ends the connection, and only that. */
static void test_wrong_packets(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t len, bytes;
	} wrong[] = {{VIRTIO_VSOCK_OP_RW, 100, 99}, {VIRTIO_VSOCK_OP_RW, UINT32_MAX, 10},
		{VIRTIO_VSOCK_OP_REQUEST, 0, 0}, {VIRTIO_VSOCK_OP_RESPONSE, 0, 0}, {0, 0, 0},
		{99, 0, 0}, {VIRTIO_VSOCK_OP_CREDIT, 5, 4}};
	struct fixture *f = *state;
	static const char data[128];

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct virtio_vsock_hdr h;
		char c;
		int fd = open_from_host(f, &h);

		h = header(wrong[i].op, 80, h.src_port, wrong[i].len);
		put(f, &h, data, (uint32_t)HDR + wrong[i].bytes);
		expect_op(f, VIRTIO_VSOCK_OP_RST);
		assert_int_equal(read(fd, &c, 1), 0);
		close(fd);
		assert_int_equal(vsock_dev_count(f->dev), 0);
	}
	assert_false(f->dev->dead);
}

/* Sends as much as the host's side keeps while nobody reads; how much. Each block of 4096 bytes is of one byte. */
static uint32_t fill(struct fixture *f, uint32_t port)
{
	static uint8_t data[4096];
	struct virtio_vsock_hdr got;
	uint32_t sent = 0, told = 0;

	while (sent - told + sizeof(data) <= VSOCK_BUF_BYTES) {
		memset(data, (int)(sent >> 12), sizeof(data));
		send_data(f, port, 52, data, sizeof(data));
		sent += sizeof(data);
		while (take_now(f, &got, NULL)) {
			assert_int_equal(got.op, VIRTIO_VSOCK_OP_CREDIT);
			told = got.fwd_cnt;
		}
	}
	assert_true(sent >= VSOCK_BUF_BYTES);
	return sent;
}

/* The host does not read: the guest may send what it was told, and a byte more ends the connection. */
static void test_credit_of_the_guest(void **state)
{
	struct fixture *f = *state;
	static uint8_t data[4096], in[65536];
	struct virtio_vsock_hdr got;
	uint32_t port, sent, told = 0;
	size_t back = 0;
	ssize_t n;
	int fd = open_from_guest(f, &port);

	sent = fill(f, port);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (back < sent) { /* all of it, in order */
		n = read(fd, in, sizeof(in));
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			serve(f);
			continue;
		}
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(in[i], (uint8_t)((back + (size_t)i) >> 12));
		back += (size_t)n;
	}
	serve(f);
	while (take_now(f, &got, NULL))
		told = got.fwd_cnt;
	assert_true(sent - told < VSOCK_BUF_BYTES);
	for (unsigned i = 0; i < VSOCK_BUF_BYTES / sizeof(data) * 8; i++)
		send_data(f, port, 52, data, sizeof(data)); /* never asks for credit */
	while ((got = take(f, NULL)).op == VIRTIO_VSOCK_OP_CREDIT)
		;
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_RST);
	close(fd);
}

/* The guest does not read: no more is sent than it has room for, and it is asked once. */
static void test_credit_of_the_host(void **state)
{
	struct fixture *f = *state;
	static uint8_t block[ALLOC * 2], data[BUF_BYTES];
	struct virtio_vsock_hdr h, got;
	size_t sum = 0;
	int fd = open_from_host(f, &h);

	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	while ((got = take(f, data)).op == VIRTIO_VSOCK_OP_RW)
		sum += got.len;
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_CREDIT_ASK);
	assert_int_equal(sum, ALLOC);
	expect_nothing(f);
	h = header(VIRTIO_VSOCK_OP_CREDIT, 80, h.src_port, 0);
	h.fwd_cnt = ALLOC;
	put(f, &h, NULL, HDR);
	while (sum < sizeof(block))
		sum += take(f, data).len;
	h.fwd_cnt = 12345; /* nonsense gives no room, or some: never a crash */
	put(f, &h, NULL, HDR);
	serve(f);
	close(fd);
}

/* What the guest has sent arrives although it has closed behind it, and although the host reads late. */
static void test_close_behind_data(void **state)
{
	struct fixture *f = *state;
	static uint8_t in[65536];
	struct virtio_vsock_hdr h, got;
	uint32_t port, sent;
	size_t back = 0;
	ssize_t n;
	int fd = open_from_guest(f, &port);

	sent = fill(f, port);
	h = header(VIRTIO_VSOCK_OP_SHUTDOWN, port, 52, 0);
	h.flags = VIRTIO_VSOCK_SHUTDOWN_BOTH;
	put(f, &h, NULL, HDR);
	while ((got = take(f, NULL)).op == VIRTIO_VSOCK_OP_CREDIT)
		;
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_RST);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, in, sizeof(in))) != 0) {
		back += n > 0 ? (size_t)n : 0;
		serve(f);
	}
	assert_int_equal(back, sent);
	close(fd);
	assert_int_equal(vsock_dev_count(f->dev), 0);
}

static void test_half_closes(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr h, got;
	char c;
	int fd = open_from_host(f, &h);

	shutdown(fd, SHUT_WR);
	got = take(f, NULL);
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(got.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	send_data(f, 80, h.src_port, "x", 1);
	assert_int_equal(read(fd, &c, 1), 1);
	got = header(VIRTIO_VSOCK_OP_SHUTDOWN, 80, h.src_port, 0);
	got.flags = VIRTIO_VSOCK_SHUTDOWN_SEND;
	put(f, &got, NULL, HDR);
	serve(f);
	assert_int_equal(read(fd, &c, 1), 0);
	send_data(f, 80, h.src_port, "x", 1); /* after its end */
	while (take(f, NULL).op != VIRTIO_VSOCK_OP_RST)
		;
	close(fd);
}

/* No more connections than there may be: the guest is refused, the host too, and with the end of one there is room again. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr got;
	int l = listen_at(f, 52), fd[VSOCK_CONNS_MAX];

	for (unsigned i = 0; i < VSOCK_CONNS_MAX; i++) {
		tell(f, VIRTIO_VSOCK_OP_REQUEST, i, 52);
		expect_op(f, VIRTIO_VSOCK_OP_RESPONSE);
		while ((fd[i] = accept(l, NULL, NULL)) < 0)
			;
	}
	tell(f, VIRTIO_VSOCK_OP_REQUEST, 70000, 52);
	expect_op(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(vsock_dev_count(f->dev), VSOCK_CONNS_MAX);
	tell(f, VIRTIO_VSOCK_OP_RST, 5, 52);
	tell(f, VIRTIO_VSOCK_OP_REQUEST, 70000, 52);
	got = take(f, NULL);
	assert_int_equal(got.op, VIRTIO_VSOCK_OP_RESPONSE);
	for (unsigned i = 0; i < VSOCK_CONNS_MAX; i++)
		close(fd[i]);
	close(l);
	f->dev->ops->reset(f->dev);
	assert_int_equal(vsock_dev_count(f->dev), 0);
}

/* A driver that takes no answers is not listened to for ever: nothing is kept without bounds. */
static void test_no_answers_taken(void **state)
{
	struct fixture *f = *state;
	struct ring rx = ring(f, 0), tx = ring(f, 1);
	unsigned taken;

	rx.avail->idx = 0; /* nothing is posted */
	for (unsigned i = 0; i < SIZE / 2; i++) {
		struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, i, 1, 0);

		put(f, &h, NULL, HDR);
	}
	serve(f);
	for (unsigned i = 0; i < SIZE / 2; i++) {
		struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, i, 2, 0);

		put(f, &h, NULL, HDR);
	}
	serve(f);
	taken = tx.used->idx;
	assert_true(taken < SIZE);
	rx.avail->idx = SIZE;
	serve(f);
	assert_int_equal(tx.used->idx, SIZE);
}

static void test_broken_rings(void **state)
{
	struct fixture *f = *state;
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, 1, 1, 0);

	put(f, &h, NULL, 20); /* less than a header */
	serve(f);
	assert_true(f->dev->dead);
	f->dev->dead = false;
	put(f, &h, NULL, HDR);
	ring(f, 1).desc[(ring(f, 1).avail->idx - 1) * 2 % SIZE + 1].flags = VIRTQ_DESC_F_WRITE;
	serve(f);
	assert_true(f->dev->dead);
	f->dev->dead = false;
	ring(f, 0).desc[0].len = HDR; /* a receive buffer without room, and something to say */
	put(f, &h, NULL, HDR);
	serve(f);
	assert_true(f->dev->dead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(test_host_connects), T(test_host_is_refused), T(test_wrong_greetings),
		T(test_greeting_in_pieces), T(test_guest_connects), T(test_nobody_listens),
		T(test_unknown), T(test_wrong_packets), T(test_credit_of_the_guest),
		T(test_credit_of_the_host), T(test_close_behind_data), T(test_half_closes),
		T(test_many), T(test_no_answers_taken), T(test_broken_rings)
#undef T
	};

	signal(SIGPIPE, SIG_IGN); /* as uvmm does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
