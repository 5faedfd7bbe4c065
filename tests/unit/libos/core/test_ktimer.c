/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of timers against a plain search for the earliest. */
#include "tests/unit/libos/core/core.h"

static uint64_t at;
#include "libos/sched/ktimer.c"

#define TIMERS 300

uint64_t clock_mono_ns(void)
{
	return at;
}

static struct ktimer timer[TIMERS];
static unsigned fired;

static void expire(struct ktimer *t)
{
	assert_true(t->deadline <= at);
	assert_false(ktimer_armed(t));
	fired++;
}

static uint64_t earliest(unsigned *due)
{
	uint64_t best = TIME_FOREVER;

	*due = 0;
	for (unsigned i = 0; i < TIMERS; i++) {
		if (!ktimer_armed(&timer[i]))
			continue;
		if (timer[i].deadline < best)
			best = timer[i].deadline;
		*due += timer[i].deadline <= at;
	}
	return best;
}

static void random_walk(void **state)
{
	unsigned due;

	srandom(3);
	for (unsigned i = 0; i < TIMERS; i++)
		ktimer_init(&timer[i], expire);
	for (unsigned round = 0; round < 50000; round++) {
		struct ktimer *t = &timer[random() % TIMERS];

		if (random() % 4)
			ktimer_set(t, at + (uint64_t)random() % 1000);
		else
			ktimer_cancel(t);
		assert_true(ktimer_next == earliest(&due));
		if (round % 10 == 0) {
			at += (uint64_t)random() % 100;
			earliest(&due);
			fired = 0;
			assert_true(ktimer_run() == earliest(&(unsigned){0}));
			assert_int_equal(fired, due);
		}
	}
	at = TIME_FOREVER - 1;
	assert_true(ktimer_run() == TIME_FOREVER);
	assert_true(ktimer_run() == TIME_FOREVER);
}

static unsigned again;

static void rearm(struct ktimer *t)
{
	again++;
	ktimer_set(t, at + 10);
}

static void rearms_itself(void **state)
{
	struct ktimer t;

	at = 100;
	ktimer_init(&t, rearm);
	ktimer_set(&t, 50);
	assert_true(ktimer_run() == 110);
	assert_int_equal(again, 1);
	ktimer_cancel(&t);
	ktimer_cancel(&t);
	assert_true(ktimer_next == TIME_FOREVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walk),
		cmocka_unit_test(rearms_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
