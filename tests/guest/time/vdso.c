/* SPDX-License-Identifier: Apache-2.0 */
/* The clock without a system call: what the vDSO says and what the call says are one clock, and its pages are as on Linux. */
#include "tests/guest/guest.h"

#include <sys/auxv.h>
#include <sys/time.h>

static int64_t raw_ns(clockid_t id)
{
	struct timespec ts;

	NEED(syscall(SYS_clock_gettime, id, &ts) == 0);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t ns(clockid_t id)
{
	struct timespec ts;

	NEED(clock_gettime(id, &ts) == 0);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* The two ways take turns: a clock that were another one would go back. */
static bool one_clock(clockid_t id)
{
	int64_t last = raw_ns(id);

	for (int i = 0; i < 2000; i++) {
		int64_t now = i & 1 ? raw_ns(id) : ns(id);

		if (now < last)
			return false;
		last = now;
	}
	return true;
}

static bool one_second(void)
{
	struct timeval tv, raw;
	time_t t = time(NULL);

	NEED(gettimeofday(&tv, NULL) == 0 && syscall(SYS_gettimeofday, &raw, NULL) == 0);
	return tv.tv_sec - t <= 60 && raw.tv_sec - tv.tv_sec <= 60 && raw.tv_sec >= tv.tv_sec;
}

/* Start and rights of the line that ends in name. */
static bool find_area(const char *name, char rights[5], char **start)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	NEED(f);
	while (!found && fgets(line, sizeof(line), f)) {
		if (!strstr(line, name))
			continue;
		found = sscanf(line, "%p-%*x %4s", (void **)start, rights) == 2;
	}
	fclose(f);
	return found;
}

int main(void)
{
	const unsigned char *elf = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	char rights[5] = "", *start = NULL;
	struct timespec ts;

	ASK(elf && !memcmp(elf, "\177ELF", 4));
	ASK(one_clock(CLOCK_MONOTONIC));
	ASK(one_clock(CLOCK_REALTIME));
	ASK(one_clock(CLOCK_BOOTTIME));
	ASK(one_clock(CLOCK_PROCESS_CPUTIME_ID));
	ASK(one_second());
	ASK(sched_getcpu() >= 0);
	SHOW(clock_gettime(-1, &ts));
	ASK(find_area("[vdso]", rights, &start) && start == (const char *)elf);
	say("%s\n", rights);
	NEED(elf);
	ASK(madvise(start, PAGE, MADV_DONTNEED) == 0 && elf[1] == 'E');
	ASK(find_area("[vvar]", rights, &start));
	say("%.3s\n", rights);
	SHOW(mprotect(start, PAGE, PROT_READ | PROT_WRITE));
	ASK(one_clock(CLOCK_MONOTONIC));
	return 0;
}
