/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/drv/hold.h"

#include "libos/drv/platform.h"
#include "libos/sched/thread.h"

/* How long ago the last thing may have come, that what is queued answers it; how long that is held back at most. */
#define FRESH_NS       500000u
#define HOLD_NS        200000u
#define FRESH_LARGE_NS 100000u
#define HOLD_LARGE_NS  50000u

static uint64_t came_at;

void hold_came(void)
{
	came_at = clock_mono_ns();
}

bool hold_leave(struct hold *h, bool computes)
{
	uint64_t now;

	if (computes || !platform_wait_serves())
		return false;
	now = clock_mono_ns();
	if (!h->on)
		h->since = now;
	h->on = now - came_at < (h->large ? FRESH_LARGE_NS : FRESH_NS) &&
		now - h->since < (h->large ? HOLD_LARGE_NS : HOLD_NS);
	return h->on;
}
