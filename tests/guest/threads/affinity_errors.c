/* SPDX-License-Identifier: Apache-2.0 */
/* sched_setaffinity, sched_getaffinity, priorities and policies: sizes, pointers, threads that are not. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

int main(void)
{
	cpu_set_t set, none;
	struct sched_param p = {0}, high = {5};

	CPU_ZERO(&none);
	SHOW(sched_getaffinity(0, sizeof(set), &set));
	say("%d\n", CPU_COUNT(&set) >= 1);
	RAW(sched_getaffinity, 0, 7, &set);
	RAW(sched_getaffinity, 0, 1, &set);
	RAW(sched_getaffinity, 0, 128, BAD_PTR);
	RAW(sched_getaffinity, 999999, 128, &set);
	RAW(sched_setaffinity, 0, 128, BAD_PTR);
	SHOW(sched_setaffinity(0, sizeof(set), &none));
	SHOW(sched_setaffinity(999999, sizeof(set), &set));
	SHOW(sched_setaffinity(0, sizeof(set), &set));
	SHOW(sched_getscheduler(0));
	SHOW(sched_getscheduler(-1));
	SHOW(sched_getscheduler(999999));
	SHOW(sched_setscheduler(0, SCHED_OTHER, &p));
	SHOW(sched_setscheduler(0, SCHED_OTHER, &high));
	SHOW(sched_setscheduler(0, 99, &p));
	SHOW(sched_getparam(0, &p));
	say("%d\n", p.sched_priority);
	RAW(sched_getparam, 0, NULL);
	RAW(sched_setscheduler, 0, SCHED_OTHER, BAD_PTR);
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_min(SCHED_FIFO));
	SHOW(sched_get_priority_max(SCHED_OTHER));
	SHOW(sched_get_priority_max(99));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpriority(99, 0));
	SHOW(getpriority(PRIO_PROCESS, 999999));
	SHOW(setpriority(99, 0, 5));
	return 0;
}
