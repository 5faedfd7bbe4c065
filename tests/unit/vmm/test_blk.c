/* SPDX-License-Identifier: Apache-2.0 */
/* The block device in the hands of a driver that asks for anything: each wrong request has its answer, and hurts nothing. */
#include "vmm/mem.h"
#include "vmm/virtio/blk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RAM_BYTES  0x20000u
#define DESC       0x1000u
#define AVAIL      0x2000u
#define USED       0x3000u
#define HEAD       0x4000u
#define STATUS     0x5000u
#define DATA       0x8000u
#define SIZE       16u
#define FILE_BYTES (16 * 512 + 100)
#define NO_STATUS  0x77
#define F_ALL      (~0ull)

struct fixture {
	struct mem mem;
	uint8_t *ram;
	struct blk_dev *blk;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	char path[32];
	uint16_t seen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void open_device(struct fixture *f, bool read_only, uint64_t features)
{
	struct blk_setup setup = {.id = "a-name-of-more-than-twenty-bytes",
		.fd = open(f->path, O_RDWR | O_CLOEXEC),
		.read_only = read_only,
		.flush = true};
	struct virtio_dev *dev;

	assert_int_equal(blk_new(&setup, &f->mem, &lock, 0, &f->blk, NULL), 0);
	dev = &f->blk->virtio;
	dev->driver_features = dev->features & features;
	dev->queue[0] =
		(struct virtqueue){.size = SIZE, .desc = DESC, .avail = AVAIL, .used = USED};
	assert_int_equal(virtqueue_start(&dev->queue[0], &f->mem, true), 0);
	dev->status = VIRTIO_STATUS_DRIVER_OK;
}

static void close_device(struct fixture *f)
{
	f->blk->virtio.ops->fini(&f->blk->virtio);
	memset(f->ram + DESC, 0, HEAD - DESC);
	f->seen = 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	mem_init(&f->mem);
	f->ram = mem_reserve(&f->mem, RAM_BYTES, true, NULL);
	assert_int_equal(mem_add(&f->mem, 0, RAM_BYTES, f->ram, true), 0);
	f->desc = (void *)(f->ram + DESC);
	f->avail = (void *)(f->ram + AVAIL);
	f->used = (void *)(f->ram + USED);
	strcpy(f->path, "/tmp/test-blk-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0 && ftruncate(fd, FILE_BYTES) == 0);
	close(fd);
	open_device(f, false, F_ALL);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close_device(f);
	mem_fini(&f->mem);
	unlink(f->path);
	free(f);
	return 0;
}

static void set_desc(struct fixture *f, unsigned i, uint64_t addr, uint32_t len, unsigned flags)
{
	f->desc[i] = (struct virtq_desc){addr, len, (uint16_t)flags, (uint16_t)(i + 1)};
}

static void offer(struct fixture *f, uint16_t head)
{
	f->avail->ring[f->avail->idx % SIZE] = head;
	f->avail->idx++;
}

/* Serves until the request of one chain has come back; the bytes that the device says it has written. */
static uint32_t serve(struct fixture *f)
{
	struct virtio_dev *dev = &f->blk->virtio;

	virtio_serve(dev, 8);
	while (f->used->idx == f->seen && !dev->dead) {
		struct pollfd p = {.fd = dev->source_fd, .events = POLLIN};

		assert_true(virtio_wants_source(dev));
		assert_int_equal(poll(&p, 1, 60000), 1);
		virtio_serve(dev, 8);
	}
	return dev->dead ? 0 : f->used->ring[f->seen++ % SIZE].len;
}

static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t bytes)
{
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	struct virtio_blk_req head = {.type = type, .sector = sector};
	uint32_t wrote;

	memcpy(f->ram + HEAD, &head, sizeof(head));
	f->ram[STATUS] = NO_STATUS;
	set_desc(f, 0, HEAD, sizeof(head), VIRTQ_DESC_F_NEXT);
	set_desc(f, 1, DATA, bytes, VIRTQ_DESC_F_NEXT | (in ? VIRTQ_DESC_F_WRITE : 0));
	set_desc(f, 2, STATUS, 1, VIRTQ_DESC_F_WRITE);
	offer(f, 0);
	wrote = serve(f);
	assert_int_equal(wrote, (in && f->ram[STATUS] == VIRTIO_BLK_S_OK ? bytes : 0) + 1);
	return f->ram[STATUS];
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->blk->config.capacity, 16); /* the last 100 bytes are no sector */
	memset(f->ram + DATA, 'x', 1024);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 3, 1024), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	memset(f->ram + DATA, 0, 4096);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 2, 2048), VIRTIO_BLK_S_OK);
	assert_int_equal(f->ram[DATA + 511], 0);
	assert_int_equal(f->ram[DATA + 512], 'x');
	assert_int_equal(f->ram[DATA + 1535], 'x');
	assert_int_equal(f->ram[DATA + 1536], 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_memory_equal(f->ram + DATA, "a-name-of-more-than-", 20);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 0), VIRTIO_BLK_S_OK);
}

static void set_range(struct fixture *f, unsigned i, uint64_t sector, uint32_t n, uint32_t flags)
{
	struct virtio_blk_range range = {sector, n, flags};

	memcpy(f->ram + DATA + i * sizeof(range), &range, sizeof(range));
}

