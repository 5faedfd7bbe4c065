/* SPDX-License-Identifier: Apache-2.0 */
/* sched_getattr and sched_setattr: sizes, flags, pointers. */
#include "tests/guest/guest.h"

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
int main(void)
{
	struct attr a;

	memset(&a, 0xff, sizeof(a));
	RAW(sched_getattr, 0, &a, 48, 0);
	say("size %u policy %u nice %d priority %u\n", a.size, a.policy, a.nice, a.priority);
	RAW(sched_getattr, 0, &a, 47, 0);
	RAW(sched_getattr, 0, &a, 48, 1);
	RAW(sched_getattr, 0, NULL, 48, 0);
	RAW(sched_getattr, 0, BAD_PTR, 48, 0);
	RAW(sched_getattr, 999999, &a, 48, 0);
	RAW(sched_getattr, -1, &a, 48, 0);
	memset(&a, 0, sizeof(a));
	a.size = 48;
	a.nice = 3;
	RAW(sched_setattr, 0, &a, 0);
	RAW(sched_getattr, 0, &a, 48, 0);
	say("nice %d\n", a.nice);
	a.policy = 99;
	RAW(sched_setattr, 0, &a, 0);
	RAW(sched_setattr, 0, BAD_PTR, 0);
	RAW(sched_setattr, 0, NULL, 0);
	RAW(sched_setattr, 0, &a, 1);
	a.policy = 0;
	a.size = 10;
	RAW(sched_setattr, 0, &a, 0);
	say("size %u\n", a.size);
	return 0;
}
