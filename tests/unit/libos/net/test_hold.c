/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When frames are held back for the next WAIT instead of kicking the device (libos/drv/hold.h), by virtio-net: what answers something that has just come, for
 * a bounded time, not of a thread that computes. Time stands still but for what the test adds.
 */
#include "tests/unit/libos/net/net.h"

#include "libos/drv/virtio_net.h"

#define US 1000u

static char large[256];

static void sent(void *cookie) {}

/* A frame for somebody else comes: it is dropped, but it came. */
static void news(void)
{
	static const char frame[60];

	wire_inject(frame, sizeof(frame), 0);
	shim_device();
	vnet_poll(1);
}

static void answer(void)
{
	void *frame = vnet_tx_frame(60);

	assert_non_null(frame);
	memset(frame, 0, 60);
	assert_int_equal(vnet_tx_send(frame, 60, 0, 0), 0);
}

static void answer_large(void)
{
	struct vnet_large f = {.part = {{large, sizeof(large)}}, .parts = 1, .cookie = large};

	assert_int_equal(vnet_tx_large(&f, sent), 0);
}

/* Kicks by the program's going on. */
static unsigned leave(bool computes)
{
	unsigned before = shim_notifies;

	vnet_leave(computes);
	return shim_notifies - before;
}

static int setup(void **state)
{
	vnet_kick();   /* what an earlier test has left */
	shim_device(); /* sees all, and wants to hear of the next */
	shim_wait_serves = true;
	shim_now += SECOND;
	news();
	return 0;
}

static void a_batch_is_one_wait(void **state)
{
	for (unsigned i = 0; i < 16; i++, shim_now += 10 * US) {
		answer();
		assert_int_equal(leave(false), 0);
	}
	vnet_arm(); /* WAIT sends them */
	answer();
	shim_now += 100 * US; /* the next one's time begins anew */
	assert_int_equal(leave(false), 0);
}

static void not_for_ever(void **state)
{
	unsigned kicks = 0;

	for (unsigned i = 0; i < 100; i++, shim_now += 10 * US) {
		news();
		answer();
		kicks += leave(false);
	}
	assert_in_range(kicks, 4, 5); /* one each 200 us */
}

static void only_answers(void **state)
{
	shim_now += 600 * US;
	answer();
	assert_int_equal(leave(false), 1);
	assert_int_equal(leave(false), 0);
}

static void not_of_a_thread_that_computes(void **state)
{
	answer();
	assert_int_equal(leave(true), 1);
}

static void large_ones_are_worth_a_kick(void **state)
{
	answer();
	answer_large();
	assert_int_equal(leave(false), 0);
	shim_now += 50 * US;
	assert_int_equal(leave(false), 1);
	answer(); /* a small one again */
	assert_int_equal(leave(false), 0);
	shim_now += 50 * US;
	assert_int_equal(leave(false), 0);
}

static void not_where_wait_sends_nothing(void **state)
{
	shim_wait_serves = false;
	answer();
	assert_int_equal(leave(false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_batch_is_one_wait, setup),
		cmocka_unit_test_setup(not_for_ever, setup),
		cmocka_unit_test_setup(only_answers, setup),
		cmocka_unit_test_setup(not_of_a_thread_that_computes, setup),
		cmocka_unit_test_setup(large_ones_are_worth_a_kick, setup),
		cmocka_unit_test_setup(not_where_wait_sends_nothing, setup),
	};

	wire_start(0x8883);
	wire.unplugged = wire.wants_kicks = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
