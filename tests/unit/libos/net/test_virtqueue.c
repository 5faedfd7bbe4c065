/* SPDX-License-Identifier: Apache-2.0 */
/* The virtqueue against a device that is right, and against one that lies; then small pieces: SipHash, the checksum. */
#include "tests/unit/libos/net/net.h"

#include "abi/boot.h"
#include "libos/drv/virtqueue.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/net/siphash.h"

#define SIZE 8u

static struct virtqueue vq;
static struct uig_queue where;
static char data[SIZE][64];

static int setup(void **state)
{
	shim_console[0] = '\0';
	return virtqueue_create(&vq, &where, SIZE, true);
}

static int teardown(void **state)
{
	kfree(vq.slot);
	page_free_run(page_ptr(where.desc), 2);
	return 0;
}

static void again(void)
{
	teardown(NULL);
	assert_int_equal(setup(NULL), 0);
}

static long add(unsigned nout, unsigned nin, void *cookie)
{
	struct vq_buf b[4] = {{data[0], 64}, {data[1], 64}, {data[2], 64}, {data[3], 64}};

	return virtqueue_add(&vq, b, nout, nin, cookie);
}

static void use(uint32_t id, uint32_t len)
{
	volatile struct virtq_used *u = vq.used;

	u->ring[u->idx % SIZE].id = id;
	u->ring[u->idx % SIZE].len = len;
	u->idx++;
}

static void in_and_out(void **state)
{
	uint32_t len;

	for (int round = 0; round < 70000; round++) { /* all indices wrap */
		assert_int_equal(add(1, 1, data[0]), 0);
		uint16_t head = vq.avail->ring[(uint16_t)(vq.avail->idx - 1) % SIZE];
		assert_int_equal(vq.desc[head].flags, VIRTQ_DESC_F_NEXT);
		assert_int_equal(vq.desc[vq.desc[head].next].flags, VIRTQ_DESC_F_WRITE);
		assert_null(virtqueue_pop(&vq, &len));
		use(head, 10);
		assert_ptr_equal(virtqueue_pop(&vq, &len), data[0]);
		assert_int_equal(len, 10);
	}
	assert_int_equal(vq.nfree, SIZE);
}

static void full(void **state)
{
	for (unsigned i = 0; i < SIZE / 2; i++)
		assert_int_equal(add(2, 0, data[i]), 0);
	assert_int_equal(add(1, 0, data[0]), -ENOSPC);
	assert_int_equal(add(0, 0, data[0]), -ENOSPC);
	uint32_t len;
	use(vq.avail->ring[2], 999);
	assert_ptr_equal(virtqueue_pop(&vq, &len), data[2]); /* out of order */
	assert_int_equal(len, 0);                            /* it had nothing to write */
	assert_int_equal(add(2, 0, data[2]), 0);
}

static void lies(void **state)
{
	uint32_t len;

	assert_int_equal(add(0, 1, data[0]), 0);
	use(SIZE + 3, 1); /* no such descriptor */
	assert_null(virtqueue_pop(&vq, &len));
	assert_true(vq.broken);
	assert_int_equal(add(0, 1, data[0]), -EIO);
	assert_true(strstr(shim_console, "not in flight") != NULL);

	again();
	assert_int_equal(add(0, 1, data[0]), 0);
	use(vq.avail->ring[0], 1u << 30); /* longer than the buffer */
	assert_non_null(virtqueue_pop(&vq, &len));
	assert_int_equal(len, 64);
	use(vq.avail->ring[0], 1); /* once more */
	assert_null(virtqueue_pop(&vq, &len));
	assert_true(vq.broken);

	again();
	assert_int_equal(add(0, 2, data[0]), 0);
	use(vq.desc[vq.avail->ring[0]].next, 1); /* the middle of a chain */
	assert_null(virtqueue_pop(&vq, &len));
	assert_true(vq.broken);

	again();
	vq.used->idx = 1000; /* more than there are entries */
	assert_null(virtqueue_pop(&vq, &len));
	assert_true(vq.broken);
	assert_false(virtqueue_pending(&vq));
}

static void bad_rings(void **state)
{
	struct virtqueue q;
	struct uig_queue w = where;

	w.size = 7;
	assert_int_equal(virtqueue_init(&q, &w, true), -EINVAL);
	w.size = 4096;
	assert_int_equal(virtqueue_init(&q, &w, true), -EINVAL);
	w = where;
	w.desc += 8;
	assert_int_equal(virtqueue_init(&q, &w, true), -EINVAL);
	w = where;
	w.used = 0;
	assert_int_equal(virtqueue_init(&q, &w, true), -EINVAL);
	shim_fail_after = 0;
	assert_int_equal(virtqueue_create(&q, &w, SIZE, true), -ENOMEM);
	shim_fail_after = -1;
}

/* uvmm's WAIT returns while this is true: news that was asked for. */
static bool level(void)
{
	return (uint16_t)(vq.used->idx - vq.avail->ring[SIZE] - 1) < 0x8000;
}

static void events(void **state)
{
	uint32_t len;

	assert_false(level());
	assert_false(virtqueue_kick_needed(&vq)); /* nothing was added */
	assert_int_equal(add(0, 1, data[0]), 0);
	assert_true(virtqueue_kick_needed(&vq)); /* avail_event is 0: tell of the first */
	assert_false(virtqueue_kick_needed(&vq));
	use(vq.avail->ring[0], 1);
	assert_false(level());
	virtqueue_arm(&vq);
	assert_true(level());
	assert_non_null(virtqueue_pop(&vq, &len));
	virtqueue_arm(&vq);
	assert_false(level());
	virtqueue_disarm(&vq);
	assert_int_equal(add(0, 1, data[0]), 0);
	assert_false(virtqueue_kick_needed(&vq)); /* avail_event has not moved */
	use(vq.avail->ring[1], 1);
	assert_false(level());
	assert_non_null(virtqueue_pop(&vq, &len));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(add(0, 1, data[i]), 0);
	virtqueue_arm_behind(&vq, 2);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(level());
		use(vq.avail->ring[2 + i], 1);
	}
	assert_true(level());
}

static void siphash_vector(void **state)
{
	/* Aumasson, Bernstein: SipHash, appendix A */
	const uint64_t key[2] = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
	unsigned char in[15];

	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)i;
	assert_true(siphash(key, in, sizeof(in)) == 0xa129ca6149be45e5ull);
}

uint16_t net_chksum(const void *p, int len);

static void checksum(void **state)
{
	unsigned char buf[301];
	uint32_t x = 1;

	for (unsigned i = 0; i < sizeof(buf); i++)
		buf[i] = (unsigned char)((x = x * 1103515245 + 12345) >> 16);
	memset(buf, 0xff, 64);
	for (int len = 0; len <= 300; len++) {
		for (int off = 0; off < 2 && len + off <= 301; off++) {
			uint32_t sum = 0; /* RFC 1071, a word at a time */

			for (int i = 0; i + 1 < len; i += 2)
				sum += (uint32_t)buf[off + i] | (uint32_t)buf[off + i + 1] << 8;
			if (len & 1)
				sum += buf[off + len - 1];
			while (sum >> 16)
				sum = (sum & 0xffff) + (sum >> 16);
			assert_int_equal(net_chksum(buf + off, len), sum);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_and_out, setup, teardown),
		cmocka_unit_test_setup_teardown(full, setup, teardown),
		cmocka_unit_test_setup_teardown(lies, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(events, setup, teardown),
		cmocka_unit_test(siphash_vector),
		cmocka_unit_test(checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
