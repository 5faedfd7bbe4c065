/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and priorities: what is known, what is refused. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

int main(void)
{
	struct sched_param p = {0};
	struct timespec ts;

	SHOW(sched_getscheduler(0));
	SHOW(sched_getparam(0, &p));
	say("%d\n", p.sched_priority);
	SHOW(sched_setscheduler(0, SCHED_OTHER, &p));
	SHOW(sched_setscheduler(0, SCHED_BATCH, &p));
	SHOW(sched_getscheduler(0));
	SHOW(sched_setscheduler(0, SCHED_OTHER, &p));
	SHOW(sched_setscheduler(0, 99, &p));
	SHOW(sched_setscheduler(0, -1, &p));
	p.sched_priority = 5;
	SHOW(sched_setscheduler(0, SCHED_OTHER, &p));
	SHOW(sched_setparam(0, &p));
	p.sched_priority = 100;
	SHOW(sched_setscheduler(0, SCHED_FIFO, &p));
	SHOW(sched_getparam(0, NULL));
	RAW(sched_getparam, 0, BAD_PTR);
	RAW(sched_setparam, 0, BAD_PTR);
	RAW(sched_setscheduler, 0, SCHED_OTHER, BAD_PTR);
	RAW(sched_getparam, -1, &p);
	RAW(sched_getscheduler, -1);
	RAW(sched_getscheduler, 999999);
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_min(SCHED_FIFO));
	SHOW(sched_get_priority_max(SCHED_OTHER));
	SHOW(sched_get_priority_max(SCHED_IDLE));
	SHOW(sched_get_priority_max(77));
	SHOW(sched_get_priority_min(-1));
	SHOW(sched_rr_get_interval(0, &ts));
	RAW(sched_rr_get_interval, 0, BAD_PTR);
	RAW(sched_rr_get_interval, -1, &ts);
	SHOW(setpriority(PRIO_PROCESS, 0, 5));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 100));
	SHOW(getpriority(PRIO_PROCESS, 0));
	RAW(getpriority, PRIO_PROCESS, 0);
	SHOW(getpriority(9, 0));
	SHOW(setpriority(9, 0, 0));
	SHOW(getpriority(PRIO_PROCESS, 999999));
	return 0;
}
