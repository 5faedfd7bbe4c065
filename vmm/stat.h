/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters with one writer at a time (a thread of its own, or whoever serves the devices) that other threads
 * read for a report. Relaxed loads and stores: no locked instruction on the hot path, no torn value.
 */
#ifndef VMM_STAT_H
#define VMM_STAT_H

#include <stdint.h>

static inline uint64_t stat_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static inline void stat_set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static inline void stat_add(uint64_t *counter, uint64_t n)
{
	stat_set(counter, stat_get(counter) + n);
}

static inline void stat_inc(uint64_t *counter)
{
	stat_add(counter, 1);
}

#endif
