/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hysteresis in two ways: less than HIGH more than the last time is left alone, and what was free all through the time between two looks goes,
 * but KEEP, so that a program that takes and frees the same memory over and over keeps it. A look that could give nothing is not repeated
 * until more has become free.
 */
#include "libos/mem/giveback.h"

#include "libos/drv/platform.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"

#define HIGH_FRAMES  1024u /* 4 MiB */
#define KEEP_FRAMES  256u
#define BATCH_FRAMES 8192u /* 32 MiB: a few ms of the host's work */
#define QUIET_NS     (500 * 1000000ull)
#define STEP_NS      (20 * 1000000ull)
#define BLOCKS       UIG_FREE_RANGES

static void look(struct ktimer *timer);

static struct uig_free_list list __attribute__((aligned(4096), section(".bss.page")));
static struct page_block block[BLOCKS];
static struct ktimer timer;
static uint64_t left; /* dirty frames when all was given that could be */

/* How many frames went; those that the monitor did not take are as they were. */
static uint64_t give(uint64_t frames)
{
	struct uig_free_list *shared = page_ptr((uint64_t)&list - UIG_VA_KERNEL);
	unsigned n = page_take_dirty(block, BLOCKS, frames), done = 0;
	uint64_t gone = 0;

	for (unsigned i = 0; i < n; i++)
		shared->range[i] = (struct uig_free_range){
			page_gpa(block[i].at), PAGE_BYTES << block[i].order};
	shared->count = n;
	if (n)
		done = platform_free(shared);
	for (unsigned i = 0; i < n; i++) {
		page_return(&block[i], i < done);
		gone += i < done ? 1ull << block[i].order : 0;
	}
	return gone;
}

static void look_again(uint64_t ns)
{
	page_dirty_least = page_dirty;
	ktimer_set(&timer, clock_mono_ns() + ns);
}

static void look(struct ktimer *t)
{
	uint64_t least = page_dirty_least, gone = 0;

	if (least <= KEEP_FRAMES) { /* in use again and again */
		if (page_dirty >= HIGH_FRAMES)
			look_again(QUIET_NS);
		return;
	}
	gone = give(least - KEEP_FRAMES < BATCH_FRAMES ? least - KEEP_FRAMES : BATCH_FRAMES);
	if (gone && page_dirty >= HIGH_FRAMES)
		look_again(STEP_NS);
	else
		left = page_dirty;
}

void giveback_check(void)
{
	if (page_dirty < left)
		left = page_dirty;
	if (page_dirty < left + HIGH_FRAMES || ktimer_armed(&timer))
		return;
	if (!timer.fn)
		ktimer_init(&timer, look);
	look_again(QUIET_NS);
}
