/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns = (tsc - start) * mult / 2^32, in 128 bits. A clone of a frozen instance gets a new wall clock from its identity
 * page, and its monotonic clock goes on from where it was frozen, whatever the TSC did in between.
 */
#include "libos/sched/clock.h"
#include "libos/sched/posix_timer.h"

#include "libos/arch/x86_64/cpu.h"
#include "libos/fs/timerfd.h"
#include "libos/klib/errno.h"
#include "libos/sched/thread_impl.h"
#include "libos/uapi/time.h"
#include "libos/vdso/vvar.h"

char clock_page[4096] __attribute__((aligned(4096), section(".bss.page")));
static struct vvar *const vvar = (struct vvar *)clock_page;
static uint64_t khz;
static uint64_t cycles_mult; /* cycles per ns, times 2^32 */
static uint64_t mark_tsc;

static void set_frequency(uint64_t tsc_khz)
{
	khz = tsc_khz;
	vvar->mult = (1000000ull << 32) / khz;
	cycles_mult = (khz << 32) / 1000000;
}

void clock_init(uint64_t tsc_khz)
{
	set_frequency(tsc_khz ? tsc_khz : 1000000);
	vvar->mono_tsc = vvar->wall_tsc = rdtsc();
	vvar->seq++;
}

uint64_t clock_khz(void)
{
	return khz;
}

uint64_t clock_cycles_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * vvar->mult >> 32);
}

uint64_t clock_mono_ns(void)
{
	return vvar_ns(vvar->mono_ns, vvar->mono_tsc, rdtsc(), vvar->mult);
}

uint64_t clock_real_ns(void)
{
	return vvar_ns(vvar->wall_ns, vvar->wall_tsc, rdtsc(), vvar->mult);
}

void clock_set_wall(uint64_t ns, uint64_t tsc)
{
	vvar->wall_ns = ns;
	vvar->wall_tsc = tsc;
	vvar->seq++;
	timerfd_clock_changed();
	posix_timers_clock_changed();
}

void clock_set_real(uint64_t ns)
{
	clock_set_wall(ns, rdtsc());
	timerfd_clock_changed();
	posix_timers_clock_changed();
}

uint64_t clock_mono_to_tsc(uint64_t ns)
{
	uint64_t now;

	if (ns == TIME_FOREVER)
		return UINT64_MAX;
	now = clock_mono_ns();
	if (ns <= now)
		return 1;
	/* a little more, so that the deadline has passed when the TSC gets there */
	return rdtsc() + (uint64_t)((unsigned __int128)(ns - now) * cycles_mult >> 32) + 2;
}

void clock_mark(void)
{
	mark_tsc = rdtsc();
}

void clock_thaw(uint64_t tsc_khz)
{
	vvar->mono_ns += clock_cycles_ns(mark_tsc - vvar->mono_tsc);
	vvar->mono_tsc = rdtsc();
	if (tsc_khz && tsc_khz != khz)
		set_frequency(tsc_khz);
	vvar->seq++;
}

int clock_read(int id, uint64_t *ns)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ns = clock_real_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_mono_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = process_cpu_ns();
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu_ns(thread_current());
		return 0;
	default:
		return -EINVAL;
	}
}
