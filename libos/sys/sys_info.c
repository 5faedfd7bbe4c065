/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine and the process look like: uname, sysinfo, getrusage, times. */
#include "libos/exec/args.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/mem/uaccess.h"
#include "libos/mem/vm.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"
#include "libos/sys/sys_info.h"
#include "libos/sys/syscall.h"

#define CLK_TCK         100ull
#define SELF_RUSAGE     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

struct utsname {
	char sysname[UTS_FIELD], nodename[UTS_FIELD], release[UTS_FIELD], version[UTS_FIELD],
		machine[UTS_FIELD], domainname[UTS_FIELD];
};

struct sysinfo {
	int64_t uptime; /* s */
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
	char filler[4];
};

struct ktimeval {
	int64_t sec, usec;
};

struct krusage {
	struct ktimeval utime, stime;
	int64_t maxrss /* KiB */, rest[13];
};

char domain_name[UTS_FIELD] = "(none)";

/* The release is that of the Linux whose ABI the libOS follows; glibc refuses to start below its minimum. */
long sys_uname(const uint64_t a[6])
{
	struct utsname uts = {.sysname = "Linux",
		.release = "6.1.0-uigniter",
		.version = "#1 Uigniter libOS",
		.machine = "x86_64"};

	strlcpy(uts.nodename, boot_args.hostname[0] ? boot_args.hostname : "uigniter", UTS_FIELD);
	strlcpy(uts.domainname, domain_name, UTS_FIELD);
	return put_user(a[0], &uts) < 0 ? -EFAULT : 0;
}

/* Takes a name of at most size - 1 bytes from the program. */
static long set_name(const uint64_t a[6], char *to, uint64_t size)
{
	char name[UTS_FIELD] = "";
	uint64_t len = a[1];

	if (!cred_has(CAP_SYS_ADMIN))
		return -EPERM;
	if (len >= size)
		return -EINVAL;
	if (len && copy_from_user(name, a[0], len) < 0)
		return -EFAULT;
	memcpy(to, name, size);
	return 0;
}

long sys_sethostname(const uint64_t a[6])
{
	return set_name(a, boot_args.hostname, sizeof(boot_args.hostname));
}

long sys_setdomainname(const uint64_t a[6])
{
	return set_name(a, domain_name, sizeof(domain_name));
}

long sys_sysinfo(const uint64_t a[6])
{
	struct sysinfo info = {
		.uptime = (int64_t)(clock_mono_ns() / NS_PER_SEC),
		.totalram = page_total() * PAGE_BYTES,
		.freeram = page_free_count() * PAGE_BYTES,
		.procs = 1,
		.mem_unit = 1,
	};

	return put_user(a[0], &info) < 0 ? -EFAULT : 0;
}

/* All time counts as user time: libOS and program are one to the CPU. */
long sys_getrusage(const uint64_t a[6])
{
	struct krusage usage;
	int who = (int)a[0];

	memset(&usage, 0, sizeof(usage));
	if (who == SELF_RUSAGE || who == RUSAGE_THREAD) {
		uint64_t ns =
			who == RUSAGE_THREAD ? thread_cpu_ns(thread_current()) : process_cpu_ns();
		uint64_t mapped, resident;

		vm_usage(&mapped, &resident);
		usage.utime.sec = (int64_t)(ns / NS_PER_SEC);
		usage.utime.usec = (int64_t)(ns % NS_PER_SEC / 1000);
		usage.maxrss = (int64_t)(resident / 1024);
	} else if (who != RUSAGE_CHILDREN) {
		return -EINVAL;
	}
	return put_user(a[1], &usage) < 0 ? -EFAULT : 0;
}

long sys_times(const uint64_t a[6])
{
	int64_t tms[4] = {(int64_t)(process_cpu_ns() / (NS_PER_SEC / CLK_TCK)), 0, 0, 0};

	if (a[0] && put_user(a[0], &tms) < 0)
		return -EFAULT;
	return (long)(clock_mono_ns() / (NS_PER_SEC / CLK_TCK));
}
