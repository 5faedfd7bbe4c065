/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock as the program sees it: one page, mapped read-only behind the code of the vDSO. It is the libOS's own clock too (sched/clock.c
 * is the one writer). Times are ns = base + (TSC - base's TSC) * mult / 2^32, in 128 bits.
 */
#ifndef LIBOS_VDSO_VVAR_H
#define LIBOS_VDSO_VVAR_H

#include <stdint.h>

struct vvar {
	uint32_t
		seq; /* goes up with each change: a reader that was interrupted by one reads again */
	uint32_t reserved;
	uint64_t mult;
	uint64_t mono_tsc, mono_ns;
	uint64_t wall_tsc, wall_ns;
};

/* mult: ns per cycle, times 2^32. The TSC may be a little behind the base's: the monitor read its own later than we ours. */
static inline uint64_t vvar_ns(uint64_t base_ns, uint64_t base_tsc, uint64_t tsc, uint64_t mult)
{
	if (tsc < base_tsc)
		return base_ns - (uint64_t)((unsigned __int128)(base_tsc - tsc) * mult >> 32);
	return base_ns + (uint64_t)((unsigned __int128)(tsc - base_tsc) * mult >> 32);
}

#endif