static void test_ranges(void **state)
{
	struct fixture *f = *state;

	memset(f->ram + DATA, 'x', 16 * 512);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 16 * 512), VIRTIO_BLK_S_OK);
	set_range(f, 0, 1, 2, 0);
	set_range(f, 1, 15, 1, VIRTIO_BLK_RANGE_UNMAP);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32), VIRTIO_BLK_S_OK);
	set_range(f, 0, 8, 4, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 16 * 512), VIRTIO_BLK_S_OK);
	assert_int_equal(f->ram[DATA + 511], 'x');
	assert_int_equal(f->ram[DATA + 512], 0);
	assert_int_equal(f->ram[DATA + 3 * 512 - 1], 0);
	assert_int_equal(f->ram[DATA + 3 * 512], 'x');
	assert_int_equal(f->ram[DATA + 15 * 512], 0);
	set_range(f, 0, 15, 2, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	set_range(f, 0, UINT64_MAX, 1, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_IOERR);
	set_range(f, 0, 0, 1, VIRTIO_BLK_RANGE_UNMAP);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_UNSUPP);
	set_range(f, 0, 0, 1, 2);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 15), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(
		request(f, VIRTIO_BLK_T_DISCARD, 0, 16 * (BLK_RANGES_MAX + 1)), VIRTIO_BLK_S_IOERR);
}

static void test_refused(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t bytes;
		uint8_t status;
	} cases[] = {
		{VIRTIO_BLK_T_IN, 16, 512, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_IN, 17, 0, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_IN, 15, 1024, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_IN, UINT64_MAX, 512, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_IN, UINT64_MAX / 512 + 1, 512, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_IN, 0, 511, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_OUT, 16, 512, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_OUT, 0, 513, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_GET_ID, 0, 19, VIRTIO_BLK_S_IOERR},
		{2, 0, 512, VIRTIO_BLK_S_UNSUPP},
		{UINT32_MAX, 0, 512, VIRTIO_BLK_S_UNSUPP},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%zu\n", i);
		assert_int_equal(request(f, cases[i].type, cases[i].sector, cases[i].bytes),
			cases[i].status);
		assert_false(f->blk->virtio.dead);
	}
	assert_int_equal(f->blk->errors, sizeof(cases) / sizeof(cases[0]));
	/* A file that has become shorter is an I/O error, not a hang. */
	assert_int_equal(truncate(f->path, 512), 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 1024), VIRTIO_BLK_S_IOERR);
}

static void test_read_only(void **state)
{
	struct fixture *f = *state;

	close_device(f);
	open_device(f, true, F_ALL);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	set_range(f, 0, 0, 1, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
}

/* A driver that does not know of flushes gets writes that last (each goes to the thread), and no flush. */
static void test_write_through(void **state)
{
	struct fixture *f = *state;

	close_device(f);
	open_device(f, false, ~VIRTIO_BIT(VIRTIO_BLK_F_FLUSH));
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(f->blk->waited, 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_UNSUPP);
}

/* Without a header, or without room for an answer, there is nothing that could be answered. */
static void test_broken(void **state)
{
	static const struct {
		uint32_t out, in;
	} cases[] = {{15, 1}, {16, 0}, {0, 513}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		close_device(f);
		open_device(f, false, F_ALL);
		set_desc(f, 0, HEAD, cases[i].out, VIRTQ_DESC_F_NEXT);
		set_desc(f, 1, DATA, cases[i].in, VIRTQ_DESC_F_WRITE);
		offer(f, 0);
		serve(f);
		assert_true(f->blk->virtio.dead);
		assert_int_equal(f->used->idx, 0);
	}
}

/* Header and answer may be cut anywhere (section 2.7.4: no framing). */
static void test_pieces(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_req head = {.type = VIRTIO_BLK_T_IN, .sector = 1};

	memcpy(f->ram + HEAD, &head, sizeof(head));
	set_desc(f, 0, HEAD, 3, VIRTQ_DESC_F_NEXT);
	set_desc(f, 1, HEAD + 3, 13, VIRTQ_DESC_F_NEXT);
	set_desc(f, 2, DATA, 100, VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE);
	set_desc(f, 3, DATA + 100, 413, VIRTQ_DESC_F_WRITE);
	memset(f->ram + DATA, NO_STATUS, 600);
	offer(f, 0);
	assert_int_equal(serve(f), 513);
	assert_int_equal(f->ram[DATA + 511], 0);
	assert_int_equal(f->ram[DATA + 512], VIRTIO_BLK_S_OK);
	assert_int_equal(f->ram[DATA + 513], NO_STATUS);
}

/* More than may be under way: the rest waits in the ring, and all come back. The same chain is offered again and again. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_req head = {.type = VIRTIO_BLK_T_FLUSH};
	struct virtio_dev *dev = &f->blk->virtio;

	memcpy(f->ram + HEAD, &head, sizeof(head));
	set_desc(f, 0, HEAD, sizeof(head), VIRTQ_DESC_F_NEXT);
	set_desc(f, 1, STATUS, 1, VIRTQ_DESC_F_WRITE);
	for (unsigned i = 0; i < 5 * BLK_INFLIGHT_MAX; i++) {
		if (i % SIZE == 0)
			virtio_serve(dev, SIZE);
		while ((uint16_t)(f->avail->idx - dev->queue[0].last_avail) == SIZE) {
			struct pollfd p = {.fd = dev->source_fd, .events = POLLIN};

			assert_true(f->blk->inflight <= BLK_INFLIGHT_MAX);
			assert_int_equal(poll(&p, 1, 60000), 1);
			virtio_serve(dev, SIZE);
		}
		offer(f, 0);
	}
	virtio_serve(dev, SIZE);
	dev->ops->settle(dev);
	virtio_serve(dev, SIZE);
	dev->ops->settle(dev);
	assert_int_equal(f->used->idx, 5 * BLK_INFLIGHT_MAX);
	assert_int_equal(f->blk->inflight, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {T(test_round_trip), T(test_ranges), T(test_refused),
		T(test_read_only), T(test_write_through), T(test_broken), T(test_pieces),
		T(test_many)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
