/* SPDX-License-Identifier: Apache-2.0 */
/* What the system says of itself: uname, sysinfo, limits, processors. */
#include "tests/guest/guest.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void)
{
	struct utsname uts;
	struct sysinfo info;
	struct rlimit limit;
	unsigned char mask[128];
	unsigned cpu = 99, node = 99, major = 0;
	long n;

	SHOW(uname(&uts));
	say("%s %s\n", uts.sysname, uts.machine);
	ASK(sscanf(uts.release, "%u.", &major) == 1 && major >= 4);
	SHOW(gethostname((char[65]){0}, 65));
	SHOW(sysinfo(&info));
	ASK(info.totalram * info.mem_unit >= 16ul << 20 && info.freeram <= info.totalram &&
		info.mem_unit >= 1);
	ASK(info.procs >= 1);
	ASK(sysconf(_SC_NPROCESSORS_ONLN) >= 1 &&
		sysconf(_SC_NPROCESSORS_CONF) >= sysconf(_SC_NPROCESSORS_ONLN));
	ASK(sysconf(_SC_PHYS_PAGES) > 0 && sysconf(_SC_PAGESIZE) == 4096);
	memset(mask, 0, sizeof(mask));
	n = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	ASK(n >= 8 && n % 8 == 0 && !all_bytes(mask, (size_t)n, 0));
	SHOW(syscall(SYS_sched_getaffinity, 0, 4, mask));
	SHOW(syscall(SYS_sched_getaffinity, 999999, sizeof(mask), mask));
	ASK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && cpu < 1024 && node < 64);
	SHOW(getrlimit(RLIMIT_NOFILE, &limit));
	ASK(limit.rlim_cur >= 256 && limit.rlim_max >= limit.rlim_cur);
	SHOW(getrlimit(99, &limit));
	limit = (struct rlimit){100, 50};
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(sched_yield());
	SHOW(sched_get_priority_max(SCHED_OTHER));
	RAW(sched_getscheduler, 0);
	SHOW(getpriority(PRIO_PROCESS, 0));
	return 0;
}
