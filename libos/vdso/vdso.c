/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's part of the libOS: a shared object of one page that C libraries find by AT_SYSINFO_EHDR (vdso(7): names and version are
 * facts of the Linux ABI). It runs as the program, on the program's stack, and touches nothing of the libOS but the vvar page. What it does not
 * know it leaves to the system call.
 */
#include "libos/uapi/time.h"
#include "libos/vdso/vvar.h"

#define NS_PER_SEC        1000000000u
#define SYS_CLOCK_GETTIME 228
#define SYS_CLOCK_GETRES  229

#define EXPORT __attribute__((visibility("default")))

/* Filled by the linker script with the page behind the code; the libOS maps its clock there. */
__attribute__((section(".bss.vvar"), visibility("hidden"))) volatile struct vvar vvar;

struct zone {
	int32_t west, dst;
};

EXPORT int __vdso_clock_gettime(int id, struct timespec *ts);
EXPORT int __vdso_clock_getres(int id, struct timespec *ts);
EXPORT int __vdso_gettimeofday(struct timeval *tv, struct zone *zone);
EXPORT int64_t __vdso_time(int64_t *t);
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long call2(long nr, long a, long b)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}

/* Not before what stands in front of it, so that two readings come in their order. */
static uint64_t tsc_ordered(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static uint64_t read_mono(void)
{
	uint32_t seq;
	uint64_t ns;

	do {
		seq = vvar.seq;
		ns = vvar_ns(vvar.mono_ns, vvar.mono_tsc, tsc_ordered(), vvar.mult);
	} while (seq != vvar.seq);
	return ns;
}

static uint64_t read_wall(void)
{
	uint32_t seq;
	uint64_t ns;

	do {
		seq = vvar.seq;
		ns = vvar_ns(vvar.wall_ns, vvar.wall_tsc, tsc_ordered(), vvar.mult);
	} while (seq != vvar.seq);
	return ns;
}

int __vdso_clock_gettime(int id, struct timespec *ts)
{
	uint64_t ns;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		ns = read_wall();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		ns = read_mono();
		break;
	default: /* CPU time, and what is no clock */
		return (int)call2(SYS_CLOCK_GETTIME, id, (long)ts);
	}
	ts->tv_sec = (int64_t)(ns / NS_PER_SEC);
	ts->tv_nsec = (int64_t)(ns % NS_PER_SEC);
	return 0;
}

int __vdso_clock_getres(int id, struct timespec *ts)
{
	return (int)call2(SYS_CLOCK_GETRES, id, (long)ts);
}

int __vdso_gettimeofday(struct timeval *tv, struct zone *zone)
{
	uint64_t ns;

	if (tv) {
		ns = read_wall();
		tv->tv_sec = (int64_t)(ns / NS_PER_SEC);
		tv->tv_usec = (int64_t)(ns % NS_PER_SEC / 1000);
	}
	if (zone)
		*zone = (struct zone){0, 0};
	return 0;
}

int64_t __vdso_time(int64_t *t)
{
	int64_t now = (int64_t)(read_wall() / NS_PER_SEC);

	if (t)
		*t = now;
	return now;
}

/* There is one processor. */
long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	(void)unused;
	if (cpu)
		*cpu = 0;
	if (node)
		*node = 0;
	return 0;
}
