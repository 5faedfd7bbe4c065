/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/mem.h"
#include "vmm/virtio/virtqueue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM_BYTES 0x10000u
#define RO_BASE   0x100000u
#define DESC      0x1000u
#define AVAIL     0x2000u
#define USED      0x3000u
#define DATA      0x4000u
#define SIZE      8u

struct fixture {
	struct mem mem;
	uint8_t *ram, *ro;
	struct virtqueue q;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	mem_init(&f->mem);
	f->ram = mem_reserve(&f->mem, RAM_BYTES, true, NULL);
	f->ro = mem_reserve(&f->mem, 4096, true, NULL);
	assert_int_equal(mem_add(&f->mem, 0, RAM_BYTES, f->ram, true), 0);
	assert_int_equal(mem_add(&f->mem, RO_BASE, 4096, f->ro, false), 0);
	f->desc = mem_at(&f->mem, DESC, 4096);
	f->avail = mem_at(&f->mem, AVAIL, 4096);
	f->used = mem_at(&f->mem, USED, 4096);
	f->q = (struct virtqueue){.size = SIZE, .desc = DESC, .avail = AVAIL, .used = USED};
	assert_int_equal(virtqueue_start(&f->q, &f->mem, true), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mem_fini(&f->mem);
	free(f);
	return 0;
}

static void offer(struct fixture *f, uint16_t head)
{
	f->avail->ring[f->avail->idx % SIZE] = head;
	f->avail->idx++;
}

static void set_desc(
	struct fixture *f, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	f->desc[i] = (struct virtq_desc){addr, len, flags, next};
}

static uint16_t *event_of_driver(struct fixture *f)
{
	return &f->avail->ring[SIZE];
}

static uint16_t avail_event(struct fixture *f)
{
	uint16_t value;

	memcpy(&value, (uint8_t *)f->used + 4 + SIZE * 8, sizeof(value));
	return value;
}

static void test_chain(void **state)
{
	struct fixture *f = *state;
	struct chain c;

	assert_int_equal(virtqueue_pop(&f->q, &c), 0);
	set_desc(f, 3, DATA, 10, VIRTQ_DESC_F_NEXT, 5);
	set_desc(f, 5, RO_BASE, 4096, VIRTQ_DESC_F_NEXT, 1);
	set_desc(f, 1, DATA + 100, 30, VIRTQ_DESC_F_WRITE, 0);
	offer(f, 3);
	assert_int_equal(virtqueue_pop(&f->q, &c), 1);
	assert_int_equal(c.head, 3);
	assert_int_equal(c.nout, 2);
	assert_int_equal(c.nin, 1);
	assert_int_equal(c.out_bytes, 4106);
	assert_int_equal(c.in_bytes, 30);
	assert_ptr_equal(c.iov[0].iov_base, f->ram + DATA);
	assert_ptr_equal(c.iov[1].iov_base, f->ro);
	assert_ptr_equal(c.iov[2].iov_base, f->ram + DATA + 100);
	assert_int_equal(virtqueue_pop(&f->q, &c), 0);
	virtqueue_unpop(&f->q, 1);
	assert_int_equal(virtqueue_pop(&f->q, &c), 1);
	virtqueue_push(&f->q, 3, 30);
	assert_int_equal(f->used->idx, 1);
	assert_int_equal(f->used->ring[0].id, 3);
	assert_int_equal(f->used->ring[0].len, 30);
}

/* Each of these rings is broken, and breaks nothing. */
static void test_broken(void **state)
{
	static const struct {
		const char *what;
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next, head;
	} cases[] = {
		{"head", DATA, 4, 0, 0, SIZE},
		{"next", DATA, 4, VIRTQ_DESC_F_NEXT, SIZE, 0},
		{"loop", DATA, 4, VIRTQ_DESC_F_NEXT, 0, 0},
		{"empty loop", DATA, 0, VIRTQ_DESC_F_NEXT, 0, 0},
		{"indirect", DATA, 16, VIRTQ_DESC_F_INDIRECT, 0, 0},
		{"beyond", RAM_BYTES, 1, 0, 0, 0},
		{"over the edge", RAM_BYTES - 1, 2, 0, 0, 0},
		{"wraps", UINT64_MAX, 2, 0, 0, 0},
		{"huge", DATA, UINT32_MAX, 0, 0, 0},
		{"writes the read-only", RO_BASE, 1, VIRTQ_DESC_F_WRITE, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f;
		struct chain c;

		print_message("%s\n", cases[i].what);
		tear_down(state);
		set_up(state);
		f = *state;
		set_desc(f, 0, cases[i].addr, cases[i].len, cases[i].flags, cases[i].next);
		offer(f, cases[i].head);
		assert_int_equal(virtqueue_pop(&f->q, &c), -EPROTO);
		assert_int_equal(virtqueue_pop(&f->q, &c), -EPROTO);
	}
}

static void test_order_and_index(void **state)
{
	struct fixture *f = *state;
	struct chain c;

	set_desc(f, 0, DATA, 4, VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE, 1);
	set_desc(f, 1, DATA, 4, 0, 0);
	offer(f, 0);
	assert_int_equal(virtqueue_pop(&f->q, &c), -EPROTO);
	f->avail->idx = SIZE + 1;
	assert_int_equal(virtqueue_pop(&f->q, &c), -EPROTO);
}

static void test_set_up_limits(void **state)
{
	struct fixture *f = *state;
	static const struct virtqueue bad[] = {
		{.size = 0, .desc = DESC, .avail = AVAIL, .used = USED},
		{.size = 7, .desc = DESC, .avail = AVAIL, .used = USED},
		{.size = 2 * VIRTQUEUE_SIZE_MAX, .desc = DESC, .avail = AVAIL, .used = USED},
		{.size = 8, .desc = DESC + 8, .avail = AVAIL, .used = USED},
		{.size = 8, .desc = DESC, .avail = AVAIL + 1, .used = USED},
		{.size = 8, .desc = DESC, .avail = AVAIL, .used = USED + 2},
		{.size = 8, .desc = RAM_BYTES - 16, .avail = AVAIL, .used = USED},
		{.size = 8, .desc = DESC, .avail = AVAIL, .used = RO_BASE},
		{.size = 8, .desc = DESC, .avail = UINT64_MAX - 1, .used = USED},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct virtqueue q = bad[i];

		assert_int_equal(virtqueue_start(&q, &f->mem, true), -EINVAL);
		assert_false(q.live);
	}
}

/* The index goes round 65,536 many times; everything keeps its order. */
static void test_wrap(void **state)
{
	struct fixture *f = *state;
	struct chain c;

	for (unsigned i = 0; i < 70000; i++) {
		set_desc(f, i % SIZE, DATA + i % 1000, 1, 0, 0);
		offer(f, i % SIZE);
		assert_int_equal(virtqueue_pop(&f->q, &c), 1);
		assert_ptr_equal(c.iov[0].iov_base, f->ram + DATA + i % 1000);
		virtqueue_push(&f->q, c.head, i);
		assert_int_equal(f->used->ring[i % SIZE].len, i);
	}
	assert_int_equal(f->used->idx, 70000 % 65536);
}

static void test_kicks(void **state)
{
	struct fixture *f = *state;
	struct chain c;

	assert_false(virtqueue_want_kick(&f->q));
	assert_int_equal(avail_event(f), 0);
	set_desc(f, 0, DATA, 1, 0, 0);
	offer(f, 0);
	assert_true(virtqueue_want_kick(&f->q)); /* came before the wish */
	assert_int_equal(virtqueue_pop(&f->q, &c), 1);
	virtqueue_mute_kick(&f->q);
	/* The driver's next additions do not pass the event. */
	for (uint16_t n = 2; n < 9; n++)
		assert_false(virtq_need_event(avail_event(f), n, (uint16_t)(n - 1)));
	assert_false(virtqueue_want_kick(&f->q));
	assert_true(virtq_need_event(avail_event(f), 2, 1));
}

static void test_news(void **state)
{
	struct fixture *f = *state;

	*event_of_driver(f) = 0;
	assert_false(virtqueue_has_news(&f->q));
	virtqueue_push(&f->q, 0, 0);
	assert_true(virtqueue_has_news(&f->q));
	assert_true(virtqueue_has_news(&f->q)); /* a level */
	*event_of_driver(f) = 1;
	assert_false(virtqueue_has_news(&f->q));
	*event_of_driver(f) = 1 + SIZE;
	for (unsigned i = 0; i < SIZE; i++)
		virtqueue_push(&f->q, 0, 0);
	assert_false(virtqueue_has_news(&f->q));
	virtqueue_push(&f->q, 0, 0);
	assert_true(virtqueue_has_news(&f->q));
}

static void test_news_without_event_idx(void **state)
{
	struct fixture *f = *state;

	virtqueue_reset(&f->q);
	f->q = (struct virtqueue){.size = SIZE, .desc = DESC, .avail = AVAIL, .used = USED};
	assert_int_equal(virtqueue_start(&f->q, &f->mem, false), 0);
	virtqueue_push(&f->q, 0, 0);
	assert_true(virtqueue_has_news(&f->q));
	virtqueue_told(&f->q);
	assert_false(virtqueue_has_news(&f->q));
	f->avail->flags = 1; /* NO_INTERRUPT */
	virtqueue_push(&f->q, 0, 0);
	assert_false(virtqueue_has_news(&f->q));
	virtqueue_mute_kick(&f->q);
	assert_int_equal(f->used->flags, 1);
	virtqueue_want_kick(&f->q);
	assert_int_equal(f->used->flags, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {T(test_chain), T(test_broken), T(test_order_and_index),
		T(test_set_up_limits), T(test_wrap), T(test_kicks), T(test_news),
		T(test_news_without_event_idx)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
