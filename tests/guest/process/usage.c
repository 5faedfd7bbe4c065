/* SPDX-License-Identifier: Apache-2.0 */
/* getrusage, times, getcpu, sysinfo, uname: pointers, kinds, values that only grow. */
#include "tests/guest/guest.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

int main(void)
{
	struct rusage a, b;
	struct sysinfo s;
	struct tms t;
	unsigned cpu = 99, node = 99;
	volatile unsigned sum = 0;

	SHOW(getrusage(RUSAGE_SELF, &a));
	for (int64_t end = now_ns() + 30000000; now_ns() < end;)
		sum++;
	SHOW(getrusage(RUSAGE_SELF, &b));
	ASK(b.ru_utime.tv_sec * 1000000 + b.ru_utime.tv_usec + b.ru_stime.tv_sec * 1000000 +
			b.ru_stime.tv_usec >
		a.ru_utime.tv_sec * 1000000 + a.ru_utime.tv_usec);
	ASK(b.ru_maxrss > 0 && b.ru_minflt >= a.ru_minflt);
	SHOW(getrusage(RUSAGE_THREAD, &b));
	SHOW(getrusage(RUSAGE_CHILDREN, &b));
	SHOW(getrusage(5, &b));
	RAW(getrusage, RUSAGE_SELF, BAD_PTR);
	SHOW_OK(times(&t));
	SHOW_OK(times(NULL));
	RAW(times, BAD_PTR);
	SHOW(syscall(SYS_getcpu, &cpu, &node, NULL));
	ASK(cpu < 1024 && node == 0);
	RAW(getcpu, BAD_PTR, NULL, NULL);
	RAW(getcpu, NULL, NULL, NULL);
	SHOW(sysinfo(&s));
	ASK(s.totalram >= s.freeram && s.freeram > 0 && s.mem_unit > 0 && s.procs > 0);
	RAW(sysinfo, BAD_PTR);
	RAW(uname, BAD_PTR);
	RAW(uname, BAD_KERNEL);
	return 0;
}
