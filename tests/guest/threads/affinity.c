/* SPDX-License-Identifier: Apache-2.0 */
/* Processors of a thread: sched_setaffinity, sched_getaffinity, getcpu. */
#include "tests/guest/guest.h"

int main(void)
{
	cpu_set_t set, old;
	unsigned cpu = 99, node = 99;

	SHOW(sched_getaffinity(0, sizeof(old), &old));
	ASK(CPU_COUNT(&old) >= 1);
	CPU_ZERO(&set);
	SHOW(sched_setaffinity(0, sizeof(set), &set));
	CPU_SET(0, &set);
	SHOW(sched_setaffinity(0, sizeof(set), &set));
	SHOW(sched_getaffinity(0, sizeof(set), &set));
	say("%d %d\n", CPU_COUNT(&set), CPU_ISSET(0, &set) != 0);
	SHOW(sched_getcpu());
	RAW(getcpu, &cpu, &node, NULL);
	say("%u\n", cpu);
	RAW(getcpu, NULL, NULL, NULL);
	RAW(getcpu, BAD_PTR, NULL, NULL);
	RAW(sched_setaffinity, 0, 8, BAD_PTR);
	RAW(sched_setaffinity, 999999, 8, &set);
	RAW(sched_getaffinity, 0, 0, &set);
	RAW(sched_getaffinity, 0, 12, &set);
	RAW(sched_getaffinity, 999999, 128, &set);
	RAW(sched_getaffinity, 0, 128, BAD_KERNEL);
	CPU_ZERO(&set);
	CPU_SET(1000, &set);
	SHOW(sched_setaffinity(0, sizeof(set), &set));
	return 0;
}
