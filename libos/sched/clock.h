/* SPDX-License-Identifier: Apache-2.0 */
/* Time from the TSC: clock_mono_ns() and clock_real_ns() (declared in thread.h) and what stands behind them. */
#ifndef LIBOS_SCHED_CLOCK_H
#define LIBOS_SCHED_CLOCK_H

#include "abi/types.h"

/* A page that the program may read: libos/vdso/vvar.h. */
extern char clock_page[4096];

void clock_init(uint64_t tsc_khz);
/* CLOCK_REALTIME was wall_ns when the TSC was wall_tsc. */
void clock_set_wall(uint64_t wall_ns, uint64_t wall_tsc);
/* CLOCK_REALTIME is ns now. */
void clock_set_real(uint64_t ns);
/* The TSC value at which clock_mono_ns() reaches ns; UINT64_MAX for TIME_FOREVER. */
uint64_t clock_mono_to_tsc(uint64_t ns);
/* A span of TSC cycles in ns. */
uint64_t clock_cycles_ns(uint64_t cycles);
uint64_t clock_khz(void);

/* The instance may be frozen from here, and copied; after clock_thaw() CLOCK_MONOTONIC goes on from there, whatever the TSC did, and
 * by the frequency that the TSC has now (0: as before). */
void clock_mark(void);
void clock_thaw(uint64_t tsc_khz);

/* As below, for the CPU clocks of the process and of threads too (negative ids). */
int clock_read_any(int id, uint64_t *ns);
/* The id of a thread's CPU clock. */
int clock_of_thread(int tid);
/* A time of the program in ns, cut where it would overflow; -EINVAL: it is none. And back. */
struct timespec;
int timespec_read(const struct timespec *ts, uint64_t *ns);
struct timespec timespec_of(uint64_t ns);

/* A clock id's value in ns, or -EINVAL. */
int clock_read(int id, uint64_t *ns);

#endif
