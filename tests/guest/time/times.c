/* SPDX-License-Identifier: Apache-2.0 */
/* times, getrusage and clock count, and refuse. */
#include "tests/guest/guest.h"

#include <sys/resource.h>
#include <sys/times.h>

int main(void)
{
	struct tms t;
	struct rusage u;
	clock_t a = times(&t), b;

	ASK(a != (clock_t)-1);
	while (clock() < CLOCKS_PER_SEC / 20)
		;
	b = times(&t);
	ASK(b >= a && t.tms_utime + t.tms_stime >= 1);
	RAW(times, BAD_PTR);
	ASK(syscall(SYS_times, NULL) > 0);
	SHOW(getrusage(RUSAGE_SELF, &u));
	ASK(u.ru_maxrss > 0 &&
		u.ru_utime.tv_usec + u.ru_utime.tv_sec * 1000000 + u.ru_stime.tv_usec >= 30000);
	SHOW(getrusage(RUSAGE_CHILDREN, &u));
	SHOW(getrusage(RUSAGE_THREAD, &u));
	SHOW(getrusage(5, &u));
	RAW(getrusage, RUSAGE_SELF, BAD_PTR);
	return 0;
}
